"""Idempotency keys, exactly as documented: unique per project with the request's digest, for 24 hours."""

import pytest
from sqlalchemy import text

from llm_mesh_policy.domain.ledger.reserving import Granted
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from tests.policy.ledger_world import World, line, worst

DIGEST, OTHER = b"1" * 32, b"2" * 32


@pytest.fixture
async def world(database: Database) -> World:
    return await World(database).ready()


async def refused(world: World, digest: bytes = DIGEST) -> MeshError:
    with pytest.raises(MeshError) as refusal:
        await keyed(world, digest)
    return refusal.value


async def keyed(world: World, digest: bytes = DIGEST) -> Granted:
    return await world.reserve(idempotency_key="k", request_digest=digest)


async def test_another_body_under_the_same_key_is_invalid(world: World) -> None:
    await keyed(world)
    assert (await refused(world, OTHER)).reason_name == "IDEMPOTENCY_KEY_REUSED"


async def test_a_repetition_while_the_first_is_in_progress_is_aborted(world: World) -> None:
    await keyed(world)
    assert (await refused(world)).reason_name == "IDEMPOTENCY_IN_PROGRESS"


async def test_a_repetition_after_the_end_gets_the_receipt(world: World) -> None:
    granted = await keyed(world)
    await world.settle(granted, line())
    error = await refused(world)
    assert error.reason_name == "IDEMPOTENCY_COMPLETED"
    assert error.metadata["reservation"] == granted.held.reservation.entry.name
    assert error.metadata["charged_nanos"] == str(worst(500, 50))


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
