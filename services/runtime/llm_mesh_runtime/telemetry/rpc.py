"""What is measured of every call that a service serves: how long, how it ended, how many run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from llm_mesh_runtime.metrics import Metrics
from llm_mesh_runtime.telemetry.semantics import RPC_METHOD, RPC_SERVER_DURATION, RPC_STATUS, RPC_SYSTEM

if TYPE_CHECKING:
    from llm_mesh_runtime.series import Gauge, Histogram
    from llm_mesh_runtime.telemetry.tracer import ActiveSpan, Tracing

# The codes that mean trouble on the server's side; the others are answers that a caller caused.
_TROUBLE = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})
_SERVICE = "llm_mesh.service"


class Called(Protocol):
    """The part of a method that is measured."""

    @property
    def path(self) -> str:
        """The canonical path, `/package.Service/Method`."""


class Arrived(Protocol):
    """The part of a call that is measured."""

    @property
    def request_id(self) -> str:
        """The id that logs know the call by."""

    @property
    def metadata(self) -> Mapping[str, str | bytes]:
        """What arrived with the call."""


class _Method(NamedTuple):
    name: str
    attributes: dict[str, Any]
    in_flight: Gauge
    durations: dict[str, Histogram]


class RpcObserver:
    """Sees each call of one service begin and end. Everything is bound per method, so that an event costs about 1 µs."""

    def __init__(self, service: str, metrics: Metrics, tracing: Tracing | None = None) -> None:
        self._service = service
        self._tracing = tracing
        self._methods: dict[str, _Method] = {}
        self._durations = metrics.histogram(
            RPC_SERVER_DURATION, "Duration of calls served, by method and status.", (_SERVICE, RPC_METHOD, RPC_STATUS)
        )
        self._in_flight = metrics.gauge("llm_mesh.rpc.in_flight", "Calls being served, open streams included.", (_SERVICE, RPC_METHOD))

    def begin(self, method: Called, frame: Arrived) -> ActiveSpan | None:
        """A call has arrived. What comes back belongs to `end`."""
        bound = self._methods.get(method.path) or self._bind(method.path)
        bound.in_flight.inc()
        if self._tracing is None:
            return None
        span = self._tracing.server(bound.name, frame.metadata, bound.attributes)
        span.set("llm_mesh.request.id", frame.request_id)
        return span.__enter__()

    def end(self, token: object, method: Called, code: str, seconds: float) -> None:
        """The call has ended with the name of a gRPC status code."""
        bound = self._methods.get(method.path) or self._bind(method.path)
        bound.in_flight.dec()
        duration = bound.durations.get(code)
        if duration is None:
            duration = bound.durations[code] = self._durations.labels(self._service, bound.name, code)
        duration.observe(seconds)
        if token is not None:
            span: ActiveSpan = token  # type: ignore[assignment]  # what begin gave
            span.set(RPC_STATUS, code)
            if code in _TROUBLE:
                span.fail(code)
            span.__exit__(None, None, None)

    def _bind(self, path: str) -> _Method:
        name = path.removeprefix("/")
        attributes = {RPC_SYSTEM: "grpc", RPC_METHOD: name, _SERVICE: self._service}
        bound = _Method(name, attributes, self._in_flight.labels(self._service, name), {})
        self._methods[path] = bound
        return bound
