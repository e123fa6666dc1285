"""What a provider says beside its figures keeps no reservation from its charge."""

from __future__ import annotations

from datetime import timedelta

import pytest

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import policy_pb2, usage_pb2
from llm_mesh_gateway.domain.settlements import Settlements
from llm_mesh_runtime.errors import invalid

ODD = content_pb2.Extra(dialect="openai", key="odd", json=b"[" * 150 + b"]" * 150)
PLAIN = generate_pb2.Usage(input_tokens=3, output_tokens=2)


class StrictLedger:
    """Refuses unmodelled figures, and whatever has the wrong field."""

    def __init__(self, wrong: str = "extras") -> None:
        self.wrong = wrong
        self.settled: list[policy_pb2.SettleRequest] = []
        self.refused = 0

    async def settle(self, request: policy_pb2.SettleRequest, *, time_limit: float | None = None) -> policy_pb2.SettleResponse:
        del time_limit
        if f"{self.wrong} " in str(request).replace(":", " "):
            self.refused += 1
            raise invalid(f"lines[0].usage.{self.wrong}", "nothing odd")
        self.settled.append(policy_pb2.SettleRequest.FromString(request.SerializeToString()))
        return policy_pb2.SettleResponse()

    async def release(self, request: policy_pb2.ReleaseRequest) -> policy_pb2.ReleaseResponse:
        raise AssertionError(request)

    async def heartbeat(self, request: policy_pb2.HeartbeatRequest) -> policy_pb2.HeartbeatResponse:
        raise AssertionError(request)


def settlement(usage: generate_pb2.Usage) -> policy_pb2.SettleRequest:
    unsent = usage_pb2.UsageLine(attempt_id="a0", outcome=usage_pb2.ATTEMPT_OUTCOME_NOT_SENT)
    return policy_pb2.SettleRequest(reservation_id="01", lines=[unsent, usage_pb2.UsageLine(attempt_id="a1", usage=usage)])


@pytest.mark.parametrize("inner", [False, True])
async def test_a_settlement_that_is_refused_is_made_without_a_providers_words(*, inner: bool) -> None:
    usage = generate_pb2.Usage(input_tokens=3, output_tokens=2, extras=[ODD])
    whole = generate_pb2.Usage(iterations=[generate_pb2.ModelUsage(usage=usage)]) if inner else usage
    ledger = StrictLedger()
    settlements = Settlements(ledger)
    await settlements.settle(settlement(whole))
    assert await settlements.close(timedelta(seconds=10))
    (settled,) = ledger.settled
    bare = settled.lines[1].usage.iterations[0].usage if inner else settled.lines[1].usage
    assert bare == PLAIN
    assert not settled.lines[0].HasField("usage")


async def test_a_settlement_that_is_wrong_in_itself_is_not_repeated_without_end() -> None:
    ledger = StrictLedger("reservation_id")
    settlements = Settlements(ledger)
    await settlements.settle(settlement(PLAIN))
    assert await settlements.close(timedelta(seconds=10))
    assert (ledger.settled, ledger.refused) == ([], 2)
