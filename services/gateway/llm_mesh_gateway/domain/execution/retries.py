"""What may be tried after the failures of one request: the rest of its plan, and then a target again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from llm_mesh.router.v1 import plan_pb2
from llm_mesh_gateway.domain import errors
from llm_mesh_gateway.domain.execution.plan import target_of
from llm_mesh_gateway.domain.execution.repeating import RetryBounds, Spent, delay_before
from llm_mesh_gateway.domain.execution.retry_budget import RetryBudget
from llm_mesh_gateway.domain.failures import Verdict, meaning_of, same_fault
from llm_mesh_runtime.context import deadline_remaining
from llm_mesh_runtime.errors import MeshError

_LONGEST_ID = 56
Extend = Callable[[plan_pb2.Attempt], Awaitable[bool]]
"""Has one attempt more paid for. False: it is not, and may not be made."""


class Retries:
    """All failures of a request before anything was released, whichever executors made the attempts."""

    __slots__ = ("_attempts", "_bounds", "_budget", "_extend", "_failures", "_refused_dialects", "_spent")

    def __init__(self, attempts: Sequence[plan_pb2.Attempt], extend: Extend, budget: RetryBudget, bounds: RetryBounds) -> None:
        self._attempts = attempts
        self._extend = extend
        self._budget = budget
        self._bounds = bounds
        self._spent = Spent()
        self._failures: list[tuple[plan_pb2.Attempt, MeshError]] = []
        self._refused_dialects: set[str] = set()

    def failed(self, attempt: plan_pb2.Attempt, failure: MeshError) -> None:
        """Take note of a failure. Raises it where no other attempt may follow."""
        self._failures.append((attempt, failure))
        verdict = meaning_of(failure).verdict
        if verdict is Verdict.STOP:
            raise failure
        if verdict is Verdict.OTHER_DIALECT and attempt.dialect:
            self._refused_dialects.add(attempt.dialect)

    def admit(self, attempt: plan_pb2.Attempt) -> bool:
        """False: its dialect has refused the request. Raises RETRY_BUDGET_EXHAUSTED where it may not be made.

        Moving on to a healthy target is free; the same target again, or most targets being down, takes from the budget.
        """
        if self._refused_dialects and attempt.dialect in self._refused_dialects:
            return False
        same = any(target_of(tried) == target_of(attempt) for tried, _ in self._failures)
        down = sum(failure.reason_name == "BREAKER_OPEN" for _, failure in self._failures)
        if (same or 2 * down > len(self._attempts)) and not self._budget.take():
            raise errors.retry_budget_exhausted(self._reasons())
        return True

    async def again(self) -> plan_pb2.Attempt | None:
        """Wait until a target may be called again, and have that paid for. None: none may."""
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

    def exhausted(self) -> MeshError:
        """What the caller is told when nothing more may be tried."""
        failures = [failure for _, failure in self._failures]
        targets = {target_of(attempt) for attempt, _ in self._failures}
        if len(failures) == 1 or (self._spent.repetitions and len(targets) == 1) or same_fault(failures):
            return failures[-1]
        return errors.all_attempts_failed(self._reasons())

    def _first_id(self, attempt: plan_pb2.Attempt) -> str:
        """The id of the plan's own attempt at the same target."""
        return next(each.id for each in self._attempts if target_of(each) == target_of(attempt))

    def _reasons(self) -> list[tuple[str, MeshError]]:
        return [(attempt.id, failure) for attempt, failure in self._failures]
