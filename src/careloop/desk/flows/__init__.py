"""Workflows as data: states, transitions, who may take them and what they need. Which case stands where lives in `cases`."""
