"""Dates and numbers where Django's own choice does not fit this desk, one package a language."""
