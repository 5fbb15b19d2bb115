"""Customers and the addresses by which they write; personal fields are encrypted."""
