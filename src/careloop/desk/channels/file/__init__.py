"""Files: each row of a table is a message or a review."""
