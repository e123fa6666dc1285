"""HTTP to providers over httpcore2: proxies, HTTP/2, client certificates and own authorities. An optional part of the kit.

What it does and leaves undone on purpose: `docs/adr/0049-a-second-http-client.md`.
"""
