"""Surveys: questions, invitations through the customer's channel, answers."""
