"""Idempotency keys, exactly as documented: unique per project with the request's digest, for 24 hours."""

import pytest
from sqlalchemy import text

from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_policy.ledger.domain.reserving import Granted
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from tests.policy.ledger_world import FREE_MODEL, World, attempt, line, worst

DIGEST, OTHER = b"1" * 32, b"2" * 32


@pytest.fixture
async def world(database: Database) -> World:
    return await World(database).ready()


async def refused(world: World, digest: bytes = DIGEST) -> MeshError:
    with pytest.raises(MeshError) as refusal:
        await keyed(world, digest)
    return refusal.value


async def keyed(world: World, digest: bytes = DIGEST) -> Granted:
    return await world.reserve(idempotency_key="k", request_digest=digest, request_id="first")


async def test_another_body_under_the_same_key_is_invalid(world: World) -> None:
    await keyed(world)
    assert (await refused(world, OTHER)).reason_name == "IDEMPOTENCY_KEY_REUSED"


async def test_a_repetition_while_the_first_is_in_progress_is_aborted(world: World) -> None:
    await keyed(world)
    error = await refused(world)
    assert (error.reason_name, error.retry_after, error.metadata["request_id"]) == ("IDEMPOTENCY_IN_PROGRESS", 1.0, "first")


async def test_a_repetition_after_the_end_gets_the_receipt(world: World) -> None:
    granted = await keyed(world)
    await world.settle(granted, line())
    error = await refused(world)
    assert error.reason_name == "IDEMPOTENCY_COMPLETED"
    assert error.metadata["reservation"] == granted.held.reservation.entry.name
    assert error.metadata["charged_nanos"] == str(worst(500, 50))
    told = {name: error.metadata[name] for name in ("charged_currency", "input_tokens", "output_tokens", "outcome", "request_id")}
    assert told == {
        "charged_currency": "USD", "input_tokens": "500", "output_tokens": "50", "outcome": "completed", "request_id": "first"
    }  # fmt: skip
    assert "`llm-mesh requests show first`" in error.message


@pytest.mark.parametrize("outcome", [usage_pb2.ATTEMPT_OUTCOME_FAILED, usage_pb2.ATTEMPT_OUTCOME_NOT_SENT])
async def test_a_request_that_gave_nothing_and_cost_nothing_frees_its_key(world: World, outcome: usage_pb2.AttemptOutcome) -> None:
    granted = await keyed(world)
    await world.settle(granted, usage_pb2.UsageLine(attempt_id="a", outcome=outcome))
    await keyed(world)


@pytest.mark.parametrize("outcome", [usage_pb2.ATTEMPT_OUTCOME_CANCELLED, usage_pb2.ATTEMPT_OUTCOME_INTERRUPTED])
async def test_a_request_of_which_something_was_released_keeps_its_key_though_it_was_free(
    world: World, outcome: usage_pb2.AttemptOutcome
) -> None:
    request = world.reserve_request(attempt(model=FREE_MODEL), idempotency_key="k", request_digest=DIGEST)
    granted = await world.reserving.reserve(request)
    await world.settle(granted, line(outcome=outcome))
    error = await refused(world)
    assert (error.reason_name, error.metadata["charged_nanos"], error.metadata["outcome"]) == (
        "IDEMPOTENCY_COMPLETED", "0", usage_pb2.AttemptOutcome.Name(outcome).removeprefix("ATTEMPT_OUTCOME_").lower()
    )  # fmt: skip


async def test_a_failed_request_that_was_charged_keeps_its_key(world: World) -> None:
    granted = await keyed(world)
    await world.settle(granted, line(outcome=usage_pb2.ATTEMPT_OUTCOME_FAILED))
    assert (await refused(world)).metadata["outcome"] == "failed"


async def test_a_released_request_frees_its_key(world: World) -> None:
    granted = await keyed(world)
    await world.lifecycle.release(granted.held.reservation.id)
    await keyed(world)
    assert (await refused(world)).reason_name == "IDEMPOTENCY_IN_PROGRESS"


async def test_a_refused_request_does_not_take_the_key(world: World) -> None:
    await world.budget(0)
    assert (await refused(world)).reason_name == "BUDGET_EXCEEDED"
    await world.budget(worst())
    await keyed(world, OTHER)


async def test_the_same_reserve_sent_again_is_not_its_own_duplicate(world: World) -> None:
    request = world.reserve_request(idempotency_key="k", request_digest=DIGEST)
    first = await world.reserving.reserve(request)
    assert (await world.reserving.reserve(request)).held.reservation.entry == first.held.reservation.entry


async def test_a_key_is_free_again_after_its_day(world: World) -> None:
    await keyed(world)
    await world.database.write(lambda connection: connection.execute(text("UPDATE ledger_idempotency SET expire_time = 1")).rowcount)
    await keyed(world, OTHER)


async def test_a_key_without_a_digest_is_refused_by_field(world: World) -> None:
    assert (await refused(world, b"")).field == "request_digest"
