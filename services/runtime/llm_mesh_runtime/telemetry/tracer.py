"""Spans by OpenTelemetry's SDK. Only imported where traces are wanted."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Token
from types import TracebackType
from typing import Any, Self

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.telemetry.semantics import ERROR_TYPE
from llm_mesh_runtime.telemetry.trace import CURRENT, TRACEPARENT, TRACESTATE, carried_by

_NAME = "llm_mesh"


class ActiveSpan:
    """A span that is current while its `with` block runs. It ends with the block, whatever ends that."""

    __slots__ = ("_context", "_span", "_token", "_tracer")

    def __init__(self, tracer: trace.Tracer, span: trace.Span) -> None:
        self._tracer = tracer
        self._span = span
        self._context: Context | None = None
        self._token: Token[ActiveSpan | None] | None = None

    @property
    def trace_id(self) -> str:
        """The trace's id in 32 hexadecimal digits."""
        return f"{self._span.get_span_context().trace_id:032x}"

    def __enter__(self) -> Self:
        self._token = CURRENT.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._token is not None:
            CURRENT.reset(self._token)
        if error is not None:
            self.fail(error.reason_name if isinstance(error, MeshError) else type(error).__qualname__)
        self._span.end()

    def child(self, name: str, attributes: Mapping[str, Any] | None, *, client: bool) -> ActiveSpan:
        """A step inside of this one."""
        if self._context is None:
            self._context = trace.set_span_in_context(self._span, Context())
        kind = SpanKind.CLIENT if client else SpanKind.INTERNAL
        return ActiveSpan(self._tracer, self._tracer.start_span(name, self._context, kind, attributes))

    def set(self, name: str, value: Any) -> None:  # noqa: ANN401 (as OpenTelemetry has it)
        """Adds an attribute."""
        self._span.set_attribute(name, value)

    def event(self, name: str, **attributes: Any) -> None:  # noqa: ANN401
        """Marks a moment."""
        self._span.add_event(name, attributes)

    def fail(self, error_type: str) -> None:
        """Marks the span as failed. No exception is recorded: its text may hold content."""
        self._span.set_attribute(ERROR_TYPE, error_type)
        self._span.set_status(Status(StatusCode.ERROR))

    def carried(self) -> tuple[tuple[str, str], ...]:
        """The span as W3C trace context."""
        context = self._span.get_span_context()
        parent = (TRACEPARENT, f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}")
        return (parent, (TRACESTATE, context.trace_state.to_header())) if context.trace_state else (parent,)


class Tracing:
    """Begins the spans that have no parent in this process."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(_NAME)

    def server(self, name: str, metadata: Mapping[str, str | bytes], attributes: Mapping[str, Any]) -> ActiveSpan:
        """The span of a call that arrived; continues the caller's trace where the metadata carries one."""
        parent = _parent(metadata)
        return ActiveSpan(self._tracer, self._tracer.start_span(name, parent, SpanKind.SERVER, attributes))

    def close(self) -> None:
        """Sends what is left, for a few seconds at most."""
        self._provider.force_flush(3_000)
        self._provider.shutdown()


def _parent(metadata: Mapping[str, str | bytes]) -> Context:
    carried = dict(carried_by(metadata))
    if not carried:
        return Context()
    _, trace_id, span_id, flags = carried[TRACEPARENT].split("-")
    state = TraceState.from_header([carried[TRACESTATE]]) if TRACESTATE in carried else None
    remote = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16) & 1), trace_state=state)
    return trace.set_span_in_context(NonRecordingSpan(remote), Context())
