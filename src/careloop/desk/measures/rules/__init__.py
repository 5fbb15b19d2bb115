"""Arithmetic of figures in plain Python: what a case's events come to, what is measured, how sums become values with intervals."""
