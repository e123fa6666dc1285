"""Sending traces and metrics to a collector (https://opentelemetry.io/docs/specs/otlp/). Only imported where one is named.

Metrics are measured once, in the Prometheus registry, and converted when they are sent: a second set of instruments would
cost 7 µs per event.
"""

from __future__ import annotations

import importlib
import threading
import time
import uuid
from collections.abc import Iterable, Mapping

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExporter,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client.metrics_core import Metric as Family

from llm_mesh_runtime.settings import MeshSettings, SettingProblem, SettingsError
from llm_mesh_runtime.telemetry.metrics import Metrics
from llm_mesh_runtime.telemetry.semantics import SERVICE_INSTANCE, SERVICE_NAME, SERVICE_VERSION
from llm_mesh_runtime.telemetry.tracer import Tracing

_SECONDS_BETWEEN = 30.0
_LE = "le="
_SCOPE = InstrumentationScope("llm_mesh")


class Exports:
    """The exporters of one process, with their threads."""

    def __init__(self, mesh: MeshSettings, metrics: Metrics, *, service: str, version: str) -> None:
        described = {SERVICE_NAME: service, SERVICE_INSTANCE: str(uuid.uuid4())} | ({SERVICE_VERSION: version} if version else {})
        resource = Resource.create(described)
        spans, self._metric_exporter = _exporters(mesh)
        provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(mesh.trace_sample)), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(spans))
        self.tracing = Tracing(provider)
        self._reading = MetricSnapshot(metrics, resource)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send_regularly, name="otlp-metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Sends what is left; answers after a few seconds at most."""
        self._ended.set()
        self._thread.join(5.0)
        self.tracing.close()
        self._metric_exporter.shutdown(3_000)

    def _send_regularly(self) -> None:
        while not self._ended.wait(_SECONDS_BETWEEN):
            self._metric_exporter.export(self._reading.now())
        self._metric_exporter.export(self._reading.now())


class MetricSnapshot:
    """The registry's metrics as OTLP has them, cumulative since the start."""

    def __init__(self, metrics: Metrics, resource: Resource) -> None:
        self._metrics = metrics
        self._resource = resource
        self._began = time.time_ns()

    def now(self) -> MetricsData:
        """All instruments with their present values."""
        return MetricsData([ResourceMetrics(self._resource, [ScopeMetrics(_SCOPE, list(self._converted()), "")], "")])

    def _converted(self) -> Iterable[Metric]:
        instruments, moment = self._metrics.instruments(), time.time_ns()
        for family in self._metrics.collect():
            instrument = instruments.get(family.name)
            name, unit = (instrument.name, instrument.unit) if instrument else (family.name, "")
            data = self._data(family, instrument.full_names if instrument else {}, moment)
            if data.data_points:
                yield Metric(name, family.documentation, unit, data)

    def _data(self, family: Family, full_names: Mapping[str, str], moment: int) -> Sum | Gauge | Histogram:
        if family.type == "histogram":
            series = _grouped(family, full_names)
            return Histogram([self._histogram(*each, moment) for each in series], AggregationTemporality.CUMULATIVE)
        growing = family.type == "counter"
        points = [
            NumberDataPoint(_attributes(sample.labels, full_names), self._began, moment, sample.value)
            for sample in family.samples
            if not growing or sample.name.endswith("_total")
        ]
        return Sum(points, AggregationTemporality.CUMULATIVE, is_monotonic=True) if growing else Gauge(points)

    def _histogram(self, attributes: dict[str, str], values: Mapping[str, float], moment: int) -> HistogramDataPoint:
        """One series; Prometheus counts cumulatively over the buckets, OTLP each bucket for itself."""
        bounds = [key for key in values if key.startswith(_LE)]
        cumulative = [int(values[bound]) for bound in bounds]
        counts = [count - before for before, count in zip([0, *cumulative], cumulative, strict=False)]
        return HistogramDataPoint(
            attributes=attributes,
            start_time_unix_nano=self._began,
            time_unix_nano=moment,
            count=int(values["_count"]),
            sum=values["_sum"],
            bucket_counts=counts,
            explicit_bounds=[float(bound.removeprefix(_LE)) for bound in bounds if not bound.endswith("+Inf")],
            min=None,  # type: ignore[arg-type]  # optional in OTLP; Prometheus does not know it
            max=None,  # type: ignore[arg-type]  # likewise
        )


def _grouped(family: Family, full_names: Mapping[str, str]) -> Iterable[tuple[dict[str, str], dict[str, float]]]:
    """The samples of a histogram, by series: bucket bounds in their order, sum and count."""
    series: dict[tuple[tuple[str, str], ...], dict[str, float]] = {}
    for sample in family.samples:
        labels = {name: value for name, value in sample.labels.items() if name != "le"}
        values = series.setdefault(tuple(labels.items()), {})
        values[f"{_LE}{sample.labels['le']}" if "le" in sample.labels else sample.name.removeprefix(family.name)] = sample.value
    return [(_attributes(dict(labels), full_names), values) for labels, values in series.items()]


def _attributes(labels: Mapping[str, str], full_names: Mapping[str, str]) -> dict[str, str]:
    return {full_names.get(name, name): value for name, value in labels.items()}


def _exporters(mesh: MeshSettings) -> tuple[SpanExporter, MetricExporter]:
    endpoint = mesh.otlp_endpoint
    if mesh.otlp_protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc import metric_exporter, trace_exporter  # noqa: PLC0415 (one of two)

        return trace_exporter.OTLPSpanExporter(endpoint=endpoint), metric_exporter.OTLPMetricExporter(endpoint=endpoint)
    try:
        http = importlib.import_module("opentelemetry.exporter.otlp.proto.http")
        traces, metrics = (importlib.import_module(f"{http.__name__}.{name}_exporter") for name in ("trace", "metric"))
    except ImportError:
        raise SettingsError(
            [SettingProblem("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf needs the package opentelemetry-exporter-otlp-proto-http")]
        ) from None
    base = endpoint.rstrip("/")
    return traces.OTLPSpanExporter(endpoint=f"{base}/v1/traces"), metrics.OTLPMetricExporter(endpoint=f"{base}/v1/metrics")
