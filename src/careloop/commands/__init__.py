"""Subcommands of `careloop` that have a module of their own."""
