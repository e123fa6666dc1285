"""Metrics with bounded labels: Prometheus text on `/metrics`, and the source of what is sent to OTLP.

An instrument is declared by its OpenTelemetry name and unit; the Prometheus name follows from them by OpenTelemetry's rules
for compatibility (https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/). One registry belongs
to one host, which hands it to whoever measures. Bind labels once and keep what `labels` answers: an event then costs 0.1 µs.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

import prometheus_client
from prometheus_client import CollectorRegistry, exposition
from prometheus_client.metrics_core import Metric as MetricFamily

from llm_mesh_runtime.telemetry import series

S = TypeVar("S", series.Counter, series.Gauge, series.Histogram)

OTHER = "other"
MOST_VALUES = 200
CONTENT_TYPE = exposition.CONTENT_TYPE_LATEST

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)
"""Bounds of durations, from a local call to a long completion."""

TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576)
"""Bounds of token counts, as the GenAI conventions advise, up to the largest context windows."""

_UNITS = {"s": "seconds", "By": "bytes", "1": "ratio", "ms": "milliseconds"}


class DeclaredInstrument(NamedTuple):
    """How an instrument was declared."""

    family: str
    """The name of its Prometheus family."""
    text: str
    name: str
    unit: str
    labels: tuple[str, ...]


class Instrument(Generic[S]):
    """One metric. A label takes at most `MOST_VALUES` values; what comes later is counted as `other`."""

    def __init__(self, declared: DeclaredInstrument, kind: type[S], make: Callable[[], S]) -> None:
        self.declared = declared
        self.kind: type[S] = kind
        self.full_names = {_plain(label): label for label in declared.labels}
        self._make: Callable[[], S] = make
        self._seen: tuple[set[str], ...] = tuple(set() for _ in declared.labels)
        self._series: dict[tuple[str, ...], S] = {}
        self._lock = threading.Lock()
        if not declared.labels:  # it shows from the start
            self.labels()

    @property
    def name(self) -> str:
        """The name by OpenTelemetry's conventions."""
        return self.declared.name

    @property
    def unit(self) -> str:
        """The unit by OpenTelemetry's conventions."""
        return self.declared.unit

    def labels(self, *values: str) -> S:
        """The series of these label values, in the order of declaration."""
        known = self._series.get(values)
        return known if known is not None else self._bind(values)

    def collect(self) -> Iterable[MetricFamily]:
        """The metric as Prometheus has it."""
        with self._lock:
            series = dict(self._series)
        yield self.kind.family(self.declared.family, self.declared.text, tuple(self.full_names), series)

    def _bind(self, values: tuple[str, ...]) -> S:
        if len(values) != len(self.declared.labels):
            raise ValueError(f"{self.name} takes the labels {self.declared.labels}")
        with self._lock:
            bounded = tuple(self._bounded(seen, value) for seen, value in zip(self._seen, values, strict=True))
            return self._series.setdefault(bounded, self._make())

    def _bounded(self, seen: set[str], value: str) -> str:
        if value in seen or value == OTHER:
            return value
        if len(seen) >= MOST_VALUES:
            return OTHER
        seen.add(value)
        return value


Counter = Instrument[series.Counter]
Gauge = Instrument[series.Gauge]
Histogram = Instrument[series.Histogram]


class Metrics:
    """The metrics of one host. Declaring an instrument again gives the same one, so services of a kind share it."""

    def __init__(self, *, process: bool = False) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._instruments: dict[str, Counter | Gauge | Histogram] = {}
        self._lock = threading.Lock()
        if process:
            prometheus_client.ProcessCollector(registry=self.registry)
            prometheus_client.GCCollector(registry=self.registry)

    def counter(self, name: str, help: str, labels: Sequence[str] = (), *, unit: str = "") -> Counter:  # noqa: A002
        """What only grows."""
        return self._declare(_declared(name, help, labels, unit), series.Counter, series.Counter)

    def gauge(self, name: str, help: str, labels: Sequence[str] = (), *, unit: str = "") -> Gauge:  # noqa: A002
        """What rises and falls."""
        return self._declare(_declared(name, help, labels, unit), series.Gauge, series.Gauge)

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
        bounds = tuple(buckets)
        return self._declare(_declared(name, help, labels, unit), series.Histogram, lambda: series.Histogram(bounds))

    def watch(self, name: str, help: str, value: Callable[[], float], **labels: str) -> None:  # noqa: A002
        """A gauge that is asked for its value when somebody reads the metrics."""
        self.gauge(name, help, tuple(labels)).labels(*labels.values()).set_function(value)

    def render(self) -> bytes:
        """All metrics in Prometheus' text format; its media type is `CONTENT_TYPE`."""
        return exposition.generate_latest(self.registry)

    def collect(self) -> Iterable[MetricFamily]:
        """All families with their present samples."""
        return self.registry.collect()

    def instruments(self) -> dict[str, Counter | Gauge | Histogram]:
        """The declared instruments by the name of their Prometheus family."""
        with self._lock:
            return dict(self._instruments)

    def _declare(self, declared: DeclaredInstrument, kind: type[S], make: Callable[[], S]) -> Instrument[S]:
        with self._lock:
            known = self._instruments.get(declared.family)
            if known is None:
                made = Instrument(declared, kind, make)
                self.registry.register(made)
                self._instruments[declared.family] = made
                return made
            if known.kind is not kind or known.declared.labels != declared.labels:
                raise ValueError(f"{declared.name} is already declared otherwise")
            return known


def _declared(name: str, text: str, labels: Sequence[str], unit: str) -> DeclaredInstrument:
    return DeclaredInstrument(_family(name, unit), text, name, unit, tuple(labels))


def _plain(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)


def _family(name: str, unit: str) -> str:
    plain = _plain(name)
    suffix = _UNITS.get(unit, "" if unit.startswith("{") else _plain(unit))
    return plain if not suffix or plain.endswith(f"_{suffix}") else f"{plain}_{suffix}"
