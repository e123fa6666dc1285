"""Counts what settled requests were charged, by currency and model, for whoever watches the mesh."""

from collections.abc import Callable
from typing import Protocol

from llm_mesh.policy.v1 import usage_pb2


class ChargeCounter(Protocol):
    """A counter of one currency and model."""

    def inc(self, amount: float) -> None: ...


class Charges:
    """`series` answers with the counter of a currency and a model; without it nothing is counted."""

    def __init__(self, series: Callable[[str, str], ChargeCounter] | None = None) -> None:
        self._series = series

    def count(self, entry: usage_pb2.LedgerEntry) -> None:
        """An entry was settled."""
        if self._series is None:
            return
        for line in entry.lines[:]:
            if line.charge.nanos > 0:
                self._series(line.charge.currency, line.model).inc(line.charge.nanos)
