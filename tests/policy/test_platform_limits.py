"""Budgets and limits of the platform bind beside a domain's own, are shown to the domain, and are not the domain's."""

from __future__ import annotations

import pytest

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import ledger_pb2
from llm_mesh_policy.domain.actor import Actor
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.identity.store.tables import resources
from llm_mesh_policy.ledger.domain.accounts import Accounts
from llm_mesh_policy.ledger.domain.limits import meter_of_budget, meter_of_limit
from llm_mesh_policy.ledger.store import each_domain, meter_rows
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.resources import page_of
from tests.policy.ledger_world import DOMAIN, KEY, MODEL, PROJECT, World, attempt, line, worst
from tests.policy.test_ledger_limits import REQUESTS, limit, put, refusal

PLATFORM = "domains/platform"
OTHER = "domains/sales"
WHOLE = ledger_pb2.Budget(name=f"{PLATFORM}/budgets/claims", subject=DOMAIN)


@pytest.fixture
async def world(database: Database) -> World:
    made = await World(database).ready()
    await add_domain(made, DOMAIN)
    return made


async def add_domain(world: World, name: str) -> None:
    """As a creation writes it."""
    values = {"domain": name.rpartition("/")[2], "id": name.rpartition("/")[2], "body": b"", "create_time": 0, "update_time": 0}

    def work(connection: object) -> None:
        connection.execute(resources["domains"].insert().values(**values))  # type: ignore[attr-defined]  # a connection
        each_domain.add_domain(connection, name, 0)  # type: ignore[arg-type]  # likewise

    await world.database.write(work)


async def budget(world: World, nanos: int, wanted: ledger_pb2.Budget = WHOLE) -> ledger_pb2.Budget:
    made = ledger_pb2.Budget()
    made.CopyFrom(wanted)
    made.amount.CopyFrom(resources_pb2.Money(currency="USD", nanos=nanos))
    return await world.limits.put_budget(made, AuditEntry(domain=PLATFORM, action="budgets.put", resource=made.name, allowed=True))


async def test_a_budget_of_a_domain_binds_all_its_projects_together(world: World) -> None:
    await world.budget(10**12)
    await budget(world, 2 * worst())
    granted = await world.reserve()
    await world.reserve(attempt(charge_to=f"{DOMAIN}/projects/other"))
    error = await refusal(world)
    assert (error.reason_name, error.quota[0][0]) == ("BUDGET_EXCEEDED", DOMAIN)
    await world.settle(granted, line(inputs=10, outputs=1))
    stored = await world.limits.budget(WHOLE.name)
    assert stored is not None
    assert (stored.spent.nanos, stored.held.nanos) == (worst(10, 1), worst())


async def test_a_new_budget_of_a_domain_knows_what_is_spent_and_held(world: World) -> None:
    await world.settle(await world.reserve(), line(inputs=10, outputs=1))
    held = await world.reserve()
    made = await budget(world, 10**12)
    assert (made.spent.nanos, made.held.nanos) == (worst(10, 1), worst())
    await world.settle(held, line(inputs=20, outputs=2))
    stored = await world.limits.budget(WHOLE.name)
    assert stored is not None
    assert (stored.spent.nanos, stored.held.nanos) == (worst(10, 1) + worst(20, 2), 0)


async def test_the_platforms_budget_of_a_project_binds_beside_its_own(world: World) -> None:
    await world.budget(10**12)
    await budget(world, worst() - 1, ledger_pb2.Budget(name=f"{PLATFORM}/budgets/p", subject=PROJECT))
    assert (await refusal(world)).reason_name == "BUDGET_EXCEEDED"
    await world.limits.delete_budget(f"{PLATFORM}/budgets/p", AuditEntry(PLATFORM, "budgets.delete", "", allowed=True))
    await world.reserve()


async def test_a_limit_of_each_domain_counts_for_each_by_itself(world: World) -> None:
    await put(world, limit("domain:*", REQUESTS, 1, domain=PLATFORM))
    await world.reserve()
    error = await refusal(world)
    assert (error.reason_name, error.quota[0][0]) == ("LIMIT_EXCEEDED", DOMAIN)
    await add_domain(world, OTHER)  # created after the limit
    assert await counted(world, OTHER) == (1, 0)
    await put(world, limit("domain:*", REQUESTS, 2, domain=PLATFORM))  # goes on counting
    await world.reserve()
    assert (await refusal(world)).reason_name == "LIMIT_EXCEEDED"
    await world.limits.delete_limit(f"{PLATFORM}/limits/l", AuditEntry(PLATFORM, "limits.delete", "", allowed=True))
    await world.reserve()


