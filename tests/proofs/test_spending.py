"""Many clients spend from one budget at once and never overspend it (two budgets of the proof)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from tests.proofs.gone import chat
from tests.proofs.proof import Proof, rng_of, seeds
from tests.proofs.refusals import refused
from tests.proofs.spending import Spending
from tests.proofs.stand import PROJECT, Stand

PROOF = Spending()


@pytest.mark.parametrize("seed", seeds(), ids="seed-{}".format)
def test_a_budget_that_many_spend_from_is_never_overspent(standing: Callable[[Proof], Any], seed: int) -> None:
    stand = standing(PROOF)
    for case in PROOF.cases(full=False):
        print(f"seed {seed}: {case}")
        print(PROOF.show(stand, case, rng_of(seed, case)))


def test_over_grpc_a_spent_budget_is_named(standing: Callable[[Proof], Any]) -> None:
    stand: Stand = standing(PROOF)
    stand.put_budget(0)
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(stand.channel)
    asked = gateway_pb2.GenerateRequest(input=chat("spend-quick", "hi"))
    told = refused(lambda: stub.Generate(asked, metadata=(*stand.user, ("x-request-id", "no-money"))))
    assert told.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (told.reason, told.domain, told.reasons) == ("BUDGET_EXCEEDED", "policy.llm-mesh", 1)
    assert told.quota == (PROJECT,)
    assert stand.entries("no-money") == []
    assert stand.provider.received("no-money") == []
