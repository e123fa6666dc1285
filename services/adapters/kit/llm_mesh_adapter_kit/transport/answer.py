"""One answer over httpcore2. Its connection serves one request at a time, so that who stops reading holds up nobody."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Protocol, cast

from httpcore2 import Response

from llm_mesh_adapter_kit.client.inflating import inflation
from llm_mesh_adapter_kit.http import BrokenError


class ServingConnection(Protocol):
    """The connection that an answer comes over."""

    def progress(self) -> None:
        """The answer got on."""

    async def finished(self, response: Response) -> None:
        """The answer is whole: the connection may serve again."""

    def drop(self, pieces: AsyncGenerator[bytes] | None = None) -> None:
        """Close at once. `pieces` are read no more."""


class LibraryAnswer:
    """Implements `HttpAnswer`."""

    __slots__ = ("_connection", "_fields", "_inflation", "_packed", "_pieces", "_reading", "_response", "_whole", "status")

    def __init__(self, connection: ServingConnection, response: Response) -> None:
        self._connection: ServingConnection | None = connection
        self._response = response
        self._pieces = cast("AsyncGenerator[bytes]", aiter(response.stream))  # type: ignore[arg-type]
        self._reading = False
        self._whole = False
        self._packed = b""
        self.status: int = response.status
        self._fields = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        encoding = self._fields.get("content-encoding", "")
        self._inflation = inflation(encoding.encode("latin-1"))

    @property
    def headers(self) -> Mapping[str, str]:
        """See `HttpAnswer`."""
        return self._fields

    def header(self, name: str) -> str:
        """See `HttpAnswer`."""
        return self._fields.get(name, "")

    @property
    def over(self) -> bool:
        """See `HttpAnswer`."""
        return self._whole and self._inflation is None

    def at_once(self) -> bytes | None:
        """See `HttpAnswer`; the library says that an answer is whole when it is asked for more."""
        return b"" if self.over else None

    async def read(self, deadline: float = math.inf) -> bytes:
        """See `HttpAnswer`."""
        while True:
            data = self._packed or (b"" if self._whole else await self._next(deadline))
            if not data:
                if self._inflation is not None and not self._inflation.whole:
                    raise BrokenError("the packed body ended before its end")
                return b""
            if self._inflation is None:
                return data
            data, self._packed = self._inflation.feed(data)
            if self._packed:  # nothing is waited for, and few bytes can hold many: others have their turn between two pieces
                await asyncio.sleep(0)
            if data:
                return data

    def close(self) -> None:
        """See `HttpAnswer`."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.drop(None if self._reading else self._pieces)

    async def _filled_piece(self, connection: ServingConnection) -> bytes:
        """The next piece that holds something; empty at the body's end. A frame of HTTP/2 may be empty before it."""
        async for data in self._pieces:
            connection.progress()
            if data:
                return data
        return b""

    async def _next(self, deadline: float) -> bytes:
        """The next piece of the body; empty at its end."""
        connection = self._connection
        if connection is None:
            raise BrokenError("the answer was closed")
        left = deadline - time.monotonic()
        if left < 0:
            raise TimeoutError
        self._reading = True
        try:
            async with asyncio.timeout(left if left < math.inf else None):
                data = await self._filled_piece(connection)
            if not data:
                self._whole, self._connection = True, None
                await connection.finished(self._response)
        except TimeoutError:
            connection.drop()
            raise
        except Exception as error:  # noqa: BLE001 - whatever the library makes of what came, the answer is broken
            connection.drop()
            raise BrokenError(type(error).__name__) from None
        finally:
            self._reading = False
        return data
