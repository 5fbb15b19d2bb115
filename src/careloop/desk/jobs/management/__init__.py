"""Commands of the work table."""
