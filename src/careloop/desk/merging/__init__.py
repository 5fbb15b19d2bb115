"""Merging, splitting and linking cases, and undoing it to the byte."""
