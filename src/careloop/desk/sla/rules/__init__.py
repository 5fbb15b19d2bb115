"""The arithmetic of deadlines: plain Python and NumPy; no rows, no clock of its own.

`hours` says when a house works, `holiday_years` which days a country takes off or makes up for, `working_time` measures and adds working
time, `clocks` turns what happened to a case into its deadlines.
"""
