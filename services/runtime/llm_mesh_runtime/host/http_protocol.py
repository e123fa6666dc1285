"""How uvicorn reads a connection, with what it leaves out: trailers that are no headers, and an end to slow heads.

uvicorn with httptools appends the trailers of a chunked body to the headers, where a stranger behind a trusting proxy could add
headers that nobody checked; and it waits for ever for a head that does not come.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_PATIENCE = 20.0


class Protocol(HttpToolsProtocol):
    """One connection."""

    _head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's transport
        """The head of the first request is awaited."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._forget_head()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        if self._head is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """The head is whole: what follows the body is put aside."""
        self._forget_head()
        super().on_headers_complete()
        self.headers = []

    def _await_head(self) -> None:
        self._head = self.loop.call_later(HEAD_PATIENCE, self._end)

    def _forget_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _end(self) -> None:
        self._head = None
        if not self.transport.is_closing():
            self.transport.close()
