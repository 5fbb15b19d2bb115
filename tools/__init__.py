"""What developers run: a throw-away PostgreSQL, lock files, translations, a browser. Not part of the package."""
