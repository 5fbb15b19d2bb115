"""Commands of `careloop manage` about figures."""
