"""HTTP/1.1 to providers: one pool of connections per endpoint, on asyncio's transports and llhttp.

What it does and leaves undone on purpose: `docs/adr/0009-own-http-client.md`.
"""
