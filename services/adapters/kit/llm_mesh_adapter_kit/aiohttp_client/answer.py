"""One answer of the library, as the port has it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping

import aiohttp

from llm_mesh_adapter_kit.client.inflating import inflation
from llm_mesh_adapter_kit.http import READ_AHEAD, BrokenError

_NEVER = 10_000_000.0


class LibraryAnswer:
    """`HttpAnswer`."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._inflation = inflation(response.headers.get("content-encoding", "").encode("latin-1", "replace"))
        self._packed = b""
        self._error: Exception | None = None
        self.status = response.status

    @property
    def headers(self) -> Mapping[str, str]:
        """All headers, by lower-case name."""
        return {name.lower(): value for name, value in self._response.headers.items()}

    def header(self, name: str) -> str:
        """One header; the last of that name."""
        values = self._response.headers.getall(name, ())
        return values[-1] if values else ""

    @property
    def over(self) -> bool:
        """See `HttpAnswer`."""
        return self._error is None and self._inflation is None and self._response.content.at_eof()

    def at_once(self) -> bytes | None:
        """See `HttpAnswer`: the library does not tell."""
        return None

    async def read(self, deadline: float = math.inf) -> bytes:
        """See `HttpAnswer`."""
        if self._error is not None:
            raise self._error
        try:
            async with asyncio.timeout(max(0.0, min(deadline - time.monotonic(), _NEVER))):
                return await self._piece()
        except (TimeoutError, BrokenError) as error:
            self._fail(error)
            raise
        except (aiohttp.ClientError, aiohttp.http_exceptions.HttpProcessingError) as error:
            failure = broken(error)
            self._fail(failure)
            raise failure from None
        except asyncio.CancelledError:
            self.close()
            raise

    def close(self) -> None:
        """See `HttpAnswer`."""
        if self._error is None and not self._response.content.at_eof():
            self._error = BrokenError("the answer was closed")
        self._response.close()

    async def _piece(self) -> bytes:
        if self._inflation is None:
            return await self._response.content.read(READ_AHEAD)
        while True:
            if self._packed:
                await asyncio.sleep(0)  # few bytes can hold many: others have their turn between two pieces
                packed = self._packed
            elif not (packed := await self._response.content.read(READ_AHEAD)):
                if not self._inflation.whole:
                    raise BrokenError("the packed body ended before its end")
                return b""
            data, self._packed = self._inflation.feed(packed)
            if data:
                return data

    def _fail(self, error: Exception) -> None:
        self._error = error
        self._response.close()


def broken(error: Exception) -> BrokenError:
    """A failure of the library once a connection stood. What it says of it may hold what came, so only its kind is told."""
    return BrokenError(type(error).__name__)
