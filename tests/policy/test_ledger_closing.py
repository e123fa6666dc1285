"""What the ledger does about bills that should not be: it charges the possible, raises an alert, and closes the budget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import ledger_pb2, usage_pb2
from llm_mesh_figures.money import MAX_AMOUNT, MAX_PRICE
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.ledger.domain import settlement
from llm_mesh_policy.ledger.domain.alerts import AlertKind, Alerts
from llm_mesh_policy.ledger.domain.lifecycle import Lifecycle
from llm_mesh_policy.ledger.domain.plausible import most_input, most_output
from llm_mesh_policy.ledger.domain.quote import QuoteLine
from llm_mesh_policy.ledger.store.ledger import SqlLedger
from llm_mesh_policy.ledger.store.rate_rows import rates_in
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from tests.policy.ledger_world import DOMAIN, FREE_MODEL, MODEL, PRICE, PROJECT, World, attempt, line, worst

BUDGET = f"{PROJECT}/budget"
HUGE = 10**12


class Counting:
    def __init__(self) -> None:
        self.count = 0

    def inc(self) -> None:
        self.count += 1


@pytest.fixture
async def world(database: Database) -> World:
    world = await World(database).ready()
    await world.budget(10**9)
    return world


def with_alerts(world: World) -> dict[AlertKind, Counting]:
    counters = {kind: Counting() for kind in AlertKind}
    world.lifecycle = Lifecycle(world.ledger, world.speeds, Alerts(counters))
    return counters


async def refusal(world: World, **fields: object) -> MeshError:
    with pytest.raises(MeshError) as refused:
        await world.reserve(**fields)  # type: ignore[arg-type] # fields of the request
    return refused.value


async def budget_of(world: World) -> ledger_pb2.Budget:
    found = await world.limits.budget(BUDGET)
    assert found is not None
    return found


async def test_an_overrun_is_recorded_raises_an_alert_and_closes_the_budget_until_it_is_put_again(world: World) -> None:
    counters = with_alerts(world)
    granted, other = await world.reserve(), await world.reserve()
    settled = await world.settle(granted, line(inputs=1000, outputs=150))
    assert settled.entry.overrun
    assert counters[AlertKind.OVERRUN].count == 1
    assert (await budget_of(world)).HasField("close_time")
    refused = await refusal(world)
    assert (refused.reason_name, refused.metadata["meter"]) == ("BUDGET_CLOSED", BUDGET)
    assert refused.retry_after is None, "waiting does not open it"
    closing = [entry for entry in world.identity.audit if entry.action == "budgets.close"]
    assert [(entry.resource, settled.entry.name in entry.detail) for entry in closing] == [(BUDGET, True)]
    await world.settle(other, line())
    assert (await world.standing())[1] == 0, "what was held before still ends"
    await world.budget(10**9)
    assert not (await budget_of(world)).HasField("close_time")
    await world.reserve()


async def test_a_closed_budget_stays_closed_in_its_next_period_and_lets_free_models_pass(world: World) -> None:
    await world.settle(await world.reserve(), line(inputs=1000, outputs=150))
    await world.reserve(attempt(model=FREE_MODEL))
    assert (await refusal(world)).reason_name == "BUDGET_CLOSED"


async def test_requests_in_the_same_group_as_an_overrun_are_refused_too(world: World) -> None:
    """Groups see what their own works have done before it is written."""
    granted = await world.reserve()
    await world.settle(granted, line(inputs=1000, outputs=150))
    again = await world.settle(granted, line(inputs=1000, outputs=150))
    assert again.repeated
    assert sum(entry.action == "budgets.close" for entry in world.identity.audit) == 1


@pytest.mark.parametrize("field", ["input_tokens", "output_tokens"])
async def test_impossible_usage_is_counted_instead_flagged_and_alerted(world: World, field: str) -> None:
    counters = with_alerts(world)
    granted = await world.reserve()
    report = line(inputs=500, outputs=50)
    setattr(report.usage, field, HUGE)
    report.counted_input_tokens, report.counted_output_tokens = 400, 40
    settled = await world.settle(granted, report)
    (charged,) = settled.entry.lines
    assert charged.implausible
    assert getattr(charged.reported_usage, field) == HUGE
    assert charged.usage.source == usage_pb2.USAGE_SOURCE_COUNTED
    assert settled.entry.charged.nanos == (worst(400, 50) if field == "input_tokens" else worst(500, 40))
    assert not settled.entry.overrun
    assert counters[AlertKind.IMPLAUSIBLE_USAGE].count == 1
    await world.reserve()


async def test_impossible_usage_of_a_model_that_hides_output_is_charged_at_its_bound(world: World) -> None:
    world.registry.models[MODEL].capabilities.append("reasoning")
    granted = await world.reserve()
    report = line(inputs=500, outputs=HUGE)
    report.counted_output_tokens = 1
    assert (await world.settle(granted, report)).entry.charged.nanos == worst(500, 100)


async def test_negative_usage_settles_and_is_flagged(world: World) -> None:
    """A refused settlement would leave the money held for as long as the gateway lives."""
    granted = await world.reserve()
    settled = await world.settle(granted, line(inputs=-1, outputs=50))
    assert settled.entry.lines[0].implausible
    assert settled.entry.charged.nanos == worst(1000, 50)


COUNTS = st.integers(-(2**62), 2**62)


@given(
    inputs=st.integers(0, 10**6),
    outputs=st.integers(0, 10**6),
    prices=st.lists(st.integers(0, MAX_PRICE), min_size=8, max_size=8),
    reported=st.lists(COUNTS, min_size=7, max_size=7),
    outcome=st.sampled_from([1, 2, 3, 4, 6]),
    source=st.sampled_from([1, 2, 3]),
    counted=st.integers(0, 2**62),
    reasons=st.booleans(),
)
def test_no_report_is_charged_more_than_an_attempt_can_use(
    inputs: int, outputs: int, prices: list[int], reported: list[int], outcome: int, source: int, counted: int, *, reasons: bool
) -> None:
    rates, _ = rates_in(prices)
    quoted = QuoteLine(
        "a", "x", "y", "z", "", "", MODEL, "p", PROJECT, inputs, outputs, 1, rates.worst(inputs, outputs), rates, reasons=reasons
    )  # fmt: skip
    report = usage_pb2.UsageLine(attempt_id="a", outcome=outcome, source=source, duration_us=counted)  # type: ignore[arg-type]
    report.counted_input_tokens = report.counted_output_tokens = counted
    names = ("input", "output", "cached_input", "cache_write_input", "reasoning_output", "audio_input", "audio_output")
    for name, count in zip(names, reported, strict=True):
        setattr(report.usage, f"{name}_tokens", count)
    (made,) = settlement.charges([quoted], [report], lambda _: 100.0)
    assert 0 <= made.nanos <= rates.worst(most_input(quoted), most_output(quoted))
    assert made.implausible or all(count >= 0 for count in reported)


async def test_a_worst_case_beyond_64_bits_is_an_invalid_argument_that_holds_nothing(world: World) -> None:
    dear = world.registry.prices[PRICE]
    dear.output_nanos_per_million = MAX_PRICE
    world.registry.prices[PRICE] = type(dear).FromString(dear.SerializeToString())
    refused = await refusal(world, candidate_count=128, admission=world.admission(max_output_tokens=10**9))
    assert refused.reason_name == "BUDGET_EXCEEDED", "a budget of one dollar is the first to refuse"
    with pytest.raises(MeshError) as huge:
        await world.reserve(attempt(outputs=10**9), admission=world.admission(max_output_tokens=10**9), candidate_count=128)
    assert (huge.value.code.name, huge.value.field) == ("INVALID_ARGUMENT", "input.max_output_tokens")
    assert await world.standing() == (0, 0)


async def test_the_worst_cases_of_all_attempts_together_are_bounded(world: World) -> None:
    dear = world.registry.prices[PRICE]
    dear.output_nanos_per_million = MAX_PRICE
    world.registry.prices[PRICE] = type(dear).FromString(dear.SerializeToString())
    most = MAX_AMOUNT // (MAX_PRICE // 10**6) // 2 - 1
    admission = world.admission(max_output_tokens=most)
    await world.budget(MAX_AMOUNT)
    refused = await refusal_of(world, [attempt(f"a{number}", outputs=most) for number in range(3)], admission)
    assert (refused.code.name, refused.field) == ("INVALID_ARGUMENT", "input.max_output_tokens")


async def refusal_of(world: World, attempts: list[object], admission: resources_pb2.Sealed) -> MeshError:
    with pytest.raises(MeshError) as refused:
        await world.reserve(*attempts, admission=admission)  # type: ignore[arg-type] # attempts
    return refused.value


async def test_the_largest_budget_and_price_work_and_larger_ones_are_refused(world: World) -> None:
    dear = world.registry.prices[PRICE]
    dear.output_nanos_per_million = dear.input_nanos_per_million = MAX_PRICE
    world.registry.prices[PRICE] = type(dear).FromString(dear.SerializeToString())
    await world.budget(MAX_AMOUNT)
    granted = await world.reserve(attempt(inputs=1000, outputs=100))
    await world.settle(granted, line(inputs=1000, outputs=100))
    assert await world.standing() == (1100 * MAX_PRICE // 10**6, 0)
    with pytest.raises(MeshError) as refused:
        await world.budget(MAX_AMOUNT + 1)
    assert refused.value.field == "budget.amount.nanos"


async def test_a_budget_counts_entries_whose_sum_is_beyond_64_bits(database: Database) -> None:
    world = await World(database).ready()
    dear = world.registry.prices[PRICE]
    dear.output_nanos_per_million = MAX_PRICE
    world.registry.prices[PRICE] = type(dear).FromString(dear.SerializeToString())
    tokens = 10**6 * (MAX_AMOUNT // MAX_PRICE) - 1000
    for _ in range(3):
        granted = await world.reserve(attempt(outputs=tokens), admission=world.admission(max_output_tokens=tokens))
        await world.settle(granted, line(outputs=tokens))
    await world.budget(10**9)
    assert await world.standing() == (MAX_AMOUNT, 0), "it stops at the largest amount"
    assert (await refusal(world)).reason_name == "BUDGET_EXCEEDED"


async def test_sums_of_overruns_stop_at_the_largest_amount(database: Database) -> None:
    world = await World(database).ready()
    dear = world.registry.prices[PRICE]
    dear.output_nanos_per_million = MAX_PRICE
    world.registry.prices[PRICE] = type(dear).FromString(dear.SerializeToString())
    await world.budget(MAX_AMOUNT)
    tokens = MAX_AMOUNT // (MAX_PRICE // 10**6) // 2 - 1000
    bounds = world.admission(max_output_tokens=tokens)
    both = [await world.reserve(attempt(outputs=tokens), admission=bounds) for _ in range(2)]
    for granted in both:
        assert (await world.settle(granted, line(outputs=tokens * 5 // 4))).entry.overrun
    assert await world.standing() == (MAX_AMOUNT, 0)


async def test_a_meter_at_the_largest_amount_stays_there(world: World) -> None:
    """A store of an earlier build, or one that was changed past the ledger, may hold such a figure."""
    granted = await world.reserve()
    full = text("UPDATE ledger_meters SET spent = :most").bindparams(most=MAX_AMOUNT)
    await world.database.write(lambda connection: connection.execute(full).rowcount)
    await world.settle(granted, line())
    assert await world.standing() == (MAX_AMOUNT, 0)


async def test_a_project_without_a_budget_is_refused_where_the_mesh_demands_one(database: Database) -> None:
    world = await World(database).ready()
    await world.reserve()
    world.ledger = SqlLedger(database, world.identity, currency="USD", budget_required=True)
    world.reserving._ledger = world.ledger
    refused = await refusal(world)
    assert (refused.reason_name, refused.metadata["project"]) == ("BUDGET_REQUIRED", PROJECT)
    assert PROJECT in refused.message
    await world.reserve(attempt(model=FREE_MODEL))
    await world.budget(10**9)
    await world.reserve()


def limit(amount: int, *, subject: str = PROJECT, window: int = 31 * 86_400, required: bool = False) -> ledger_pb2.Limit:
    made = ledger_pb2.Limit(
        name=f"{DOMAIN}/limits/one", subject=subject, metric=ledger_pb2.LIMIT_METRIC_REQUESTS, amount=amount, tag_required=required
    )
    made.window.FromSeconds(window)
    return made


async def put(world: World, wanted: ledger_pb2.Limit) -> None:
    await world.limits.put_limit(wanted, AuditEntry(domain=DOMAIN, action="limits.put", resource=wanted.name, allowed=True))


async def test_changing_a_limit_keeps_its_count_and_another_window_begins_anew(world: World) -> None:
    await put(world, limit(2))
    await world.reserve()
    await world.reserve()
    assert (await refusal(world)).reason_name == "LIMIT_EXCEEDED"
    await put(world, limit(3))
    await world.reserve()
    assert (await refusal(world)).reason_name == "LIMIT_EXCEEDED"
    await put(world, limit(1))
    assert (await refusal(world)).reason_name == "LIMIT_EXCEEDED"
    await put(world, limit(1, window=30 * 86_400))
    await world.reserve()


async def test_a_limit_by_tag_can_demand_the_tag(world: World) -> None:
    await put(world, limit(1, subject="tag:team=red", required=True))
    refused = await refusal(world)
    assert (refused.reason_name, refused.metadata["tag"], refused.field) == ("TAG_REQUIRED", "team", "options.tags.team")
    await world.reserve(admission=world.admission(tags={"team": "blue"}))
    await world.reserve(admission=world.admission(tags={"team": "red"}))
    assert (await refusal(world, admission=world.admission(tags={"team": "red"}))).reason_name == "LIMIT_EXCEEDED"
    await put(world, limit(1, subject="tag:team=red"))
    await world.reserve()


async def test_a_limit_of_another_domain_demands_nothing_here(world: World) -> None:
    other = limit(1, subject="tag:team=red", required=True)
    other.name = "domains/other/limits/one"
    await put(world, other)
    await world.reserve()
    everywhere = limit(1, subject="tag:team=red", required=True)
    everywhere.name = "domains/platform/limits/one"
    await put(world, everywhere)
    assert (await refusal(world)).reason_name == "TAG_REQUIRED"


async def test_only_a_limit_by_tag_demands_a_tag(world: World) -> None:
    with pytest.raises(MeshError) as refused:
        await put(world, limit(1, required=True))
    assert refused.value.field == "limit.tag_required"
