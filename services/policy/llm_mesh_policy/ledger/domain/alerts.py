"""What the ledger raises an alert about: a counter by kind, and a line in the log that names the entry."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_runtime.log import get_logger


class AlertKind(StrEnum):
    """What happened."""

    OVERRUN = "overrun"
    """A provider billed more than was reserved."""
    IMPLAUSIBLE_USAGE = "implausible_usage"
    """A report had more tokens than its attempt can have used."""
    METER_DIFFERENCE = "meter_difference"
    """What a budget or limit counted is not the sum of its entries."""


class AlertCounter(Protocol):
    """Counts the alerts of one kind for the metrics."""

    def inc(self) -> None: ...


class Alerts:
    """Raises alerts."""

    def __init__(self, counters: Mapping[AlertKind, AlertCounter]) -> None:
        self._counters = counters

    def raised(self, kind: AlertKind, message: str, **facts: object) -> None:
        """Counts one and logs it."""
        if kind in self._counters:
            self._counters[kind].inc()
        get_logger().error(message, alert=kind.value, **facts)

    def charged(self, entry: usage_pb2.LedgerEntry) -> None:
        """Looks at an entry that was charged or corrected."""
        if entry.overrun:
            message = "a provider billed more than was reserved; the project's budget is closed"
            self.raised(AlertKind.OVERRUN, message, reservation=entry.name, reserved=entry.reserved.nanos, charged=entry.charged.nanos)
        for line in entry.lines[:]:
            if line.implausible:
                message = "a provider reported more than the attempt can have used; what was counted is charged"
                self.raised(AlertKind.IMPLAUSIBLE_USAGE, message, reservation=entry.name, attempt=line.usage.attempt_id, model=line.model)
