"""Commands of `careloop manage` about people."""
