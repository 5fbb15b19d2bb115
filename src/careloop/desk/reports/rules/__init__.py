"""What stands on which report, as data."""
