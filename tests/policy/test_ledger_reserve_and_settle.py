"""A request's way through the ledger: held, charged, given back."""

import pytest

from llm_mesh.policy.v1 import admission_pb2, usage_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_figures.screened import ANSWER
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.ledger.domain.reservation import REFUSED, Reservation
from llm_mesh_policy.store.schema import metadata
from llm_mesh_runtime.database import Database, drift
from llm_mesh_runtime.errors import MeshError
from tests.policy.ledger_world import FREE_MODEL, MODEL, PRICE, World, attempt, line, ulid, worst


@pytest.fixture
async def world(database: Database) -> World:
    return await World(database).ready()


async def test_a_plan_holds_the_sum_of_its_attempts_and_settles_at_the_truth(world: World) -> None:
    await world.budget(1_000_000_000)
    granted = await world.reserve(attempt("a"), attempt("b"))
    assert granted.held.reservation.entry.reserved.nanos == 2 * worst()
    assert await world.standing() == (0, 2 * worst())
    settled = await world.settle(granted, line("a", inputs=500, outputs=50))
    assert settled.entry.charged.nanos == worst(500, 50)
    assert not settled.repeated
    assert await world.standing() == (worst(500, 50), 0)


async def test_the_grant_is_sealed_for_each_adapter_and_names_what_each_attempt_may(world: World) -> None:
    granted = await world.reserve(attempt("a", outputs=100), candidate_count=2)
    payload = world.seals.opened("adapter/openai", "llm_mesh.policy.v1.Grant", granted.grant)
    grant = admission_pb2.Grant.FromString(payload)
    assert [(each.attempt_id, each.max_output_tokens, each.max_candidates) for each in grant.attempts] == [("a", 100, 2)]
    assert granted.held.reservation.entry.reserved.nanos == worst(1000, 200)


async def test_settling_again_answers_the_same_and_charges_nothing_more(world: World) -> None:
    await world.budget(1_000_000_000)
    granted = await world.reserve()
    first = await world.settle(granted, line())
    second = await world.settle(granted, line(inputs=1, outputs=1))
    assert second.repeated
    assert second.entry == first.entry
    assert await world.standing() == (worst(500, 50), 0)


async def test_a_budget_that_does_not_hold_the_worst_case_refuses_and_holds_nothing(world: World) -> None:
    await world.budget(worst() - 1)
    with pytest.raises(MeshError) as refused:
        await world.reserve()
    assert refused.value.reason_name == "BUDGET_EXCEEDED"
    assert refused.value.quota[0][0] == "domains/claims/projects/triage"
    assert await world.standing() == (0, 0)
    assert [entry.allowed for entry in world.identity.audit][-1] is False


async def test_release_before_reserve_makes_the_reserve_fail(world: World) -> None:
    reservation_id = ulid()
    assert await world.lifecycle.release(reservation_id) == usage_pb2.RESERVATION_STATE_RELEASED
    with pytest.raises(MeshError) as refused:
        await world.reserve(wanted=reservation_id)
    assert refused.value.reason_name == "RESERVATION_RELEASED"


async def test_release_gives_everything_back(world: World) -> None:
    await world.budget(1_000_000_000)
    granted = await world.reserve()
    await world.lifecycle.release(granted.held.reservation.id)
    await world.lifecycle.release(granted.held.reservation.id)
    assert await world.standing() == (0, 0)


async def test_a_free_model_needs_no_price_and_costs_nothing(world: World) -> None:
    granted = await world.reserve(attempt("a", model=FREE_MODEL))
    settled = await world.settle(granted, line("a"))
    assert (granted.held.reservation.entry.reserved.nanos, settled.entry.charged.nanos) == (0, 0)


async def test_the_migrated_schema_is_what_the_code_declares(world: World) -> None:
    assert await drift(world.database, metadata) == []


