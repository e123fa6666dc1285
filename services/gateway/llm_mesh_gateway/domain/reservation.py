"""The money of one request: held before anything is sent, and ended for certain, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import policy_pb2, usage_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_gateway.domain.execution.remainder import Remainder
from llm_mesh_gateway.domain.findings import Findings
from llm_mesh_gateway.domain.ports import Policy
from llm_mesh_gateway.domain.record import AttemptRecord, field_of
from llm_mesh_gateway.domain.replay import is_kept
from llm_mesh_gateway.domain.settlements import Settlements
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.log import get_logger

_REFUSED_BY = "policy.llm-mesh"
_LEFT = "CANCELLED"


class OpenReservation:
    """One request's reservation. `end` is to be called once, however the request went."""

    __slots__ = ("_epoch", "_grant", "_held", "_id", "_policy", "_request", "_settlements", "findings", "name", "screened")

    def __init__(
        self, policy: Policy, settlements: Settlements, request: policy_pb2.ReserveRequest, number: str, name: str, epoch: str
    ) -> None:
        self._id = number
        self._epoch = epoch
        self.name = name
        self._policy = policy
        self._settlements = settlements
        self._request = request
        self.screened: Sequence[usage_pb2.ScreeningCount] = ()
        """What screening found in the request."""
        self.findings: Findings | None = None
        """What it finds in the answer. None: the answer is not screened."""
        self._held: policy_pb2.ReserveResponse
        self._grant: resources_pb2.Sealed

    @property
    def grant(self) -> resources_pb2.Sealed:
        """What adapters want to see."""
        return self._grant

    @property
    def decision_id(self) -> str:
        """The routing decision that the plan came of."""
        return self._request.plan.decision_id

    @property
    def limits(self) -> Sequence[policy_pb2.LimitStatus]:
        """How limits stand."""
        return self._held.limits

    @property
    def all_screened(self) -> Sequence[usage_pb2.ScreeningCount]:
        """What screening has found until now, both ways."""
        return self.screened if self.findings is None else [*self.screened, *self.findings.counts]

    @property
    def request(self) -> policy_pb2.ReserveRequest:
        """As it was asked for."""
        return self._request

    @property
    def answer_limit(self) -> int:
        """Most bytes of the answer that policy keeps. 0: it keeps none."""
        return self._held.answer_limit_bytes

    async def hold(self) -> None:
        """Reserve. Unless policy itself refused it is not known whether money is held, and what may be held is given back."""
        try:
            self._held = await self._policy.reserve(self._request)
            self._grant = self._held.grant
        except (MeshError, asyncio.CancelledError) as failure:
            if isinstance(failure, MeshError) and is_kept(failure):
                raise  # it will be answered; policy has recorded what screening found in it
            if self.screened:
                self.refuse(failure)
            elif not isinstance(failure, MeshError) or failure.domain != _REFUSED_BY:
                self._give_back(())
            raise

    async def extend(self, attempt: plan_pb2.Attempt) -> bool:
        """Hold the worst case of one attempt more. False where policy refuses or does not answer: then it may not be made."""
        request = policy_pb2.ExtendRequest(reservation_id=self._id, admission=self._request.admission, attempt=attempt)
        try:
            self._grant = (await self._policy.extend(request)).grant
        except MeshError as failure:
            get_logger().info("an attempt is not repeated", attempt=attempt.id, reason=failure.reason_name)
            return False
        return True

    async def end(self, records: Sequence[AttemptRecord], answer: policy_pb2.KeptAnswer | None = None) -> policy_pb2.SettleResponse | None:
        """Charge what the attempts used, or give everything back where nothing was sent. None: policy will tell the charge later.

        `answer` is the whole answer, where it is to be kept.
        """
        if not was_sent(records):
            self._give_back(records)
            return None
        return await self._settlements.settle(self._settlement(records, answer))

    def end_later(
        self, records: Sequence[AttemptRecord], remainder: Remainder | None = None, answer: policy_pb2.KeptAnswer | None = None
    ) -> None:
        """The same without waiting: nobody is there any more to be told. What remains of a stream is read before."""
        if remainder is not None:
            self._settlements.settle_after(remainder, lambda: self._settlement(records))
        elif was_sent(records):
            self._settlements.settle_later(self._settlement(records, answer))
        else:
            self._give_back(records)

    def _settlement(self, records: Sequence[AttemptRecord], answer: policy_pb2.KeptAnswer | None = None) -> policy_pb2.SettleRequest:
        settlement = policy_pb2.SettleRequest(reservation_id=self._id, epoch=self._epoch)
        for record in records:
            record.write(settlement.lines.add())
        if self.findings is not None and (counts := self.findings.counts):
            settlement.screened.extend(counts)
        if answer is not None:
            settlement.answer.CopyFrom(answer)
            settlement.idempotency_key = self._request.idempotency_key
        return settlement

    def refuse(self, failure: MeshError | asyncio.CancelledError) -> None:
        """Gives back what may be held, and has it recorded why: what screening did to the request leaves proof."""
        request, release = self._request, self._release()
        release.refusal.CopyFrom(refusal_of(failure, request.admission, self.decision_id, request.request_id))
        self._settlements.release_later(release)

    def _give_back(self, records: Sequence[AttemptRecord]) -> None:
        """Nothing was sent; the attempts that were begun say why."""
        release = self._release()
        for record in records:
            record.write(release.lines.add())
        self._settlements.release_later(release)

    def _release(self) -> policy_pb2.ReleaseRequest:
        return policy_pb2.ReleaseRequest(reservation_id=self._id, epoch=self._epoch)


def refusal_of(
    failure: MeshError | asyncio.CancelledError, admission: resources_pb2.Sealed, decision_id: str, request_id: str
) -> policy_pb2.Refusal:
    """Why an admitted request ended before any attempt."""
    refusal = policy_pb2.Refusal(reason=_LEFT, decision_id=decision_id, request_id=request_id)
    refusal.admission.CopyFrom(admission)
    if isinstance(failure, MeshError):
        refusal.reason, refusal.field = failure.reason_name, field_of(failure)
    return refusal


def was_sent(records: Sequence[AttemptRecord]) -> bool:
    """Whether anything may have reached a provider."""
    for record in records:  # noqa: SIM110 - a generator costs more than the whole loop
        if record.sent:
            return True
    return False
