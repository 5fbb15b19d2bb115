"""Rules (when, if, then) and macros; each change they make names them in the history of the case."""
