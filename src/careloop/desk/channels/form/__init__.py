"""The public web form."""
