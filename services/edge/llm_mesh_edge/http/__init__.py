"""The HTTP room: raw ASGI, since every request passes through it."""
