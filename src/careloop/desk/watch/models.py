"""Watched figures and their alarms."""
