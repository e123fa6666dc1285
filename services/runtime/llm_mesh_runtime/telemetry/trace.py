"""The span that the current code runs in, and what of it travels to the next hop.

Without a tracer nothing here imports OpenTelemetry, `span` costs a fraction of a microsecond, and a trace that a caller began
still passes through to the peers and the provider (https://www.w3.org/TR/trace-context/).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from llm_mesh_runtime.context import FRAME

if TYPE_CHECKING:
    from llm_mesh_runtime.telemetry.tracer import ActiveSpan

TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"
_LONGEST_STATE = 512
_TRACEPARENT = re.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

CURRENT: ContextVar[ActiveSpan | None] = ContextVar("llm_mesh_span", default=None)


class Span(Protocol):
    """One step of a trace, for the length of a `with` block."""

    def __enter__(self) -> Self: ...
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

    def set(self, name: str, value: Any) -> None:  # noqa: ANN401 (text, numbers, truth values and sequences of them)
        """Adds an attribute. Never content."""

    def event(self, name: str, **attributes: Any) -> None:  # noqa: ANN401
        """Marks a moment."""

    def fail(self, error_type: str) -> None:
        """Marks the step as failed, by a short identifier such as an error reason."""


class _Nothing:
    """The span of code that nobody traces."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pass

    def set(self, name: str, value: Any) -> None:  # noqa: ANN401
        pass

    def event(self, name: str, **attributes: Any) -> None:  # noqa: ANN401
        pass

    def fail(self, error_type: str) -> None:
        pass


_NOTHING = _Nothing()


def span(name: str, attributes: Mapping[str, Any] | None = None, *, client: bool = False) -> Span:
    """A child of the current span; nothing where the current call is not traced. `client` marks calls that leave the mesh."""
    current = CURRENT.get()
    return _NOTHING if current is None else current.child(name, attributes, client=client)


def outbound() -> tuple[tuple[str, str], ...]:
    """The metadata (or HTTP headers) that continue the current trace at a peer or provider; empty where there is none."""
    current = CURRENT.get()
    if current is not None:
        return current.carried()
    frame = FRAME.get()
    return carried_by(frame.metadata) if frame is not None and TRACEPARENT in frame.metadata else ()


def carried_by(metadata: Mapping[str, str | bytes]) -> tuple[tuple[str, str], ...]:
    """The trace context of metadata that arrived, where it is well-formed."""
    parent = metadata.get(TRACEPARENT)
    if parent is None or not isinstance(parent, str) or not _TRACEPARENT.fullmatch(parent):
        return ()
    state = metadata.get(TRACESTATE)
    if isinstance(state, str) and 0 < len(state) <= _LONGEST_STATE and state.isascii() and state.isprintable():
        return ((TRACEPARENT, parent), (TRACESTATE, state))
    return ((TRACEPARENT, parent),)


def trace_id() -> str:
    """The id of the current trace in 32 hexadecimal digits; empty where there is none."""
    current = CURRENT.get()
    if current is not None:
        return current.trace_id
    frame = FRAME.get()
    carried = carried_by(frame.metadata) if frame is not None else ()
    return carried[0][1][3:35] if carried else ""
