"""Limits of every kind, for every subject, and budgets by period."""

from dataclasses import replace

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from sqlalchemy import update

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import ledger_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.ledger.domain.limits import budget_of, meter_of_budget, meter_of_limit
from llm_mesh_policy.ledger.domain.meters import DAY, FOREVER, MONEY, MONTHLY, Meter, fit, window_of
from llm_mesh_policy.ledger.store.tables import meters
from llm_mesh_policy.store.unit_of_work import SqlUnitOfWork
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from tests.policy.ledger_world import DOMAIN, FREE_MODEL, KEY, MODEL, PRINCIPAL, PROJECT, World, attempt, line, worst

REQUESTS = ledger_pb2.LIMIT_METRIC_REQUESTS
CONCURRENCY = ledger_pb2.LIMIT_METRIC_CONCURRENCY
TOKENS = ledger_pb2.LIMIT_METRIC_TOKENS


@pytest.fixture
async def world(database: Database) -> World:
    return await World(database).ready()


def limit(subject: str, metric: ledger_pb2.LimitMetric, amount: int, *, domain: str = DOMAIN, seconds: int = 3600) -> ledger_pb2.Limit:
    made = ledger_pb2.Limit(name=f"{domain}/limits/l", subject=subject, metric=metric, amount=amount)
    if metric != CONCURRENCY:
        made.window.FromSeconds(seconds)
    return made


async def put(world: World, wanted: ledger_pb2.Limit) -> None:
    await world.limits.put_limit(wanted, AuditEntry(domain=DOMAIN, action="limits.put", resource=wanted.name, allowed=True))


async def refusal(world: World, **fields: object) -> MeshError:
    with pytest.raises(MeshError) as refused:
        await world.reserve(**fields)  # type: ignore[arg-type]
    return refused.value


@pytest.mark.parametrize("subject", [KEY, PRINCIPAL, PROJECT, DOMAIN, f"model:{MODEL}", "tag:team=a"])
async def test_each_subject_is_bound(world: World, subject: str) -> None:
    await put(world, limit(subject, REQUESTS, 1))
    await world.reserve(admission=world.admission(tags={"team": "a"}))
    error = await refusal(world, admission=world.admission(tags={"team": "a"}))
    assert (error.reason_name, error.quota[0][0]) == ("LIMIT_EXCEEDED", subject)
    assert error.retry_after is not None


async def test_a_limit_on_a_model_leaves_others_alone(world: World) -> None:
    await put(world, limit(f"model:{MODEL}", REQUESTS, 0))
    await world.reserve(attempt("a", model=FREE_MODEL))
    assert (await refusal(world)).reason_name == "LIMIT_EXCEEDED"


async def test_the_platform_binds_every_domain_and_a_domain_only_itself(world: World) -> None:
    await put(world, limit(f"model:{MODEL}", REQUESTS, 0, domain="domains/sales"))
    await world.reserve()
    await put(world, limit(f"model:{MODEL}", REQUESTS, 1, domain="domains/platform"))
    await world.reserve()
    await refusal(world)


async def test_concurrency_is_given_back_by_every_end(world: World) -> None:
    await put(world, limit(PROJECT, CONCURRENCY, 1))
    granted = await world.reserve()
    assert (await refusal(world)).retry_after == 1.0
    await world.settle(granted, line())
    granted = await world.reserve()
    await world.lifecycle.release(granted.held.reservation.id)
    await world.reserve()


async def test_tokens_are_held_at_the_worst_case_and_settled_at_the_truth(world: World) -> None:
    await put(world, limit(KEY, TOKENS, 1700))
    granted = await world.reserve(attempt("a", inputs=1000, outputs=100))
    assert (await refusal(world)).reason_name == "LIMIT_EXCEEDED"
    await world.settle(granted, line(inputs=500, outputs=50))
    held = (await world.reserve()).held
    assert [(status.metric, status.limit, status.remaining) for status in held.limits] == [("tokens", 1700, 50)]


async def test_a_request_that_is_too_large_for_a_limit_is_not_told_to_wait(world: World) -> None:
    await put(world, limit(KEY, TOKENS, 10))
    assert (await refusal(world)).retry_after is None


