"""The API: programs deliver messages as JSON and fetch replies."""
