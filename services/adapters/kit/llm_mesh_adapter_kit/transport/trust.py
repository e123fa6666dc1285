"""Who may be a server, and who we are to it: TLS contexts from files, which are read aside of the event loop.

Certificates are renewed by replacing their files, so these are looked at again for new connections.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import time

from llm_mesh_adapter_kit.http import UnreachableError
from llm_mesh_adapter_kit.transport.settings import TransportSettings

_LOOKED_AT_AGAIN = 10.0
_HTTP1 = "http/1.1"


class Trust:
    """The TLS context of one endpoint."""

    def __init__(self, transport: TransportSettings) -> None:
        self._transport = transport
        self._context: ssl.SSLContext | None = None
        self._versions: tuple[tuple[int, int], ...] = ()
        self._until = 0.0
        self._reading = asyncio.Lock()

    async def context(self) -> ssl.SSLContext:
        """The context by the files as they are. Raises `UnreachableError` where one cannot be read."""
        async with self._reading:
            if self._context is None or time.monotonic() > self._until:
                try:
                    self._context = await asyncio.to_thread(self._read, self._context)
                except ssl.SSLError as error:
                    why = getattr(error, "reason", "") or error.args[-1]
                    raise UnreachableError(f"its certificates cannot be used: {why}") from None
                except OSError as error:
                    raise UnreachableError(f"its certificates cannot be read: {error.strerror or error}") from None
                self._until = time.monotonic() + _LOOKED_AT_AGAIN
            return self._context

    def _read(self, known: ssl.SSLContext | None) -> ssl.SSLContext:
        transport = self._transport
        files = [path for path in (transport.authorities, transport.client_certificate, transport.client_key) if path]
        versions = tuple((status.st_mtime_ns, status.st_ino) for status in map(os.stat, files))
        if known is not None and versions == self._versions:
            return known
        context = ssl.create_default_context(cafile=transport.authorities or None)
        context.set_alpn_protocols(["h2", _HTTP1] if transport.http2 else [_HTTP1])
        if transport.client_certificate:
            context.load_cert_chain(transport.client_certificate, transport.client_key or None, _no_password)
        self._versions = versions
        return context


def _no_password() -> str:
    """OpenSSL would ask at the terminal, and wait."""
    raise ssl.SSLError("the private key is encrypted")
