"""Settings, URL table and the WSGI and ASGI entry points; nothing else."""
