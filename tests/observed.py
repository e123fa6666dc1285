"""A method observer whose spans are kept, for tests of telemetry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from llm_mesh_runtime.telemetry import RpcObserver
from llm_mesh_runtime.telemetry.metrics import Metrics
from llm_mesh_runtime.telemetry.rpc import MethodObserver
from llm_mesh_runtime.telemetry.tracer import Tracing


class Method:
    """What an observer needs of a method."""

    def __init__(self, path: str) -> None:
        self.path = path


@contextmanager
def observer_of(service: str, path: str, exporter: InMemorySpanExporter) -> Iterator[MethodObserver]:
    """An observer of one method. Its spans go to the exporter."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing = Tracing(provider)
    yield RpcObserver(service, Metrics(), tracing).method(Method(path))
    tracing.close()
