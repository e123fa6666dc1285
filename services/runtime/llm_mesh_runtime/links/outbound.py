"""What every call to a peer carries along: the request id, the trace, the time that is left, and who calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from llm_mesh_runtime.context import FRAME, REQUEST_ID

Metadata = tuple[tuple[str, str | bytes], ...]
_NONE: Metadata = ()


class Outbound:
    """The client side of the pipeline, for the calls of one service to one peer."""

    __slots__ = ("_identity", "_trace", "caller")

    def __init__(self, caller: str, *, trace: Callable[[], Metadata] | None = None, identity: Callable[[], Metadata] | None = None) -> None:
        self.caller = caller
        self._trace = trace
        self._identity = identity

    def carried(self, metadata: Iterable[tuple[str, str | bytes]] | None, timeout: float | None) -> tuple[Metadata, float | None]:
        """The metadata and deadline (monotonic seconds) of a call: the caller's own, and what the current handler's call implies."""
        deadline = None if timeout is None else time.monotonic() + timeout
        given: Metadata = _NONE if metadata is None else tuple((key, value) for key, value in metadata)
        frame = FRAME.get()
        if frame is not None:
            if frame.deadline is not None and (deadline is None or frame.deadline < deadline):
                deadline = frame.deadline
            if not given:
                given = ((REQUEST_ID, frame.request_id),)
            elif not any(key == REQUEST_ID for key, _ in given):
                given = (*given, (REQUEST_ID, frame.request_id))
        if self._trace is not None and (trace := self._trace()):
            given += trace
        if self._identity is not None:
            given += self._identity()
        return given, deadline
