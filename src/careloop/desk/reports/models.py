"""Dashboards and what is mailed on a schedule."""
