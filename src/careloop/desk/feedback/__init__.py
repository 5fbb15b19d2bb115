"""Feedback: reviews and survey answers with their rating."""
