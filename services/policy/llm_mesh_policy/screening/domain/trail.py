"""What the audit trail says of screening: which detectors found something, how often and what was done; never the text.

What passes is written with the reservation, in its transaction. A request that is refused, and an input that is only counted, get an
entry of the ledger, so that whoever follows requests sees it; the findings in an answer stand in its audit record, and in its entry once
that is settled. Refused is refused, also where the trail cannot be written, which is logged.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh.policy.v1 import admission_pb2, policy_pb2, usage_pb2
from llm_mesh_runtime.errors import RuntimeFault
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.tasks import TaskSet

R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)

Counts = Counter[tuple[str, policy_pb2.FindingAction]]
"""How often something was found, by detector and action."""
REQUEST = "requests.screen"
ANSWER = "answers.screen"
_TIMEOUT_SECONDS = 2.0
_MOST_WRITING = 256
_AGAIN_SECONDS = 1.0
_WORDS = {
    policy_pb2.FINDING_ACTION_LOGGED: "noted",
    policy_pb2.FINDING_ACTION_MASKED: "masked",
    policy_pb2.FINDING_ACTION_BLOCKED: "blocked",
}


@dataclass(slots=True)
class ScreeningRecord:
    """What the audit trail says of one request or answer that screening looked at. Never has content."""

    domain: str
    action: str
    resource: str
    allowed: bool
    principal: str
    key: str
    detail: str
    request_id: str


class Records(Protocol):
    """Where audit records go."""

    async def record(self, entry: ScreeningRecord) -> None:
        """Answers after the durable commit."""


class Refusals(Protocol[R_contra]):
    """Where refused requests go, in the form of who refuses them."""

    async def refuse(self, refused: R_contra, audit: ScreeningRecord) -> None:
        """Writes the entry of a refused request with its audit record. Answers after the durable commit."""


class ScreeningTrail(Generic[R]):
    """Writes records of what screening refused or withheld. So many at once; the rest is only logged."""

    def __init__(self, records: Records, refusals: Refusals[R]) -> None:
        self._records = records
        self._refusals = refusals
        self._writing = 0
        self._tasks = TaskSet()

    def write_soon(self, entry: ScreeningRecord) -> None:
        """Writes one record beside what goes on."""
        self._tasks.spawn(self._write(entry, lambda: self._records.record(entry)), name="policy.screening.trail")

    async def close(self) -> None:
        """Wait for what is being written."""
        await self._tasks.join()

    async def refuse(self, refused: R, entry: ScreeningRecord) -> None:
        """Writes the record of a refused request, and its entry of the ledger."""
        await self._write(entry, lambda: self._refusals.refuse(refused, entry))

    async def prove(self, recorded: R, entry: ScreeningRecord) -> None:
        """Writes the record and the entry of what goes on with masks. AUDIT_UNAVAILABLE where that takes too long: it must not go on."""
        if self._writing >= _MOST_WRITING:
            raise _unavailable()
        self._writing += 1
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                await self._refusals.refuse(recorded, entry)
        except TimeoutError:
            raise _unavailable() from None
        finally:
            self._writing -= 1

    async def _write(self, entry: ScreeningRecord, writing: Callable[[], Awaitable[None]]) -> None:
        """Within two seconds."""
        if self._writing >= _MOST_WRITING:
            self._lost(entry, "too many are being written")
            return
        self._writing += 1
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                await writing()
        except Exception as error:  # noqa: BLE001 (the decision stands whatever the store says)
            self._lost(entry, type(error).__name__)
        finally:
            self._writing -= 1

    def _lost(self, entry: ScreeningRecord, why: str) -> None:
        get_logger().error("a finding of screening is not in the audit trail", why=why, action=entry.action, resource=entry.resource)


def _unavailable() -> RuntimeFault:
    message = "what screening found cannot be recorded now"
    return RuntimeFault(errors_pb2.ERROR_REASON_AUDIT_UNAVAILABLE, message, retry_after=_AGAIN_SECONDS)


def record_of(
    caller: admission_pb2.Caller,
    action: str,
    counts: Counts,
    *,
    allowed: bool,
    request_id: str = "",
    beside: str = "",
) -> ScreeningRecord:
    """The record of one request or answer."""
    return ScreeningRecord(
        domain=caller.domain,
        action=action,
        resource=caller.project,
        allowed=allowed,
        principal=caller.principal,
        key=caller.key,
        detail=described(counts) + beside,
        request_id=request_id,
    )


def described(counts: Counts) -> str:
    """Such as `credit_card masked 2, email noted 1`."""
    return ", ".join(f"{detector} {_WORDS[action]} {count}" for (detector, action), count in sorted(counts.items()))


def screening_counts(counts: Counts, direction: usage_pb2.ScreeningDirection) -> list[usage_pb2.ScreeningCount]:
    """One message per detector, in the order of their names."""
    by_detector: dict[str, usage_pb2.ScreeningCount] = {}
    for (detector, action), count in sorted(counts.items()):
        each = by_detector.setdefault(detector, usage_pb2.ScreeningCount(detector=detector, direction=direction))
        if action == policy_pb2.FINDING_ACTION_MASKED:
            each.masked += count
        elif action == policy_pb2.FINDING_ACTION_BLOCKED:
            each.blocked += count
        else:
            each.logged += count
    return list(by_detector.values())


def counts_of(screened: Iterable[usage_pb2.ScreeningCount]) -> Counts:
    """As an admission carries them."""
    counts: Counts = Counter()
    for each in screened:
        if each.logged:
            counts[each.detector, policy_pb2.FINDING_ACTION_LOGGED] = each.logged
        if each.masked:
            counts[each.detector, policy_pb2.FINDING_ACTION_MASKED] = each.masked
    return counts
