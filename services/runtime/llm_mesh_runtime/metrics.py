"""Metrics with bounded labels: Prometheus text on `/metrics`, and the source of what is sent to OTLP.

An instrument is declared by its OpenTelemetry name and unit; the Prometheus name follows from them by OpenTelemetry's rules
for compatibility (https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/). One registry belongs
to one host, which hands it to whoever measures. Bind labels once and keep what `labels` answers: that costs 1 µs per event.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar, cast

import prometheus_client
from prometheus_client import CollectorRegistry, exposition
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric as MetricFamily

M = TypeVar("M", bound=MetricWrapperBase)

OTHER = "other"
MOST_VALUES = 200
CONTENT_TYPE = exposition.CONTENT_TYPE_LATEST

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)
"""Bounds of durations, from a local call to a long completion."""

TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576)
"""Bounds of token counts, as the GenAI conventions advise, up to the largest context windows."""

_UNITS = {"s": "seconds", "By": "bytes", "1": "ratio", "ms": "milliseconds"}


class Instrument(Generic[M]):
    """One metric. A label takes at most `MOST_VALUES` values; what comes later is counted as `other`."""

    def __init__(self, metric: M, name: str, unit: str, labels: Sequence[str]) -> None:
        self.metric = metric
        self.name = name
        self.unit = unit
        self.label_names = tuple(labels)
        self.full_names = {_plain(label): label for label in labels}
        self._seen: tuple[set[str], ...] = tuple(set() for _ in labels)
        self._bound: dict[tuple[str, ...], M] = {}
        self._lock = threading.Lock()

    def labels(self, *values: str) -> M:
        """The series of these label values, in the order of declaration."""
        bound = self._bound.get(values)
        return bound if bound is not None else self._bind(values)

    def _bind(self, values: tuple[str, ...]) -> M:
        if len(values) != len(self.label_names):
            raise ValueError(f"{self.name} takes the labels {self.label_names}")
        with self._lock:
            kept = tuple(self._bounded(seen, value) for seen, value in zip(self._seen, values, strict=True))
            bound = self.metric.labels(*kept) if kept else self.metric
            if kept == values:  # strangers' values are not remembered: they may be endless
                self._bound[values] = bound
            return bound

    def _bounded(self, seen: set[str], value: str) -> str:
        if value in seen or value == OTHER:
            return value
        if len(seen) >= MOST_VALUES:
            return OTHER
        seen.add(value)
        return value


Counter = Instrument[prometheus_client.Counter]
Gauge = Instrument[prometheus_client.Gauge]
Histogram = Instrument[prometheus_client.Histogram]


class Metrics:
    """The metrics of one host. Declaring an instrument again gives the same one, so services of a kind share it."""

    def __init__(self, *, process: bool = False) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._instruments: dict[str, Instrument[MetricWrapperBase]] = {}
        self._lock = threading.Lock()
        if process:
            prometheus_client.ProcessCollector(registry=self.registry)
            prometheus_client.GCCollector(registry=self.registry)

    def counter(self, name: str, help: str, labels: Sequence[str] = (), *, unit: str = "") -> Counter:  # noqa: A002
        """What only grows."""
        return cast("Counter", self._declare(prometheus_client.Counter, name, help, labels, unit))

    def gauge(self, name: str, help: str, labels: Sequence[str] = (), *, unit: str = "") -> Gauge:  # noqa: A002
        """What rises and falls."""
        return cast("Gauge", self._declare(prometheus_client.Gauge, name, help, labels, unit))

    def histogram(
        self,
        name: str,
        help: str,  # noqa: A002
        labels: Sequence[str] = (),
        *,
        unit: str = "s",
        buckets: Iterable[float] = SECONDS,
    ) -> Histogram:
        """How something is distributed."""
        return cast("Histogram", self._declare(prometheus_client.Histogram, name, help, labels, unit, buckets=tuple(buckets)))

    def watch(self, name: str, help: str, value: Callable[[], float], **labels: str) -> None:  # noqa: A002
        """A gauge that is asked for its value when somebody reads the metrics."""
        self.gauge(name, help, tuple(labels)).labels(*labels.values()).set_function(value)

    def render(self) -> bytes:
        """All metrics in Prometheus' text format; its media type is `CONTENT_TYPE`."""
        return exposition.generate_latest(cast("CollectorRegistry", self))

    def collect(self) -> Iterable[MetricFamily]:
        """All families with their present samples, without the creation times that would add a series to each other one."""
        for family in self.registry.collect():
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family

    def instruments(self) -> dict[str, Instrument[MetricWrapperBase]]:
        """The declared instruments by the name of their Prometheus family."""
        with self._lock:
            return dict(self._instruments)

    def _declare(
        self, kind: type[MetricWrapperBase], name: str, text: str, labels: Sequence[str], unit: str, **options: object
    ) -> Instrument[MetricWrapperBase]:
        family = _family(name, unit)
        with self._lock:
            known = self._instruments.get(family)
            if known is None:
                metric = kind(family, text, [_plain(label) for label in labels], registry=self.registry, **options)  # type: ignore[arg-type]  # buckets
                known = self._instruments[family] = Instrument(metric, name, unit, labels)
            elif type(known.metric) is not kind or known.label_names != tuple(labels):
                raise ValueError(f"{name} is already declared otherwise")
            return known


def _plain(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)


def _family(name: str, unit: str) -> str:
    plain = _plain(name)
    suffix = _UNITS.get(unit, "" if unit.startswith("{") else _plain(unit))
    return plain if not suffix or plain.endswith(f"_{suffix}") else f"{plain}_{suffix}"
