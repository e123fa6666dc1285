"""The HTTP listener: accepts connections, bounds what strangers hold, asks a service about each head, and serves its ASGI application."""
