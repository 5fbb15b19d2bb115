"""What needs no database: variables and letters, machine-made mail, the threshold of automatic replies, what counts as used and helped."""
