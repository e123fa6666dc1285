"""What a handler knows about the call that it serves: who calls, the request id, the time left.

One context variable holds one `Frame` per call. Links read it to pass request id, trace and deadline on to the next hop;
nothing else crosses from a caller to a handler.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from llm_mesh.mesh.v1 import resources_pb2
    from llm_mesh.policy.v1 import admission_pb2
    from llm_mesh_runtime.shares import Party

REQUEST_ID = "x-request-id"
DECISION = "llm-mesh-decision"
"""The trailing metadata that has the id of the routing decision."""
_MAX_REQUEST_ID = 128


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls the handler: a key that policy vouched for, a service of the mesh, or nobody in particular."""

    kind: Literal["key", "service", "anonymous"]
    service: str = ""
    principal: str = ""
    domain: str = ""
    project: str = ""
    key: str = ""
    revision: int = 0
    message: admission_pb2.Caller | None = None
    """The same as policy's message; None for services."""
    sealed: resources_pb2.Sealed | None = None
    """What `Admit` wants: the caller, sealed for policy."""
    party: Party | None = None
    """Who shares bounds with others; None for services, which work for everybody."""

    @property
    def authorization(self) -> bytes:
        """The sealed caller, serialised; empty for services."""
        return self.sealed.SerializeToString() if self.sealed is not None else b""


ANONYMOUS = Caller("anonymous")


class Frame:
    """One call being served. `deadline` is in `time.monotonic` seconds.

    The link makes it, with what it vouches for: the metadata that may be believed, and which service of the mesh calls. The
    pipeline adds the rest.
    """

    __slots__ = ("caller", "calling", "deadline", "metadata", "method", "request_id", "service")

    def __init__(
        self,
        request_id: str,
        deadline: float | None = None,
        caller: Caller = ANONYMOUS,
        service: str = "",
        metadata: Mapping[str, str | bytes] | None = None,
        calling: str = "",
    ) -> None:
        self.request_id = request_id
        self.deadline = deadline
        self.caller = caller
        self.service = service
        self.method = ""
        self.metadata = metadata if metadata is not None else {}
        self.calling = calling
        """The service of the mesh that calls; empty for everybody else. `service` is the one that is called."""

    def detached(self) -> Frame:
        """The same call without its deadline: for work that must end even though the caller's time is up."""
        frame = Frame(self.request_id, None, self.caller, self.service, self.metadata, self.calling)
        frame.method = self.method
        return frame


FRAME: ContextVar[Frame | None] = ContextVar("llm_mesh_frame", default=None)


def caller() -> Caller:
    """Who calls the current handler; anonymous outside of one."""
    frame = FRAME.get()
    return frame.caller if frame is not None else ANONYMOUS


def request_id() -> str:
    """The current request's id; empty outside of a call."""
    frame = FRAME.get()
    return frame.request_id if frame is not None else ""


def metadata() -> Mapping[str, str | bytes]:
    """The call's metadata, without the mesh's own keys where it came from outside."""
    frame = FRAME.get()
    return frame.metadata if frame is not None else {}


def deadline_remaining() -> float | None:
    """Seconds until the current call's deadline, at least 0; None where there is none."""
    frame = FRAME.get()
    if frame is None or frame.deadline is None:
        return None
    return max(0.0, frame.deadline - time.monotonic())


def new_request_id() -> str:
    """A fresh request id: 32 hexadecimal digits, of which twelve are milliseconds, so that an index of ids grows at its end.

    It correlates and guards nothing, so its 80 random bits need not come from the system.
    """
    return f"{time.time_ns() // 1_000_000 << 80 | random.getrandbits(80):032x}"


def accepted_request_id(value: str | bytes | None) -> str:
    """The id that a caller gave where it is printable ASCII of at most 128 characters, else a fresh one."""
    if isinstance(value, str) and 0 < len(value) <= _MAX_REQUEST_ID and value.isascii() and value.isprintable():
        return value
    return new_request_id()


@contextmanager
def scope(*, request_id: str = "", timeout: float | None = None) -> Iterator[Frame]:
    """Begin a call chain outside of a gRPC handler: an HTTP request, a background task."""
    deadline = None if timeout is None else time.monotonic() + timeout
    frame = Frame(request_id=accepted_request_id(request_id), deadline=deadline)
    token = FRAME.set(frame)
    try:
        yield frame
    finally:
        FRAME.reset(token)
