"""Careloop: customer service and feedback, read, solved, repaired and measured."""

__version__ = "0.1.0"