async def test_all_limits_hold_or_none(world: World) -> None:
    await world.budget(worst() - 1)
    await put(world, limit(KEY, REQUESTS, 1))
    assert (await refusal(world)).reason_name == "BUDGET_EXCEEDED"
    await world.budget(worst())
    await world.reserve()


async def test_a_new_window_begins_empty_and_a_late_settlement_stays_in_the_old_one(world: World) -> None:
    await put(world, limit(KEY, REQUESTS, 1))
    granted = await world.reserve()
    await refusal(world)
    past = update(meters).values(window=meters.c.window - 3600 * 1_000_000)
    await world.database.write(lambda connection: connection.execute(past).rowcount)
    await world.reserve()
    await world.settle(granted, line())
    await refusal(world)


async def test_a_budget_that_comes_late_knows_what_was_spent_and_held(world: World) -> None:
    await world.settle(await world.reserve(), line())
    open_one = await world.reserve()
    await world.budget(10 * worst(), ledger_pb2.BUDGET_PERIOD_MONTHLY)
    assert await world.standing() == (worst(500, 50), worst())
    await world.settle(open_one, line())
    assert await world.standing() == (2 * worst(500, 50), 0)


async def test_what_another_project_pays_counts_there(world: World) -> None:
    other = "domains/claims/projects/lab"
    await world.budget(worst())
    amount = resources_pb2.Money(currency="USD", nanos=worst())
    audit = AuditEntry(domain=DOMAIN, action="budgets.put", resource="x", allowed=True)
    await world.limits.put_budget(ledger_pb2.Budget(name=f"{other}/budget", amount=amount), audit)
    granted = await world.reserve(attempt("a"), attempt("b", charge_to=other))
    await world.settle(granted, line("a"), line("b"))
    assert await world.standing() == (worst(500, 50), 0)
    lab = await world.limits.budget(f"{other}/budget")
    assert lab is not None
    assert lab.spent.nanos == worst(500, 50)
    daily = ledger_pb2.Budget(name=f"{other}/budget", amount=amount, period=ledger_pb2.BUDGET_PERIOD_DAILY)
    assert (await world.limits.put_budget(daily, audit)).spent.nanos == worst(500, 50)


async def test_applying_says_what_changes_and_a_dry_run_changes_nothing(world: World) -> None:
    wanted = ledger_pb2.Budget(name=f"{PROJECT}/budget", amount=resources_pb2.Money(currency="USD", nanos=5))

    async def apply(*, dry_run: bool) -> resources_pb2.Change:
        step = await world.database.write(
            lambda connection: world.limits.apply_budget(SqlUnitOfWork(connection, world.database), wanted, {}, dry_run=dry_run)
        )
        return step.change

    assert (await apply(dry_run=True)).action == resources_pb2.CHANGE_ACTION_CREATE
    assert (await apply(dry_run=False)).action == resources_pb2.CHANGE_ACTION_CREATE
    assert (await apply(dry_run=False)).action == resources_pb2.CHANGE_ACTION_NONE
    wanted.amount.nanos = 6
    change = await apply(dry_run=False)
    assert (change.action, [field.path for field in change.fields]) == (resources_pb2.CHANGE_ACTION_UPDATE, ["amount"])
    bound = limit(PROJECT, REQUESTS, 3)
    for action in (resources_pb2.CHANGE_ACTION_CREATE, resources_pb2.CHANGE_ACTION_NONE):
        made = await world.database.write(
            lambda connection: world.limits.apply_limit(SqlUnitOfWork(connection, world.database), bound, {}, dry_run=False)
        )
        assert made.change.action == action


