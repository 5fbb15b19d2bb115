"""Facts of cases, answers and work; each row says from when until when it was what is known."""
