"""Full-text search that finds two-character Chinese words, English words, numbers and names, on SQLite and PostgreSQL alike."""
