"""Traces cross every hop, cost nothing when off, and hold no content."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from llm_mesh_runtime.context import FRAME, Frame
from llm_mesh_runtime.errors import not_found
from llm_mesh_runtime.settings import load_mesh
from llm_mesh_runtime.telemetry import Telemetry, outbound, span, trace_id
from llm_mesh_runtime.telemetry.rpc import MethodObserver
from tests.observed import Method, observer_of

PARENT = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def observer(exporter: InMemorySpanExporter) -> Iterator[MethodObserver]:
    with observer_of("policy", "/llm_mesh.policy.v1.PolicyService/Admit", exporter) as made:
        yield made


def spans(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {each.name: each for each in exporter.get_finished_spans()}


def test_without_a_tracer_a_span_is_nothing_and_the_callers_trace_passes_through() -> None:
    token = FRAME.set(Frame(request_id="r", metadata={"traceparent": PARENT, "tracestate": "v=1"}))
    with span("anything", {"a": 1}) as step:
        step.set("b", 2)
        step.event("c")
        step.fail("d")
        assert outbound() == (("traceparent", PARENT), ("tracestate", "v=1"))
        assert trace_id() == "a" * 32
    FRAME.reset(token)
    assert outbound() == ()
    assert not trace_id()


@pytest.mark.parametrize("forged", ["", "00-" + "0" * 32 + "-" + "b" * 16 + "-01", PARENT + "\r\nx: y", PARENT.upper(), "01-x"])
def test_a_malformed_trace_context_goes_no_further(forged: str) -> None:
    token = FRAME.set(Frame(request_id="r", metadata={"traceparent": forged}))
    assert outbound() == ()
    FRAME.reset(token)


def test_a_call_continues_the_trace_that_it_arrived_with(observer: MethodObserver, exporter: InMemorySpanExporter) -> None:
    frame = Frame(request_id="r-1", metadata={"traceparent": PARENT, "tracestate": "v=1"})
    token = observer.begin(frame)
    carried = dict(outbound())
    with span("screen", {"llm_mesh.findings": 2}):
        assert dict(outbound())["traceparent"] != carried["traceparent"]
    observer.end(token, "OK", 0.1)
    assert outbound() == ()
    served = spans(exporter)["llm_mesh.policy.v1.PolicyService/Admit"]
    assert served.context is not None
    assert f"{served.context.trace_id:032x}" == "a" * 32
    assert served.parent is not None
    assert f"{served.parent.span_id:016x}" == "b" * 16
    assert served.kind is SpanKind.SERVER
    assert carried == {"traceparent": f"00-{'a' * 32}-{served.context.span_id:016x}-01", "tracestate": "v=1"}
    step = spans(exporter)["screen"]
    assert step.parent is not None
    assert step.parent.span_id == served.context.span_id
    assert dict(served.attributes or {}) == {
        "rpc.system.name": "grpc",
        "rpc.method": "llm_mesh.policy.v1.PolicyService/Admit",
        "rpc.response.status_code": "OK",
        "llm_mesh.service": "policy",
        "llm_mesh.request.id": "r-1",
    }


def test_a_failed_step_tells_its_reason_and_not_its_text(observer: MethodObserver, exporter: InMemorySpanExporter) -> None:
    token = observer.begin(Frame(request_id="r"))
    with pytest.raises(Exception, match="private"), span("find"):
        raise not_found("private words")
    observer.end(token, "INTERNAL", 0.1)
    failed = spans(exporter)["find"]
    assert failed.status.status_code is StatusCode.ERROR
    assert (failed.attributes or {})["error.type"] == "NOT_FOUND"
    assert not failed.events
    assert "private" not in failed.to_json()
    assert spans(exporter)["llm_mesh.policy.v1.PolicyService/Admit"].status.status_code is StatusCode.ERROR


class Collector(trace_service_pb2_grpc.TraceServiceServicer, metrics_service_pb2_grpc.MetricsServiceServicer):
    """Stands where an OpenTelemetry collector would."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.points: dict[str, list[dict[str, str]]] = {}
        self.lock = threading.Lock()

    def Export(self, request: object, _context: object) -> object:
        with self.lock:
            if isinstance(request, trace_service_pb2.ExportTraceServiceRequest):
                for resource in request.resource_spans:
                    self.names |= {each.name for scope in resource.scope_spans for each in scope.spans}
                return trace_service_pb2.ExportTraceServiceResponse()
            assert isinstance(request, metrics_service_pb2.ExportMetricsServiceRequest)
            for measured in request.resource_metrics:
                for metric in (metric for scope in measured.scope_metrics for metric in scope.metrics):
                    self.points[metric.name] = [
                        {pair.key: pair.value.string_value for pair in point.attributes} | {"count": str(point.count)}
                        for point in metric.histogram.data_points
                    ]
            return metrics_service_pb2.ExportMetricsServiceResponse()


async def test_traces_and_metrics_arrive_at_a_collector() -> None:
    server, collector = grpc.server(futures.ThreadPoolExecutor(2)), Collector()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]  # generated without types
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]  # generated without types
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    mesh = load_mesh(environ={"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"})
    telemetry = Telemetry.open(mesh, service="policy", version="1", process=False)
    observer = telemetry.observer("policy").method(Method("/llm_mesh.policy.v1.PolicyService/Admit"))
    observer.end(observer.begin(Frame(request_id="r")), "OK", 0.02)
    await telemetry.close()
    server.stop(None).wait()
    assert collector.names == {"llm_mesh.policy.v1.PolicyService/Admit"}
    (point,) = collector.points["rpc.server.call.duration"]
    assert point == {
        "llm_mesh.service": "policy",
        "rpc.method": "llm_mesh.policy.v1.PolicyService/Admit",
        "rpc.response.status_code": "OK",
        "count": "1",
    }


def test_without_an_endpoint_nothing_of_the_sdk_is_imported() -> None:
    program = (
        "import sys; from llm_mesh_runtime.telemetry import Telemetry; from llm_mesh_runtime.settings import load_mesh;"
        "Telemetry.open(load_mesh(environ={}), service='policy').observer('policy');"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
