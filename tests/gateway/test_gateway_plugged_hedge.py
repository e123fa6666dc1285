"""An executor that the gateway does not have plugs in: a hedge, which starts the next child when the present one is slow."""

from __future__ import annotations

from collections import deque

import pytest

from llm_mesh.policy.v1 import usage_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_gateway.domain.execution import Branch
from tests.gateway.conftest import Mesh, running, said
from tests.gateway.fakes import Script, attempt, failing, failover, failure, saying, started


class Hedge:
    async def run(self, node: plan_pb2.PlanNode, branch: Branch) -> bool:
        hedge = node.hedge
        waiting, begun = deque(hedge.children), list[Branch]()
        while waiting or begun:
            if waiting:
                begun.append(branch.begin(waiting.popleft()))
            first = await branch.first(begun, hedge.delay.ToTimedelta().total_seconds() if waiting else None)
            if first is None:
                continue
            begun.remove(first)
            if first.committed:
                for slower in begun:
                    slower.cancel()
            if await first.result():
                return True
        return False


def hedged(*children: plan_pb2.PlanNode) -> plan_pb2.Plan:
    plan = plan_pb2.Plan(root=plan_pb2.PlanNode(hedge=plan_pb2.Hedge(children=children)), decision_id="d1")
    plan.root.hedge.delay.FromMilliseconds(1)
    return plan


@pytest.mark.parametrize("slow", ["says nothing", "fails"])
async def test_the_first_child_with_content_answers_and_all_are_settled(slow: str) -> None:
    mesh = Mesh(executors={"hedge": Hedge()})
    mesh.router.plan = hedged(failover(attempt(1)).root, plan_pb2.PlanNode(attempt=attempt(2)))
    mesh.adapter.scripts = {"model-1": Script((started(), mesh.adapter.wait)), "model-2": saying("quick ", "answer")}
    if slow == "fails":
        mesh.adapter.scripts["model-1"] = failing(failure("PROVIDER_RESET"), started())
    async with running(mesh):
        messages, error = await mesh.streamed()
    assert (error, said(messages)) == (None, "quick answer")
    assert messages[-1].receipt.model == "domains/shared/models/model-2"
    outcomes = {line.attempt_id: line.outcome for line in mesh.policy.settled[0].lines}
    lost = usage_pb2.ATTEMPT_OUTCOME_FAILED if slow == "fails" else usage_pb2.ATTEMPT_OUTCOME_CANCELLED
    assert outcomes == {"a1": lost, "a2": usage_pb2.ATTEMPT_OUTCOME_COMPLETED}
    assert len(mesh.policy.settled) == 1
