"""The interface for programs under /api/v1: keys, messages in, replies out, cases, health."""