async def test_an_apply_touches_the_named_fields_of_a_budget_and_deletes_one_without_an_amount(world: World) -> None:
    name = f"{PROJECT}/budget"
    usd = resources_pb2.Money(currency="USD", nanos=5)
    await world.limits.put_budget(
        ledger_pb2.Budget(name=name, amount=usd, period=ledger_pb2.BUDGET_PERIOD_MONTHLY),
        AuditEntry(domain=DOMAIN, action="budgets.put", resource=name, allowed=True),
    )

    async def apply(budget: ledger_pb2.Budget, *paths: str, dry_run: bool = False) -> resources_pb2.Change:
        masks = {name: FieldMask(paths=paths)} if paths else {}
        step = await world.database.write(
            lambda connection: world.limits.apply_budget(SqlUnitOfWork(connection, world.database), budget, masks, dry_run=dry_run)
        )
        return step.change

    raised = ledger_pb2.Budget(name=name, amount=resources_pb2.Money(currency="USD", nanos=6))
    change = await apply(raised)
    assert ([field.path for field in change.fields], change.loosens) == (["amount"], True)
    kept = await world.limits.budget(name)
    assert kept is not None
    assert (kept.amount.nanos, kept.period) == (6, ledger_pb2.BUDGET_PERIOD_MONTHLY)
    gone = ledger_pb2.Budget(name=name)
    assert (await apply(gone)).action == resources_pb2.CHANGE_ACTION_NONE
    for dry_run in (True, False):
        change = await apply(gone, "amount", dry_run=dry_run)
        assert (change.action, change.loosens) == (resources_pb2.CHANGE_ACTION_DELETE, True)
    assert await world.limits.budget(name) is None
    assert (await apply(gone, "amount")).action == resources_pb2.CHANGE_ACTION_NONE


async def test_an_apply_does_not_open_a_budget_that_was_closed(world: World) -> None:
    name = f"{PROJECT}/budget"
    audit = AuditEntry(domain=DOMAIN, action="budgets.put", resource=name, allowed=True)
    await world.limits.put_budget(ledger_pb2.Budget(name=name, amount=resources_pb2.Money(currency="USD", nanos=5)), audit)
    closing = update(meters).where(meters.c.name == name).values(closed=1)
    await world.database.write(lambda connection: connection.execute(closing).rowcount)
    raised = ledger_pb2.Budget(name=name, amount=resources_pb2.Money(currency="USD", nanos=6), period=ledger_pb2.BUDGET_PERIOD_DAILY)
    await world.database.write(
        lambda connection: world.limits.apply_budget(SqlUnitOfWork(connection, world.database), raised, {}, dry_run=False)
    )
    kept = await world.limits.budget(name)
    assert kept is not None
    assert (kept.amount.nanos, kept.HasField("close_time")) == (6, True)
    assert not (await world.limits.put_budget(raised, audit)).HasField("close_time")


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("limit.subject", limit("domains/sales", REQUESTS, 1)),
        ("limit.subject", limit("model:big", REQUESTS, 1)),
        ("limit.subject", limit("tag:team", REQUESTS, 1)),
        ("limit.metric", limit(PROJECT, ledger_pb2.LIMIT_METRIC_UNSPECIFIED, 1)),
        ("limit.amount", limit(PROJECT, REQUESTS, -1)),
        ("limit.window", limit(PROJECT, REQUESTS, 1, seconds=32 * 86_400)),
    ],
)
def test_a_limit_that_is_none_is_refused_by_field(field: str, wanted: ledger_pb2.Limit) -> None:
    with pytest.raises(MeshError) as refused:
        meter_of_limit(wanted)
    assert refused.value.field == field


def test_a_budget_in_another_currency_is_refused() -> None:
    with pytest.raises(MeshError) as refused:
        meter_of_budget(ledger_pb2.Budget(name=f"{PROJECT}/budget", amount=resources_pb2.Money(currency="EUR")), "USD")
    assert refused.value.field == "budget.amount.currency"


@pytest.mark.parametrize("period", [FOREVER, DAY, MONTHLY])
def test_a_budget_shows_the_present_period_only(period: int) -> None:
    now = 1_795_184_952_482_227
    meter = Meter(f"{PROJECT}/budget", PROJECT, MONEY, 10, period, 1, window_of(period, now), 3, 4)
    shown = budget_of(meter, now, "USD")
    assert (shown.spent.nanos, shown.held.nanos) == (3, 4)
    later = budget_of(meter, now + 40 * DAY, "USD")
    assert later.spent.nanos == (3 if period == FOREVER else 0)


def test_what_asks_for_nothing_passes_even_where_nothing_is_left() -> None:
    spent = Meter("m", PROJECT, MONEY, 10, FOREVER, 1, 0, 12, 0)
    assert not fit([spent], {PROJECT: {MONEY: 0}}, 0).excesses
    assert fit([replace(spent, spent=10)], {PROJECT: {MONEY: 1}}, 0).excesses
