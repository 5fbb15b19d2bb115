"""One change for many cases: what it would do, doing it, and taking it back."""
