"""Imports: files of reviews or messages, looked at, checked and brought through the front door, row by row."""
