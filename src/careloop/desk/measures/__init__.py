"""Figures: facts of cases, answers and work, definitions of measures, what they come to and came to earlier."""
