"""How reservations end: settled, released, or, where their gateway is lost, estimated."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from llm_mesh.policy.v1 import policy_pb2, usage_pb2
from llm_mesh_policy.ledger.domain.alerts import Alerts
from llm_mesh_policy.ledger.domain.charges import Charges
from llm_mesh_policy.ledger.domain.ports import NOTHING_TOLD, Ledger, Settled, Why
from llm_mesh_policy.ledger.domain.reserving import checked_epoch, checked_id
from llm_mesh_policy.ledger.domain.speeds import Speeds
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.refresh import repeat

LOST_AFTER = timedelta(seconds=15)
"""Three heartbeats. With the sweep's period it stays below the 30 s within which a lost epoch is settled."""

_HOUR = 3600 * 1_000_000
_MOST_LINES = 64
_MOST_COUNTS = 64
_LONGEST_DETECTOR = 64
_LONGEST_INSTANCE = 255


class Lifecycle:
    """Ends reservations."""

    def __init__(self, ledger: Ledger, speeds: Speeds | None = None, alerts: Alerts | None = None, charges: Charges | None = None) -> None:
        self._ledger = ledger
        self._speeds = Speeds() if speeds is None else speeds
        self._alerts = Alerts({}) if alerts is None else alerts
        self._charges = Charges() if charges is None else charges

    async def settle(
        self, reservation_id: str, lines: Sequence[usage_pb2.UsageLine], screened: Sequence[usage_pb2.ScreeningCount] = ()
    ) -> Settled:
        """Charges what was used. `screened`: what was found in the answer."""
        if len(lines) > _MOST_LINES:
            raise invalid("lines", f"at most {_MOST_LINES}")
        if screened:
            _check_screened(screened)
        settled = await self._ledger.settle(checked_id(reservation_id), lines, screened)
        if not settled.repeated:
            entry = settled.entry
            self._alerts.charged(entry)
            self._charges.count(entry)
            self._speeds.learn(entry.lines[:], settled.candidates)
        return settled

    async def release(self, reservation_id: str, why: Why = NOTHING_TOLD) -> usage_pb2.ReservationState:
        """Gives back what is held, and keeps why nothing was sent."""
        if len(why.lines) > _MOST_LINES:
            raise invalid("lines", f"at most {_MOST_LINES}")
        return await self._ledger.release(checked_id(reservation_id), why)

    async def heartbeat(self, request: policy_pb2.HeartbeatRequest) -> policy_pb2.HeartbeatResponse:
        """Keeps an instance's reservations, or ends the ones of an instance that is gone."""
        checked_epoch(request.epoch)
        if request.replaces_epoch:
            checked_epoch(request.replaces_epoch, "replaces_epoch")
        instance = request.instance[:_LONGEST_INSTANCE]
        now = await self._ledger.heartbeat(request.epoch, instance, request.replaces_epoch, closing=request.closing)
        response = policy_pb2.HeartbeatResponse()
        response.lost_after.FromTimedelta(LOST_AFTER)
        response.now.FromMicroseconds(now)
        return response


def _check_screened(screened: Sequence[usage_pb2.ScreeningCount]) -> None:
    if len(screened) > _MOST_COUNTS:
        raise invalid("screened", f"at most {_MOST_COUNTS}")
    for index, count in enumerate(screened):
        if not 0 < len(count.detector) <= _LONGEST_DETECTOR or not count.detector.isprintable():
            raise invalid(f"screened[{index}].detector", f"1 to {_LONGEST_DETECTOR} printable characters")
        if min(count.logged, count.masked, count.blocked) < 0:
            raise invalid(f"screened[{index}]", "counts that are not negative")


class LostEpochs(Protocol):
    """The store's part of the sweep."""

    async def now(self) -> int:
        """The store's time, in microseconds."""

    async def estimate_lost(self, silent_since: int) -> int:
        """Charges what epochs hold that were last heard of before; answers how many reservations that were."""

    async def forget(self, now: int) -> None:
        """Removes what has expired by itself: idempotency keys, tombstones, epochs."""


class Sweep:
    """Estimates what lost epochs hold.

    An instance that could not reach policy while policy was down is not lost: for the time after its start, the sweep
    counts silence from that start on.
    """

    def __init__(self, ledger: LostEpochs, period: float = 3.0) -> None:
        self._ledger = ledger
        self._period = period
        self._begin: int | None = None
        self._forget_again = 0

    async def run(self) -> None:
        """Sweeps until cancelled. A store in trouble is tried again at the next turn."""
        await repeat(self.once, self._period, failing="sweep of lost epochs failed")

    async def once(self) -> int:
        """One turn; answers how many reservations were estimated."""
        now = await self._ledger.now()
        if self._begin is None:
            self._begin = now
        if now >= self._forget_again:
            self._forget_again = now + _HOUR
            await self._ledger.forget(now)
        lost_after = LOST_AFTER // timedelta(microseconds=1)
        if now - self._begin < lost_after:
            return 0
        total = 0
        while count := await self._ledger.estimate_lost(now - lost_after):
            total += count
        if total:
            get_logger().warning("reservations of lost gateways were charged as estimated", count=total)
        return total
