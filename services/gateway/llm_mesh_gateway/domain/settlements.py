"""Ends reservations for certain: a settlement is repeated until policy acknowledges it, whatever becomes of its caller.

The first try is made in the request itself, so that its receipt can tell the charge. When it fails, or the caller leaves, the rest
happens in the background. What is open is bounded: a gateway that policy does not answer takes no new requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_gateway.domain.execution.remainder import LateUsage, Remainder
from llm_mesh_gateway.domain.ports import ReservationLedger
from llm_mesh_gateway.domain.recording import RecordingRoom
from llm_mesh_runtime.backoff import Backoff
from llm_mesh_runtime.errors import MeshError, RuntimeFault
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.tasks import TaskSet

_FIRST_DELAY = 0.05
_LAST_DELAY = 5.0
_TIMEOUT = 2.0
_AT_ONCE = 16
_WRONG = "INVALID_ARGUMENT"
_FINAL = {_WRONG, "NOT_FOUND", "FAILED_PRECONDITION"}


class Settlements:
    """All reservations of this gateway that are to end.

    With `block_on_outage` a request is not answered before policy has its settlement, for up to two seconds. A worker needs this: it ends
    with policy, and what it had answered in between would be estimated and not settled.
    """

    def __init__(
        self,
        ledger: ReservationLedger,
        *,
        most_open: int = 10_000,
        first_delay: float = _FIRST_DELAY,
        block_on_outage: bool = False,
        room: RecordingRoom | None = None,
        late_usage: LateUsage | None = None,
    ) -> None:
        self._ledger = ledger
        self._late_usage = late_usage or LateUsage()
        self._room = RecordingRoom(0) if room is None else room
        """For answers that wait to be kept."""
        self._block_on_outage = block_on_outage
        self._most_open = most_open
        self._first_delay = first_delay
        self._tasks = TaskSet()
        self._turns = asyncio.Semaphore(_AT_ONCE)

    @property
    def open(self) -> int:
        """How many are not acknowledged."""
        return len(self._tasks)

    @property
    def awaits_usage(self) -> bool:
        """Whether a stream that its caller leaves at its end is read on."""
        return self._late_usage.seconds > 0

    def make_room(self) -> None:
        """Refuse a new request while too much is open."""
        if len(self._tasks) >= self._most_open:
            message = f"{len(self._tasks)} settlements wait for policy"
            raise RuntimeFault(errors_pb2.ERROR_REASON_PEER_UNAVAILABLE, message, retry_after=1.0, peer="policy")

    async def settle(self, request: policy_pb2.SettleRequest) -> policy_pb2.SettleResponse | None:
        """Charge what was used. None where policy does not answer soon: it will be told later."""
        try:
            return await self._ledger.settle(request, time_limit=_TIMEOUT)
        except MeshError:
            later = self.settle_later(request)
            if self._block_on_outage:
                await asyncio.wait([later], timeout=_TIMEOUT)
            return None
        except asyncio.CancelledError:
            self.settle_later(request)
            raise

    def settle_later(self, request: policy_pb2.SettleRequest) -> asyncio.Task[None]:
        """Charge what was used, in the background. Without its answer, where too much waits to be kept."""
        size = len(request.answer.content)
        if size and not self._room.take(size):
            request.ClearField("answer")
            request.ClearField("idempotency_key")
            size = 0
        task = self._later("settle", request.reservation_id, lambda: self._charge(request))
        if size:
            task.add_done_callback(lambda _: self._room.give(size))
        return task

    async def _charge(self, request: policy_pb2.SettleRequest) -> policy_pb2.SettleResponse:
        """What a provider said beside its figures never keeps a reservation from its charge: where policy refuses it, it is left out."""
        try:
            return await self._ledger.settle(request)
        except MeshError as failure:
            if failure.code.name != _WRONG or not _leave_out_words(request):
                raise
            get_logger().warning("settle without a provider's words", reservation=request.reservation_id, message=failure.message)
            return await self._ledger.settle(request)

    def settle_after(self, remainder: Remainder, settlement: Callable[[], policy_pb2.SettleRequest]) -> None:
        """Reads the end of a stream that nobody waits for any more, and charges what was used by then."""

        async def charge() -> None:
            try:
                await remainder.read(self._late_usage)
            finally:
                self.settle_later(settlement())

        self._tasks.spawn(charge(), name="late usage")

    def release_later(self, request: policy_pb2.ReleaseRequest) -> None:
        """Give everything back, in the background."""
        self._later("release", request.reservation_id, lambda: self._ledger.release(request))

    def _later(self, what: str, reservation: str, tell: Callable[[], Awaitable[object]]) -> asyncio.Task[None]:
        return self._tasks.spawn(self._until_acknowledged(what, reservation, tell), name=f"{what} {reservation}")

    async def _until_acknowledged(self, what: str, reservation: str, tell: Callable[[], Awaitable[object]]) -> None:
        backoff = Backoff(self._first_delay, _LAST_DELAY)
        while True:
            try:
                async with self._turns, asyncio.timeout(_LAST_DELAY):
                    await tell()
            except (TimeoutError, MeshError) as failure:
                if isinstance(failure, MeshError) and failure.code.name in _FINAL:
                    get_logger().error(f"{what} refused", reservation=reservation, reason=failure.reason_name, message=failure.message)
                    return
                delay = backoff.pause()
                reason = failure.reason_name if isinstance(failure, MeshError) else "TIMEOUT"
                get_logger().warning(f"{what} not acknowledged", reservation=reservation, reason=reason, again_in=round(delay, 3))
            else:
                return
            await asyncio.sleep(delay)

    async def close(self, grace: timedelta) -> bool:
        """Wait until everything is acknowledged. False where the grace was not enough; the ledger then estimates."""
        try:
            async with asyncio.timeout(grace.total_seconds()):
                await self._tasks.join()
        except TimeoutError:
            get_logger().error("settlements are left to be estimated", open=len(self._tasks))
            await self._tasks.close()
            return False
        return True


def _leave_out_words(request: policy_pb2.SettleRequest) -> bool:
    """Takes out what no charge depends on; whether there was something."""
    left_out = False
    for line in request.lines:
        parts = [line.usage, *[each.usage for each in line.usage.iterations]] if line.HasField("usage") else []
        for usage in parts:
            left_out = left_out or bool(usage.extras)
            usage.ClearField("extras")
        left_out = left_out or line.HasField("upstream")
        line.ClearField("upstream")
    return left_out
