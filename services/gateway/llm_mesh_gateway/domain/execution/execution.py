"""Carries out a plan, whatever its shape: one commit point, one list of attempts to settle.

The commit point is the first piece with content. What arrives before it is held, so that of an attempt that fails early nothing is
ever seen; what arrives after it goes out as it comes, and a failure then ends the answer. Where the plan has no target left, one that
failed transiently is repeated, after a wait: see `repeating`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from llm_mesh.router.v1 import plan_pb2
from llm_mesh_gateway.domain import errors
from llm_mesh_gateway.domain.execution.branch import Branch, OtherBranchCommittedError
from llm_mesh_gateway.domain.execution.executors import Executors
from llm_mesh_gateway.domain.execution.remainder import Remainder
from llm_mesh_gateway.domain.execution.retries import Retries
from llm_mesh_gateway.domain.operation import Operation
from llm_mesh_gateway.domain.ports import AttemptCall, Piece, Release
from llm_mesh_gateway.domain.record import AttemptRecord
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.telemetry import span

_MOST_HELD = 256
Dispatch = Callable[[plan_pb2.Attempt, Operation], AttemptCall]


class Execution:
    """One plan being carried out. `records` has every attempt that was begun, in order.

    Where the gateway refuses before the first one, it has that one all the same: the ledger says of a target why it was not tried.
    """

    __slots__ = (
        "_answering",
        "_awaits_usage_after",
        "_commitment",
        "_dispatch",
        "_new_retries",
        "_streamed",
        "_tasks",
        "committed",
        "executors",
        "operation",
        "records",
        "release",
        "remainder",
        "retries",
    )  # fmt: skip

    def __init__(
        self,
        operation: Operation,
        executors: Executors,
        dispatch: Dispatch,
        retries: Callable[[], Retries],
        *,
        awaits_usage: bool = False,
    ) -> None:
        self.operation = operation
        self.executors = executors
        self._dispatch = dispatch
        self._new_retries = retries
        self._streamed = streamed = operation.streamed
        self._awaits_usage_after = max(1, operation.candidate_count) if streamed and awaits_usage else 0
        """How many choices must be finished for a stream to be read on that its caller leaves. 0: none is."""
        self.retries: Retries | None = None
        """What has failed. None: nothing, as nearly always."""
        self.release: Release
        self.committed = False
        self._commitment: asyncio.Future[None] | None = None
        self._answering: AttemptRecord | None = None
        self._tasks: list[asyncio.Task[bool]] = []
        self.records: list[AttemptRecord] = []
        self.remainder: Remainder | None = None
        """What is left of a stream that its caller left at its end; its call goes on until it is read."""

    @property
    def answered_by(self) -> str:
        """The model whose attempt was released; else, the one that was called last."""
        return (self._answering or self.records[-1]).model

    async def run(self, root: plan_pb2.PlanNode, release: Release) -> None:
        """Carry out the plan until the answer is whole, which goes to `release`. Raises what the caller is to be told when it is not."""
        self.release = release
        branch = Branch(self)
        try:
            if await branch.run(root):
                return
            retries = self.retries
            while retries is not None and (again := await retries.again()) is not None:
                if await self.attempt(again, branch, None, None):
                    return
        finally:
            if self._tasks:
                await self._end_branches()
        raise errors.none_accepted(len(self.records)) if retries is None else retries.exhausted()

    def withheld(self, refusal: MeshError, first: plan_pb2.Attempt) -> None:
        """The gateway ended the answer under its attempt, or before the first one."""
        if self.records:
            (self._answering or self.records[-1]).withheld(refusal.reason_name)
        else:
            record = AttemptRecord(first, streamed=self._streamed)
            record.refused(refusal)
            self.records.append(record)

    def drop_remainder(self) -> None:
        """End the call whose rest nobody will read, such as that of a branch that another one has overtaken."""
        if self.remainder is not None:
            self.remainder.cancel()
            self.remainder = None

    def commit(self, branch: Branch) -> None:
        """Begin to answer with what a branch has. Once it has, no other one can."""
        if self.committed:
            raise OtherBranchCommittedError
        self.committed = True
        branch.commit()
        if self._commitment is not None:
            self._commitment.set_result(None)

    def commitment(self) -> asyncio.Future[None]:
        """Is done once a branch has committed."""
        if self._commitment is None:
            self._commitment = asyncio.get_running_loop().create_future()
            if self.committed:
                self._commitment.set_result(None)
        return self._commitment

    def spawn(self, work: Coroutine[Any, Any, bool]) -> asyncio.Task[bool]:
        """Run a branch beside others."""
        task = asyncio.get_running_loop().create_task(work, name="plan branch")
        self._tasks.append(task)
        return task

    async def attempt(self, attempt: plan_pb2.Attempt, branch: Branch, into: Release | None, operation: Operation | None) -> bool:
        """Make one attempt. False: it failed, and another one may be made."""
        record = AttemptRecord(attempt, streamed=self._streamed)
        self.records.append(record)
        with span("gateway.attempt", {"llm_mesh.attempt.id": record.id, "llm_mesh.adapter": record.adapter}) as traced:
            call = self._dispatch(attempt, operation or self.operation)
            try:
                failure = await (self._read(call, record, branch) if into is None else self._collect(call, record, into))
            except asyncio.CancelledError:
                if self._answering is record or not self.committed:
                    self.remainder = record.ending
                raise
            finally:
                if self.remainder is None or self.remainder.record is not record:
                    call.cancel()
                record.cancelled()
            if failure is None:
                return True
            traced.fail(failure.reason_name)
        if self._answering is record or (into is not None and branch.committed):
            raise errors.interrupted(record.id, failure) from failure
        if self.committed:
            raise OtherBranchCommittedError
        if self.retries is None:
            self.retries = self._new_retries()
        self.retries.failed(attempt, failure)
        return False

    async def _read(self, call: AttemptCall, record: AttemptRecord, branch: Branch) -> MeshError | None:
        """Read an answer for the caller."""
        held: list[Piece] = []
        answers = False
        ending: Remainder | None = None
        release = self.release
        while True:
            try:
                piece = await (call.next() if ending is None else ending.next())
                if piece is None:
                    raise errors.ended_early()
            except MeshError as failure:
                record.failed(failure, committed=answers)
                return failure
            content = record.note(piece)
            if ending is None and 0 < self._awaits_usage_after <= record.ended_choices:
                record.ending = ending = Remainder(call, record)
            if piece.report is not None:
                record.completed(piece.report)
                record.ending = None  # nothing is left: a caller who is lost now has all of it charged, and kept
            elif not answers and not content and len(held) < _MOST_HELD:
                held.append(piece)
                continue
            if not answers:
                self._answer_with(record, branch, piece, held)
                answers = True
            await release(piece)
            if piece.report is not None:
                return None

    def _answer_with(self, record: AttemptRecord, branch: Branch, piece: Piece, held: list[Piece]) -> None:
        """The commit point: the piece goes to the caller, after what was held."""
        self.commit(branch)
        self._answering = record
        if held:
            piece.events = [event for each in (*held, piece) for event in each.events]
            piece.message = None

    async def _collect(self, call: AttemptCall, record: AttemptRecord, into: Release) -> MeshError | None:
        """Read an answer for an executor."""
        while True:
            try:
                piece = await call.next()
                if piece is None:
                    raise errors.ended_early()
            except MeshError as failure:
                record.failed(failure, committed=False)
                return failure
            record.note(piece)
            if piece.report is not None:
                record.completed(piece.report)
            await into(piece)
            if piece.report is not None:
                return None

    async def _end_branches(self) -> None:
        """No attempt outlives its request: what it has used must be known when the request is settled."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
