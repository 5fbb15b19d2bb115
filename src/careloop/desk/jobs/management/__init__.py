"""Commands of `careloop manage` about jobs."""