async def test_what_the_registry_says_anew_counts_at_once(world: World) -> None:
    await world.reserve()
    dearer, moved = registry_pb2.Price(), registry_pb2.Model()
    dearer.CopyFrom(world.registry.prices[PRICE])
    dearer.input_nanos_per_million *= 2
    world.registry.prices[PRICE] = dearer
    granted = await world.reserve()
    assert granted.held.reservation.entry.reserved.nanos == worst() + 1000 * 3_000
    moved.CopyFrom(world.registry.models[MODEL])
    moved.endpoint = "elsewhere"
    world.registry.models[MODEL] = moved
    with pytest.raises(MeshError) as refused:
        await world.reserve()
    assert refused.value.reason_name == "PLAN_NOT_ADMITTED"
    assert world.registry.asked == [MODEL]


async def test_a_report_that_is_wrong_in_its_last_line_changes_nothing_of_the_entry(world: World) -> None:
    reservation = (await world.reserve(attempt("a"), attempt("b"))).held.reservation
    before = reservation.entry.SerializeToString(deterministic=True)
    with pytest.raises(MeshError, match=r"lines\[1\]"):
        reservation.settle([line("a"), line("zz")], 1, lambda _: 1.0)
    assert reservation.entry.SerializeToString(deterministic=True) == before


async def test_what_screening_did_to_the_request_is_recorded_with_the_reservation_and_stands_in_its_entry(world: World) -> None:
    sealed = world.admission()
    admission = admission_pb2.Admission.FromString(sealed.payload)
    admission.screened.add(detector="credit_card", masked=2)
    admission.screened.add(detector="email", logged=1)
    payload = admission.SerializeToString()
    held = await world.reserve(admission=world.seals.sealed("llm_mesh.policy.v1.Admission", payload, "policy"), request_id="r1")
    entry = held.held.reservation.entry
    assert [(each.detector, each.masked, each.logged) for each in entry.screened] == [("credit_card", 2, 0), ("email", 0, 1)]
    records = [(entry.action, entry.allowed, entry.detail, entry.request_id) for entry in world.identity.audit]
    assert records[-1] == ("requests.screen", True, "credit_card masked 2, email noted 1", "r1")
    await world.reserve()
    assert world.identity.audit[-1].action == "requests.reserve"


NAMELESS = usage_pb2.ScreeningCount(masked=1)
NEGATIVE = usage_pb2.ScreeningCount(detector="a", masked=-1)


async def test_what_screening_found_in_an_answer_is_kept_by_the_first_settlement_alone(world: World) -> None:
    granted = await world.reserve()
    number = granted.held.reservation.id
    found = usage_pb2.ScreeningCount(detector="email", masked=3)
    first = await world.lifecycle.settle(number, [line()], [found])
    assert [(each.detector, each.masked, each.direction) for each in first.entry.screened] == [("email", 3, ANSWER)]
    again = await world.lifecycle.settle(number, [line()], [found])
    assert list(again.entry.screened) == list(first.entry.screened)


@pytest.mark.parametrize("wrong", [[NAMELESS], [NEGATIVE], [NAMELESS] * 65], ids=["nameless", "negative", "many"])
async def test_a_settlement_with_impossible_findings_changes_nothing(world: World, wrong: list[usage_pb2.ScreeningCount]) -> None:
    granted = await world.reserve()
    with pytest.raises(MeshError, match="screened"):
        await world.lifecycle.settle(granted.held.reservation.id, [line()], wrong)
    settled = await world.lifecycle.settle(granted.held.reservation.id, [line()])
    assert not settled.repeated


async def test_a_refused_request_has_an_entry_that_nothing_changes(world: World) -> None:
    number = ulid().lower()
    entry = usage_pb2.LedgerEntry(name=f"domains/claims/projects/triage/reservations/{number}", state=REFUSED)
    refused = Reservation(number, "domains/claims", "domains/claims/projects/triage", "", "", "r1", entry, ())
    audit = AuditEntry(domain="domains/claims", action="requests.screen", resource="domains/claims/projects/triage", allowed=False)
    await world.ledger.refuse(refused, audit)
    assert world.identity.audit[-1].action == "requests.screen"
    assert await world.lifecycle.release(number) == REFUSED
    with pytest.raises(MeshError) as settling:
        await world.lifecycle.settle(number, [])
    assert settling.value.reason_name == "RESERVATION_RELEASED"
    (event,) = await world.reading.after(0, 10)
    assert (event.entry.state, event.entry.charged.currency, event.entry.HasField("settle_time")) == (REFUSED, "USD", True)
