"""The live stream under uvicorn; pages and API are served by config/wsgi.py."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careloop.desk.config.settings")
django.setup()

from careloop.desk.web.stream import Receive, Scope, Send, lifespan, refuse, stream  # noqa: E402


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """/stream, and nothing else."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "http" and scope["path"] == "/stream":
        await stream(scope, receive, send)
    elif scope["type"] == "http":
        await refuse(send, 404, "Only /stream is served here.", None)
    else:
        await send({"type": "websocket.close", "code": 1000})
