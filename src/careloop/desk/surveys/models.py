"""Surveys, invitations, answers."""
