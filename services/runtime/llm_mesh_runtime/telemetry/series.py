"""What is counted: one object per combination of label values, changed on the event loop's thread alone.

`prometheus_client`'s own children take a lock and several calls per event, 1.4 µs; a request has some thirty events. These
take 0.1 µs, and are turned into its families when somebody reads the metrics.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Protocol, Self

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric


class InstrumentSeries(Protocol):
    """What an instrument keeps per combination of label values."""

    @classmethod
    def family(cls, name: str, text: str, labels: Sequence[str], series: dict[tuple[str, ...], Self]) -> Metric:
        """All series of an instrument, as Prometheus has them."""


class Counter:
    """What only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, amount: float = 1) -> None:
        """Counts. An amount below zero is refused."""
        if amount < 0:
            raise ValueError("a counter only grows")
        self.value += amount

    @classmethod
    def family(cls, name: str, text: str, labels: Sequence[str], series: dict[tuple[str, ...], Counter]) -> Metric:
        """The counters as Prometheus has them."""
        family = CounterMetricFamily(name, text, labels=labels)
        for values, counter in series.items():
            family.add_metric(values, counter.value)
        return family


class Gauge:
    """What rises and falls."""

    __slots__ = ("_function", "_value")

    def __init__(self) -> None:
        self._value = 0.0
        self._function: Callable[[], float] | None = None

    @property
    def value(self) -> float:
        """The present value."""
        return self._value if self._function is None else self._function()

    def inc(self, amount: float = 1) -> None:
        """Raise the value by an amount."""
        self._value += amount

    def dec(self, amount: float = 1) -> None:
        """Lower the value by an amount."""
        self._value -= amount

    def set(self, value: float) -> None:
        """Stands at a value."""
        self._value = value

    def set_function(self, function: Callable[[], float]) -> None:
        """Asks for its value when somebody reads the metrics."""
        self._function = function

    @classmethod
    def family(cls, name: str, text: str, labels: Sequence[str], series: dict[tuple[str, ...], Gauge]) -> Metric:
        """The gauges as Prometheus has them."""
        family = GaugeMetricFamily(name, text, labels=labels)
        for values, gauge in series.items():
            family.add_metric(values, gauge.value)
        return family


class Histogram:
    """How something is distributed. `bounds` are the buckets' upper bounds, rising, without infinity."""

    __slots__ = ("_bounds", "_counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(map(float, bounds))  # a value is a float: comparing it with a whole number takes twice as long
        self._counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Counts a value in the first bucket whose bound is not below it."""
        self.sum += value
        self._counts[bisect_left(self._bounds, value)] += 1

    @classmethod
    def family(cls, name: str, text: str, labels: Sequence[str], series: dict[tuple[str, ...], Histogram]) -> Metric:
        """The histograms as Prometheus has them: each bound with the number of values up to it."""
        family = HistogramMetricFamily(name, text, labels=labels)
        for values, histogram in series.items():
            family.add_metric(values, histogram.buckets(), histogram.sum)
        return family

    def buckets(self) -> list[tuple[str, float]]:
        """Each bound with the number of values up to it."""
        bounds = (*map(str, self._bounds), "+Inf")
        return list(zip(bounds, map(float, accumulate(self._counts)), strict=True))
