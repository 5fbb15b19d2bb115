"""Texts that a language model writes for people of the desk, when the house has connected one; they never leave by themselves."""
