"""Carries out a plan: attempt after attempt until one releases content, and none after that.

Where the plan has no target left, one that failed as if in passing is repeated, after a wait: see `repeating`.

The commit point is the first piece with content. What arrives before it is held, so that of an attempt that fails early nothing is
ever seen; what arrives after it goes out as it comes, and a failure then ends the answer.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from llm_mesh.router.v1 import plan_pb2
from llm_mesh_gateway.domain import errors
from llm_mesh_gateway.domain.execution.plan import target_of
from llm_mesh_gateway.domain.execution.remainder import Remainder
from llm_mesh_gateway.domain.execution.repeating import Bounds, Spent, delay_before
from llm_mesh_gateway.domain.execution.retry_budget import RetryBudget
from llm_mesh_gateway.domain.failures import Verdict, meaning_of, same_fault
from llm_mesh_gateway.domain.ports import AttemptCall, Piece, Release
from llm_mesh_gateway.domain.record import AttemptRecord
from llm_mesh_runtime.context import deadline_remaining
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.telemetry import span

_MOST_HELD = 256
_LONGEST_ID = 56
Dispatch = Callable[[plan_pb2.Attempt], AttemptCall]
Extend = Callable[[plan_pb2.Attempt], Awaitable[bool]]
"""Has one attempt more paid for. False: it is not, and may not be made."""


class Execution:
    """The attempts of one request. `records` has every attempt that was begun, in order."""

    __slots__ = (
        "_attempts",
        "_awaits_usage_after",
        "_bounds",
        "_budget",
        "_committed",
        "_dispatch",
        "_ending",
        "_estimated_input",
        "_extend",
        "_failures",
        "_held",
        "_refused_dialects",
        "_spent",
        "_streamed",
        "records",
        "remainder",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 (what an execution is made of)
        self,
        attempts: Sequence[plan_pb2.Attempt],
        dispatch: Dispatch,
        extend: Extend,
        budget: RetryBudget,
        estimated_input_tokens: int,
        *,
        bounds: Bounds,
        streamed: bool = False,
        awaits_usage_after: int = 0,
    ) -> None:
        self._attempts = attempts
        self._awaits_usage_after = awaits_usage_after
        """How many choices must be finished for a stream to be read on that its caller leaves. 0: none is."""
        self._ending: Remainder | None = None
        self.remainder: Remainder | None = None
        """What is left of a stream that its caller left at its end; its call goes on until it is read."""
        self._dispatch = dispatch
        self._extend = extend
        self._bounds = bounds
        self._spent = Spent()
        self._budget = budget
        self._estimated_input = estimated_input_tokens
        self._streamed = streamed
        self._failures: list[tuple[plan_pb2.Attempt, MeshError]] = []
        self._refused_dialects: set[str] = set()
        self._held: list[Piece] = []
        self._committed = False
        self.records: list[AttemptRecord] = []

    @property
    def answered_by(self) -> str:
        """The model of the attempt that was begun last: after `run` the one that answered."""
        return self.records[-1].model

    async def run(self, release: Release) -> None:
        """Try until the answer is whole, which goes to `release`. Raises what the caller is to be told when it is not."""
        for attempt in self._attempts:
            if self._refused_dialects and attempt.dialect in self._refused_dialects:
                continue
            if self._failures and not self._may_try(attempt):
                raise errors.retry_budget_exhausted(self._told())
            if await self._attempt(attempt, release):
                return
        while (again := await self._again()) is not None:
            if await self._attempt(again, release):
                return
        raise self._exhausted()

    def withheld(self, refusal: MeshError) -> None:
        """The gateway ended the answer under the last attempt, or before the first one."""
        if self.records:
            self.records[-1].withheld(refusal.reason_name)
        elif self._attempts:
            self.records.append(AttemptRecord(self._attempts[0], self._estimated_input, streamed=self._streamed))
            self.records[-1].refused(refusal)

    async def _attempt(self, attempt: plan_pb2.Attempt, release: Release) -> bool:
        """Make one attempt. False: it failed, and another one may be made."""
        record = AttemptRecord(attempt, self._estimated_input, streamed=self._streamed)
        self.records.append(record)
        with span("gateway.attempt", {"llm_mesh.attempt.id": record.id, "llm_mesh.adapter": record.adapter}) as traced:
            failure = await self._try(record, release)
            if failure is not None:
                traced.fail(failure.reason_name)
        if failure is None:
            return True
        if self._committed:
            raise errors.interrupted(record.id, failure) from failure
        self._failures.append((attempt, failure))
        verdict = meaning_of(failure).verdict
        if verdict is Verdict.STOP:
            raise failure
        if verdict is Verdict.OTHER_DIALECT and attempt.dialect:
            self._refused_dialects.add(attempt.dialect)
        return False

    async def _again(self) -> plan_pb2.Attempt | None:
        """Waits until a target may be asked again. None: none may."""
        spent, remaining = self._spent, deadline_remaining()
        chance = random.random()  # noqa: S311 - spreads repetitions, guards nothing
        latest = {target_of(attempt): (attempt, failure) for attempt, failure in self._failures}
        delays = [
            (delay, index, attempt)
            for index, (attempt, failure) in enumerate(latest.values())
            if (delay := delay_before(failure, spent, self._bounds, remaining, chance)) is not None
        ]
        if not delays or not self._budget.take():
            return None
        delay, _, attempt = min(delays)
        again = plan_pb2.Attempt()
        again.CopyFrom(attempt)
        number = spent.repetitions + 1
        again.id = f"{self._first_id(attempt)[:_LONGEST_ID]}-again-{number}"
        if not await self._extend(again):
            return None
        await asyncio.sleep(delay)
        self._spent = Spent(number, spent.waited + delay)
        return again

    def _first_id(self, attempt: plan_pb2.Attempt) -> str:
        """The id of the plan's own attempt at the same target."""
        return next(each.id for each in self._attempts if target_of(each) == target_of(attempt))

    async def _try(self, record: AttemptRecord, release: Release) -> MeshError | None:
        self._held.clear()
        call = self._dispatch(record.attempt)
        try:
            return await self._read(call, record, release)
        except asyncio.CancelledError:
            self.remainder = self._ending
            raise
        finally:
            if self.remainder is None:
                call.cancel()
            record.cancelled()

    async def _read(self, call: AttemptCall, record: AttemptRecord, release: Release) -> MeshError | None:
        self._ending = ending = None
        while True:
            try:
                piece = await (call.next() if ending is None else ending.next())
                if piece is None:
                    raise errors.ended_early()
            except MeshError as failure:
                record.failed(failure, committed=self._committed)
                return failure
            content = record.note(piece)
            if ending is None and 0 < self._awaits_usage_after <= record.ended_choices:
                self._ending = ending = Remainder(call, record)
            if piece.report is not None:
                record.completed(piece.report)
                self._ending = None  # nothing is left: a caller who is lost now has all of it charged, and kept
            elif not self._committed and not content and len(self._held) < _MOST_HELD:
                self._held.append(piece)
                continue
            if not self._committed:
                self._commit(piece)
            await release(piece)
            if piece.report is not None:
                return None

    def _commit(self, piece: Piece) -> None:
        self._committed = True
        if self._held:
            piece.events = [event for held in (*self._held, piece) for event in held.events]
            piece.message = None

    def _may_try(self, attempt: plan_pb2.Attempt) -> bool:
        """Moving on to a healthy target is free; the same target again, or most targets being down, takes from the budget."""
        same = any(target_of(tried) == target_of(attempt) for tried, _ in self._failures)
        down = sum(failure.reason_name == "BREAKER_OPEN" for _, failure in self._failures)
        return self._budget.take() if same or 2 * down > len(self._attempts) else True

    def _told(self) -> list[tuple[str, MeshError]]:
        return [(attempt.id, failure) for attempt, failure in self._failures]

    def _exhausted(self) -> MeshError:
        failures = [failure for _, failure in self._failures]
        targets = {target_of(attempt) for attempt, _ in self._failures}
        if len(failures) == 1 or (self._spent.repetitions and len(targets) == 1) or same_fault(failures):
            return failures[-1]
        return errors.all_attempts_failed(self._told())
