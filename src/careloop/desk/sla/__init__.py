"""Service levels: calendars, targets, and the arithmetic of deadlines. Which case runs against which clock lives in `cases`."""
