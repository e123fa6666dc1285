"""Compares what budgets and limits have counted with the sum of their entries: at start, and from time to time.

A difference means that somebody or something changed the store past the ledger. It raises an alarm, and the stricter of both figures
holds: a meter that counts too little takes over the sums, one that counts too much stays as it is.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from llm_mesh_policy.ledger.domain import meters
from llm_mesh_policy.ledger.domain.alerts import AlertKind, Alerts
from llm_mesh_policy.ledger.domain.meters import Meter
from llm_mesh_runtime.backoff import Backoff
from llm_mesh_runtime.refresh import repeat

_PAGE = 100
_PAUSE = 0.01
_RETRY_SECONDS = 60.0
METRICS = (meters.MONEY, meters.REQUESTS, meters.CONCURRENCY, meters.INPUT_TOKENS, meters.OUTPUT_TOKENS, meters.TOKENS)


class Comparison(NamedTuple):
    """A meter, and what its entries add up to in its window."""

    meter: Meter
    spent: int
    held: int

    @property
    def equal(self) -> bool:
        """Whether they agree."""
        return (self.spent, self.held) == (self.meter.spent, self.meter.held)

    @property
    def lacking(self) -> bool:
        """Whether the meter counts less than its entries, so that theirs are the stricter figures."""
        return self.spent + self.held > self.meter.spent + self.meter.held

    @property
    def difference(self) -> int:
        """How far both are apart."""
        return abs(self.spent - self.meter.spent) + abs(self.held - self.meter.held)


class Sums(Protocol):
    """The store's part of the check."""

    async def names(self, after: str, limit: int) -> Sequence[str]:
        """Names of meters, in their order."""

    async def compare(self, name: str) -> Comparison | None:
        """Compares a meter with its entries, all at one moment. None: there is none, or its entries are too many to add up."""

    async def correct(self, name: str) -> Comparison | None:
        """Compares it again, lets the stricter figure hold, and records that. None: they agree."""


class MeterCheck:
    """Checks all meters, one after the other."""

    def __init__(
        self, sums: Sums, alerts: Alerts, show: Callable[[Mapping[str, int], int], None], *, every: float, pause: float = _PAUSE
    ) -> None:
        self._sums = sums
        self._alerts = alerts
        self._show = show
        self._every = every
        self._pause = pause

    async def run(self) -> None:
        """Checks until cancelled."""
        soon = min(self._every, _RETRY_SECONDS)
        failing = "the meters of the ledger could not be checked"
        await repeat(self.once, self._every, retry=Backoff(soon, soon), failing=failing)

    async def once(self) -> int:
        """One round; answers how many meters differ from their entries."""
        differences: Counter[str] = Counter()
        faults = unchecked = 0
        after = ""
        while names := await self._sums.names(after, _PAGE):
            for name in names:
                compared = await self._sums.compare(name)
                unchecked += compared is None
                if compared is not None and not compared.equal and (wrong := await self._sums.correct(name)) is not None:
                    faults += 1
                    differences[wrong.meter.metric] += wrong.difference
                    self._alarm(wrong)
                await asyncio.sleep(self._pause)
            after = names[-1]
        self._show({metric: differences[metric] for metric in METRICS}, unchecked)
        return faults

    def _alarm(self, wrong: Comparison) -> None:
        meter = wrong.meter
        message = "a budget or limit is not the sum of its ledger entries; the stricter figure holds"
        figures = {"spent": meter.spent, "held": meter.held, "entries_spent": wrong.spent, "entries_held": wrong.held}
        self._alerts.raised(AlertKind.METER_DIFFERENCE, message, meter=meter.name, metric=meter.metric, **figures)
