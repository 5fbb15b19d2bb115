"""Comparing what is done: who is held out, who was exposed."""
