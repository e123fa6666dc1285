"""The answer of one call, or of several that belong together."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import grpc

from llm_mesh_adapter_kit.http import BrokenError
from llm_mesh_adapter_kit.rpc.framing import MEDIA_TYPE, RpcStatus, framed, framed_status
from llm_mesh_adapter_kit.rpc.statuses import http_status

_BROKEN = (
    "Socket closed",
    "Connection reset",
    "Broken pipe",
    "recvmsg",
    "failed to connect",
    "GOAWAY",
    "keepalive",
    "Cancelling all calls",
)
_OK = 200
_FIELDS: Mapping[str, str] = {"content-type": MEDIA_TYPE}


class RpcCall:
    """A call under way."""

    def __init__(self, call: Any, abandoned: Callable[[], None]) -> None:  # noqa: ANN401 (a call of gRPC)
        self._call = call
        self._abandoned = abandoned
        self.over = False

    async def read(self, deadline: float = math.inf) -> bytes | RpcStatus | None:
        """The next message; how the call failed; None at a good end. Raises `BrokenError`, and `TimeoutError` at the deadline."""
        left = deadline - time.monotonic()
        if left < 0:
            raise TimeoutError
        try:
            async with asyncio.timeout(left if left < math.inf else None):
                message = await self._call.read()
        except grpc.aio.AioRpcError as error:
            self.over = True
            return _failed(error)
        if message is grpc.aio.EOF:
            self.over = True
            return None
        return bytes(message)

    def close(self) -> None:
        """Cancels the call, unless it is over: then nobody has to be told."""
        if not self.over:
            self.over = True
            self._call.cancel()
            self._abandoned()


def _failed(error: grpc.aio.AioRpcError) -> RpcStatus:
    details = error.details() or ""
    if error.code() is grpc.StatusCode.UNAVAILABLE and any(each in details for each in _BROKEN):
        raise BrokenError("UNAVAILABLE") from None
    return RpcStatus(int(error.code().value[0]), details)


class RpcAnswer:
    """Implements `HttpAnswer`. `first` is what came first: a message, the failure of the call, or None where it ended without either."""

    __slots__ = ("_call", "_fields", "_next", "status")

    def __init__(self, first: bytes | RpcStatus | None, call: RpcCall | None) -> None:
        failed = isinstance(first, RpcStatus)
        self.status = http_status(first.code) if isinstance(first, RpcStatus) else _OK
        self._fields = {**_FIELDS, "grpc-status": str(first.code)} if isinstance(first, RpcStatus) else _FIELDS
        self._next: bytes = b"" if first is None else _bytes_of(first)
        self._call = None if failed else call

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
        return not self._next and (self._call is None or self._call.over)

    def at_once(self) -> bytes | None:
        """See `HttpAnswer`."""
        if self._call is not None and not self._call.over:
            return None
        rest, self._next = self._next, b""
        return rest

    async def read(self, deadline: float = math.inf) -> bytes:
        """See `HttpAnswer`."""
        if self._next:
            held, self._next = self._next, b""
            return held
        if self._call is None or self._call.over:
            return b""
        read = await self._call.read(deadline)
        return b"" if read is None else _bytes_of(read)

    def close(self) -> None:
        """See `HttpAnswer`."""
        if self._call is not None:
            self._call.close()


def _bytes_of(read: bytes | RpcStatus) -> bytes:
    return framed_status(read) if isinstance(read, RpcStatus) else framed(read)
