"""HTTP/1.1 to providers over aiohttp, for proxies: an extra of the distribution (`docs/adr/0036-ports-of-the-adapter-kit.md`)."""
