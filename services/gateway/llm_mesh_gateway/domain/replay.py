"""Answers a request with the kept answer of an earlier one that had the same idempotency key.

The repetition has taken every step up to the reservation, so that the caller's rights, rules and routes of today have decided on it. No
provider is asked and nothing is charged.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import policy_pb2, usage_pb2
from llm_mesh_gateway.domain.findings import Findings, tell_screened
from llm_mesh_gateway.domain.ports import Piece, Policy, Release
from llm_mesh_gateway.domain.recording import RECORDED
from llm_mesh_runtime.errors import MeshError

_COMPLETED = "IDEMPOTENCY_COMPLETED"
_NOT_KEPT = "ANSWER_NOT_KEPT"


@dataclass(slots=True)
class KeptAnswer:
    """A kept answer, with the ledger entry of the request that it answered."""

    entry: usage_pb2.LedgerEntry
    recorded: gateway_pb2.RecordedAnswer
    screened: Sequence[usage_pb2.ScreeningCount] = ()
    """What screening found in the repetition."""
    findings: Findings = field(default_factory=Findings)
    """What it finds in the answer today."""

    async def release_again(self, pieces: Iterator[Piece], changing: AbstractAsyncContextManager[Release]) -> None:
        """Releases the answer, by way of what policy obliges to today."""
        try:
            async with changing as release:
                async for piece in _with_end(pieces):
                    await release(piece)
        except MeshError as failure:
            failure.metadata["charged_nanos"] = "0"
            tell_screened(failure, self._all_screened)
            raise

    @property
    def _all_screened(self) -> Sequence[usage_pb2.ScreeningCount]:
        return [*self.screened, *self.findings.counts]

    def write_receipt(self, receipt: gateway_pb2.Receipt) -> None:
        """What it costs: nothing. What the first request cost stands in a receipt of its own."""
        entry, recorded = self.entry, self.recorded
        charged = resources_pb2.Money(currency=entry.charged.currency)
        receipt.MergeFrom(self._common())
        receipt.charged.CopyFrom(charged)
        receipt.replayed = True
        receipt.screened.extend(self._all_screened)
        first = receipt.first
        first.MergeFrom(self._common())
        first.request_id = entry.request_id
        first.charged.CopyFrom(entry.charged)
        first.lines.extend(entry.lines)
        first.total.CopyFrom(recorded.total)

    def _common(self) -> gateway_pb2.Receipt:
        recorded, entry = self.recorded, self.entry
        return gateway_pb2.Receipt(
            reservation=entry.name, decision_id=entry.decision_id, model=recorded.model, prompt_version=recorded.prompt_version
        )


def is_kept(refusal: MeshError) -> bool:
    """Whether policy refuses a repetition whose answer it has kept."""
    return refusal.reason_name == _COMPLETED and refusal.metadata.get("answer") == "kept"


async def find(policy: Policy, reserve: policy_pb2.ReserveRequest, refusal: MeshError) -> KeptAnswer:
    """The answer to repeat. Raises the refusal where it is gone meanwhile, or recorded in a form that this build does not know."""
    question = policy_pb2.GetKeptAnswerRequest(
        idempotency_key=reserve.idempotency_key, request_digest=reserve.request_digest, request_id=reserve.request_id
    )
    question.admission.CopyFrom(reserve.admission)
    try:
        answered = await policy.kept_answer(question)
    except MeshError as failure:
        if failure.reason_name == _NOT_KEPT:
            raise refusal from failure
        raise
    if answered.answer.type != RECORDED:
        raise refusal
    try:
        recorded = gateway_pb2.RecordedAnswer.FromString(answered.answer.content)
    except DecodeError as failure:
        raise refusal from failure
    return KeptAnswer(answered.entry, recorded)


async def _with_end(pieces: Iterator[Piece]) -> AsyncIterator[Piece]:
    """The pieces, of which the last one ends the answer. Others have their turn between them."""
    last = next(pieces, None)
    for piece in pieces:
        if last is not None:
            yield last
        await asyncio.sleep(0)
        last = piece
    if last is not None:
        last.report = adapter_pb2.AttemptReport()
        yield last
