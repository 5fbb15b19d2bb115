"""Cases, their messages and their events: what was said, who works on it, what happened when."""
