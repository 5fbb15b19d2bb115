"""Comparisons, who was assigned, who was exposed."""
