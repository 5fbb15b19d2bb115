"""What developers run: a throw-away PostgreSQL, lock files, translations. Not part of the package."""
