"""What every call to a peer carries along: the request id, the trace, the time that is left, and who calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from llm_mesh_runtime.context import ANONYMOUS, FRAME, REQUEST_ID, Frame, accepted_request_id, new_request_id

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
        sent: Metadata = _NONE if metadata is None else tuple((key, value) for key, value in metadata)
        frame = FRAME.get()
        if frame is not None:
            if frame.deadline is not None and (deadline is None or frame.deadline < deadline):
                deadline = frame.deadline
            if not sent:
                sent = ((REQUEST_ID, frame.request_id),)
            elif not any(key == REQUEST_ID for key, _ in sent):
                sent = (*sent, (REQUEST_ID, frame.request_id))
        if self._trace is not None and (trace := self._trace()):
            sent += trace
        if self._identity is not None:
            sent += self._identity()
        return sent, deadline

    def frame(self, metadata: Iterable[tuple[str, str | bytes]] | None, timeout: float | None) -> Frame:
        """The same for a callee in this process: what it will know of the call."""
        deadline = None if timeout is None else time.monotonic() + timeout
        current = FRAME.get()
        if current is not None and current.deadline is not None and (deadline is None or current.deadline < deadline):
            deadline = current.deadline
        carried: dict[str, str | bytes] = {} if metadata is None else dict(iter(metadata))
        request_id = ""
        if current is not None:
            carried.setdefault(REQUEST_ID, current.request_id)
            request_id = current.request_id
        if metadata is not None and REQUEST_ID in carried:  # what handlers pass on by themselves was checked where it came in
            request_id = carried[REQUEST_ID] = accepted_request_id(carried[REQUEST_ID])
        if self._trace is not None and (trace := self._trace()):
            carried.update(trace)
        if self._identity is not None:
            carried.update(self._identity())
        return Frame(request_id or new_request_id(), deadline, ANONYMOUS, "", carried, self.caller)
