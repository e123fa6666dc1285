"""The status that a server really sent, kept from being lost.

When a server ends a call while its client still writes, `grpc.aio` replaces the server's status by "Internal error from
Core" as soon as the write fails; sometimes the failure comes first and the status a little later. Either way a caller
would take a refusal, such as a blocked answer, for a defect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import grpc

_CORE = "Internal error from Core"
_ATTEMPTS = 100
_PAUSE = 0.002


class Truth:
    """Listens for the end of one call. It knows the call only while it is asked, so that the call can be dropped."""

    __slots__ = ("code", "details", "trailing")

    def __init__(self, call: Any) -> None:  # noqa: ANN401 (one of grpc's calls)
        self.code: grpc.StatusCode | None = None
        self.details = ""
        self.trailing = grpc.aio.Metadata()
        call.add_done_callback(self._ended)

    async def settle(self, call: Any) -> None:  # noqa: ANN401 (see above)
        """Wait for the end, and for the server's own status where gRPC has put another before it."""
        for _ in range(_ATTEMPTS):
            await call.code()
            if self.code is None:
                self._ended(call)
            if self.code is not None:
                return
            await asyncio.sleep(_PAUSE)
        self._take(call)

    async def error(self, call: Any, error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError | None:  # noqa: ANN401 (see above)
        """What the server said, in place of what gRPC made of it. None: it ended the call well."""
        if error.details() != _CORE:
            return error
        await self.settle(call)
        if self.code is grpc.StatusCode.OK:
            return None
        return grpc.aio.AioRpcError(self.code or error.code(), await call.initial_metadata(), self.trailing, details=self.details)

    def _ended(self, call: Any) -> None:  # noqa: ANN401 (see above)
        if self.code is None and _now(call.details()) != _CORE:
            self._take(call)

    def _take(self, call: Any) -> None:  # noqa: ANN401 (see above)
        self.code, self.details, self.trailing = _now(call.code()), _now(call.details()), _now(call.trailing_metadata())


def _now(coroutine: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 (whatever it returns)
    """The result of a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        return finished.value
    coroutine.close()
    return None
