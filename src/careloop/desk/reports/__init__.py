"""Reports: dashboards of tiles, what is mailed on a schedule."""