async def counted(world: World, domain: str) -> tuple[int, int]:
    """The amount and the count of a domain's own meter of the limit."""
    [meter] = await world.database.read(lambda connection: meter_rows.binding(connection, [domain]))
    return meter.amount, meter.spent + meter.held


async def test_a_limit_that_ends_to_be_of_each_domain_binds_none(world: World) -> None:
    await put(world, limit("domain:*", REQUESTS, 0, domain=PLATFORM))
    await put(world, limit(OTHER, REQUESTS, 0, domain=PLATFORM))
    await world.reserve()


@pytest.mark.parametrize("subject", [KEY, PROJECT, f"{DOMAIN}/tags/team=a", f"model:{MODEL}", "tag:team=a", "domain:*"])
async def test_the_platform_binds_any_subject_and_the_domain_sees_it(world: World, subject: str) -> None:
    await put(world, limit(subject, REQUESTS, 0, domain=PLATFORM))
    assert (await refusal(world, admission=world.admission(tags={"team": "a"}))).reason_name == "LIMIT_EXCEEDED"
    [shown] = await world.limits.limits(DOMAIN, "", 10)
    assert (shown.name, shown.subject) == (f"{PLATFORM}/limits/l", subject)
    of_all = subject in {"tag:team=a", "domain:*", f"model:{MODEL}"}  # a shared model
    assert len(await world.limits.limits(OTHER, "", 10)) == of_all


async def test_a_domains_tag_of_the_platform_leaves_the_same_tag_elsewhere_alone(world: World) -> None:
    await put(world, limit(f"{OTHER}/tags/team=a", REQUESTS, 0, domain=PLATFORM))
    await world.reserve(admission=world.admission(tags={"team": "a"}))


async def test_a_domain_sees_its_own_budgets_and_those_that_bind_it_page_by_page(world: World) -> None:
    await world.budget(5)
    await budget(world, 7)
    await budget(world, 9, ledger_pb2.Budget(name=f"{PLATFORM}/budgets/sales", subject=OTHER))
    assert [each.name for each in await world.limits.budgets(DOMAIN, "", 10)] == [f"{PROJECT}/budget", WHOLE.name]
    assert [each.name for each in await world.limits.budgets(DOMAIN, f"{PROJECT}/budget", 10)] == [WHOLE.name]


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (ledger_pb2.Budget(name=f"{PLATFORM}/budgets/x"), "budget.subject"),
        (ledger_pb2.Budget(name=f"{PLATFORM}/budgets/x", subject=KEY), "budget.subject"),
        (ledger_pb2.Budget(name=f"{PROJECT}/budget", subject=DOMAIN), "budget.subject"),
        (ledger_pb2.Budget(name=f"{DOMAIN}/budgets/x", subject=DOMAIN), "budget.name"),
    ],
)
def test_a_budget_names_whom_it_may_bind(wanted: ledger_pb2.Budget, field: str) -> None:
    with pytest.raises(MeshError) as refused:
        meter_of_budget(wanted, "USD")
    assert refused.value.field == field


@pytest.mark.parametrize("subject", ["domain:*", f"{OTHER}/tags/a=b", f"{DOMAIN}/tags/a", f"{DOMAIN}/tags/A=b"])
def test_only_the_platform_binds_each_domain_and_others_tags(subject: str) -> None:
    with pytest.raises(MeshError) as refused:
        meter_of_limit(limit(subject, REQUESTS, 1))
    assert refused.value.field == "limit.subject"


async def test_a_budget_binds_what_exists(world: World) -> None:
    accounts = Accounts(world.limits, world.reading, world.ledger, world.identity, currency="USD")
    actor = Actor("domains/platform/principals/admin")
    amount = resources_pb2.Money(currency="USD", nanos=1)
    for subject in (OTHER, f"{DOMAIN}/projects/none"):
        with pytest.raises(MeshError) as refused:
            await accounts.put_budget(ledger_pb2.Budget(name=WHOLE.name, subject=subject, amount=amount), actor)
        assert refused.value.reason_name == "NOT_FOUND"
    made = await accounts.put_budget(ledger_pb2.Budget(name=WHOLE.name, subject=DOMAIN, amount=amount), actor)
    listed, _ = await accounts.budgets(DOMAIN, page_of(ledger_pb2.ListBudgetsRequest()))
    assert listed == [made]
    await accounts.delete_budget(WHOLE.name, actor)
    with pytest.raises(MeshError):
        await accounts.delete_budget(WHOLE.name, actor)
