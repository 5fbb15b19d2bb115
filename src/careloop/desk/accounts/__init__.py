"""Who and what may speak to the desk: people with roles in teams, channels, API keys."""
