"""Commands of `careloop manage` about sample data."""
