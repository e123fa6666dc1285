"""Two instances of policy spend from the same budgets at once, in whatever order requests name them: exact, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import random

import pytest

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import ledger_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from tests.policy.drafts import DOMAIN, PROJECTS, attempt, draft, report
from tests.policy.ledger_world import World, ulid
from tests.postgres import Cluster
from tests.proofs.proof import count

SIZE = 10
COST = attempt("a", SIZE, PROJECTS[0]).reserved
FOR = 60
"""Attempts that each budget bears."""
CLIENTS, EACH = 12, 10
"""Clients, each with one request after the other, so that transactions of both instances overlap all the time."""


async def spend(world: World, payers: list[str]) -> str:
    """One request whose attempts are paid by projects in an order; answered, and every second one settled for what was reserved."""
    lines = [attempt(f"a{number}", SIZE, payer) for number, payer in enumerate(payers)]
    number = ulid().lower()
    try:
        await world.ledger.reserve(draft(number, payers[0], lines))
    except MeshError as refusal:
        return refusal.reason_name
    if int(number, 36) % 2:
        await world.ledger.settle(number, [report(line.id, SIZE, SIZE) for line in lines])
    return ""


async def at_once(url: str, rng: random.Random) -> None:
    worlds = [World(Database(url, name="policy")) for _ in range(2)]
    await worlds[0].ready()
    for project in PROJECTS:
        amount = resources_pb2.Money(currency="USD", nanos=FOR * COST)
        name = f"{project}/budget"
        audit = AuditEntry(domain=DOMAIN, action="budgets.put", resource=name, allowed=True)
        await worlds[0].limits.put_budget(ledger_pb2.Budget(name=name, amount=amount), audit)

    async def client(world: World) -> list[str]:
        return [await spend(world, rng.sample(PROJECTS, len(PROJECTS))) for _ in range(EACH)]

    clients = await asyncio.gather(*(client(worlds[number % 2]) for number in range(CLIENTS)))
    answers = [answer for each in clients for answer in each]
    assert set(answers) == {"", "BUDGET_EXCEEDED"}
    for project in PROJECTS:
        budget = await worlds[1].limits.budget(f"{project}/budget")
        assert budget is not None
        assert budget.spent.nanos + budget.held.nanos == FOR * COST
    assert answers.count("") == FOR
    for world in worlds:
        await world.database.close()


@pytest.mark.parametrize("seed", range(count(1, 50)))
async def test_budgets_named_in_random_orders_by_two_instances_are_exact_and_nothing_is_deadlocked(postgres: Cluster, seed: int) -> None:
    await at_once(postgres.database(), random.Random(seed))  # noqa: S311 (an order, repeatable)
