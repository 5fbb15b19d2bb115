"""Who should work on what: plain Python and NumPy, no rows, no clock."""
