"""What people are told inside the desk: one row a person and thing, read or unread."""
