"""What executors work with: a part of a plan that is being carried out, by itself or beside others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Any

from llm_mesh.router.v1 import plan_pb2
from llm_mesh_gateway.domain.operation import Operation
from llm_mesh_gateway.domain.ports import Piece, Release

if TYPE_CHECKING:
    from llm_mesh_gateway.domain.execution.execution import Execution


class OtherBranchCommittedError(Exception):
    """Another branch gives the caller its answer: this one ends, whatever it was about to do."""


class Branch:
    """One part of a plan. All branches of a request share its commit point: the first one with content answers, the others end.

    Every attempt is made by `attempt`, which holds what comes before content, settles what is used, and knows what may be retried.
    """

    __slots__ = ("_execution", "_parent", "_task", "committed")

    def __init__(self, execution: Execution, parent: Branch | None = None) -> None:
        self._execution = execution
        self._parent = parent
        self._task: asyncio.Task[bool] | None = None
        self.committed = False
        """The caller has been given something of it, or of a branch that it has begun."""

    @property
    def operation(self) -> Operation:
        """The operation of the request. An attempt may have another one."""
        return self._execution.operation

    def run(self, node: plan_pb2.PlanNode) -> Awaitable[bool]:
        """Carry out a node here. False: it has failed, and something else may be tried."""
        return self._execution.executors[node.WhichOneof("kind") or ""].run(node, self)

    def attempt(self, attempt: plan_pb2.Attempt, *, into: Release | None = None, operation: Operation | None = None) -> Awaitable[bool]:
        """Call a target once. False: it has failed, or may not be called since its dialect has refused the request before.

        The answer goes to the caller; with `into` it goes there instead, from the first piece on, and commits nothing. `operation`
        replaces the request's own. Raises ANSWER_INTERRUPTED where it fails after the caller was given something.
        """
        execution = self._execution
        if execution.committed and (into is None or not self.committed):
            raise OtherBranchCommittedError
        if execution.retries is not None and not execution.retries.admit(attempt):
            return _refused()
        return execution.attempt(attempt, self, into, operation)

    async def release(self, piece: Piece) -> None:
        """Give the caller a piece of an answer that was collected by `into`. The first one commits."""
        if not self.committed:
            self._execution.commit(self)
        await self._execution.release(piece)

    def begin(self, node: plan_pb2.PlanNode) -> Branch:
        """Carry out a node beside this one. It ends with the request, at the latest."""
        branch = Branch(self._execution, self)
        branch._task = self._execution.spawn(branch._carry_out(node))
        return branch

    async def first(self, branches: Sequence[Branch], within: float | None = None) -> Branch | None:
        """The first of the begun branches that has committed or ended.

        None: so many seconds have passed, or a branch that is not among them has committed.
        """
        tasks = [branch._task for branch in branches if branch._task is not None]  # noqa: SLF001 (of the same class)
        if not any(branch.committed for branch in branches):
            events: list[asyncio.Future[Any]] = [*tasks, self._execution.commitment()]
            await asyncio.wait(events, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        committed = (branch for branch in branches if branch.committed)
        ended = (branch for branch, task in zip(branches, tasks, strict=True) if task.done())
        return next(committed, None) or next(ended, None)

    async def result(self) -> bool:
        """How a begun branch ends."""
        if self._task is None:
            raise RuntimeError("the branch was not begun")
        return await self._task

    def cancel(self) -> None:
        """End a begun branch. What its attempts have used until now is settled with the others."""
        if self._task is not None:
            self._task.cancel()

    def commit(self) -> None:
        """It is this branch that answers: `Execution` calls it once."""
        self.committed = True
        if self._parent is not None:
            self._parent.commit()

    async def _carry_out(self, node: plan_pb2.PlanNode) -> bool:
        try:
            return await self.run(node)
        except OtherBranchCommittedError:
            return False


async def _refused() -> bool:
    return False
