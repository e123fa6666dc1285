"""Answers that are kept to be repeated: whose they are, for how long, how large, and that nobody reads them in the database."""

import asyncio

import pytest
from sqlalchemy import select, text, update

from llm_mesh.policy.v1 import floors_pb2, identity_pb2, usage_pb2
from llm_mesh_policy.ledger.domain.answer_sweep import AnswerSweep
from llm_mesh_policy.ledger.domain.kept_answers import KeepOutcome, KeptAnswers
from llm_mesh_policy.ledger.domain.reserving import Granted
from llm_mesh_policy.ledger.store.answer_tables import answers, rooms
from llm_mesh_policy.ledger.store.tables import entries, idempotency
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from tests.policy.ledger_world import ANSWER_TYPE, DOMAIN, KEY, MOST_ANSWER_BYTES, PROJECT, World, line, worst

DIGEST, OTHER = b"1" * 32, b"2" * 32
OTHER_PROJECT = f"{DOMAIN}/projects/other"
FOREIGN = "domains/sales"
FOREIGN_PROJECT = f"{FOREIGN}/projects/triage"
SECRET_WORDS = b"the words of the answer"


@pytest.fixture
async def world(database: Database) -> World:
    made = await World(database).ready()
    for name in (PROJECT, OTHER_PROJECT, FOREIGN_PROJECT):
        made.identity.projects[name] = identity_pb2.Project(name=name, keep_answers=True)
    return made


async def keyed(world: World, key: str = "k", digest: bytes = DIGEST) -> Granted:
    return await world.reserve(idempotency_key=key, request_digest=digest)


async def refused(world: World, digest: bytes = DIGEST, under: str = "k", **caller: str) -> str:
    with pytest.raises(MeshError) as refusal:
        await world.repeated(digest, under, **caller)
    return refusal.value.reason_name


async def refused_reserve(world: World) -> MeshError:
    with pytest.raises(MeshError) as refusal:
        await keyed(world)
    return refusal.value


async def count(world: World, statement: str) -> int:
    value = await world.database.read(lambda connection: connection.execute(text(statement)).scalar())
    return int(value or 0)


async def test_a_repetition_gets_the_answer_and_its_entry(world: World) -> None:
    granted = await keyed(world)
    await world.keep(granted, SECRET_WORDS)
    assert (await refused_reserve(world)).metadata["answer"] == "kept"
    repeated = await world.repeated(DIGEST)
    assert (repeated.answer.type, repeated.answer.content) == (ANSWER_TYPE, SECRET_WORDS)
    assert repeated.entry.name == granted.held.reservation.entry.name
    assert repeated.entry.charged.nanos == worst(500, 50)
    record = world.identity.audit[-1]
    assert (record.action, record.resource, record.key, record.request_id) == ("answers.repeat", repeated.entry.name, KEY, "the-repetition")


async def test_an_answer_is_kept_once_however_often_it_is_settled(world: World) -> None:
    granted = await keyed(world)
    await asyncio.gather(*(world.keep(granted) for _ in range(3)))
    await world.keep(granted, b"another answer")
    assert (await world.repeated(DIGEST)).answer.content == b"the answer"
    assert await count(world, "SELECT count(*) FROM kept_answers") == 1
    assert await count(world, "SELECT size FROM kept_answer_rooms") == await count(world, "SELECT sum(size) FROM kept_answers")


async def test_another_request_under_the_key_gets_nothing(world: World) -> None:
    await world.keep(await keyed(world))
    assert await refused(world, OTHER) == "IDEMPOTENCY_KEY_REUSED"
    assert await refused(world, b"short") == "INVALID_FIELD"
    assert await refused(world, under="") == "INVALID_FIELD"


@pytest.mark.parametrize(
    "caller",
    [
        {"project": OTHER_PROJECT, "key": f"{OTHER_PROJECT}/keys/k1"},
        {"domain": FOREIGN, "project": FOREIGN_PROJECT, "key": f"{FOREIGN_PROJECT}/keys/k1"},
    ],
    ids=["another project", "another tenant with a project of the same name"],
)
async def test_nobody_elses_key_matches(world: World, caller: dict[str, str]) -> None:
    await world.keep(await keyed(world))
    assert await refused(world, DIGEST, "k", **caller) == "ANSWER_NOT_KEPT"


async def test_a_key_that_is_revoked_gets_nothing(world: World) -> None:
    await world.keep(await keyed(world))
    world.identity.revoked.add(KEY)
    assert await refused(world) == "INVALID_CREDENTIAL"
    assert (await refused_reserve(world)).reason_name == "INVALID_CREDENTIAL"


async def test_a_project_that_did_not_ask_keeps_nothing(world: World) -> None:
    world.identity.projects[PROJECT].keep_answers = False
    assert world.answers.limit(PROJECT, "k") == 0
    await world.keep(await keyed(world))
    assert await count(world, "SELECT count(*) FROM kept_answers") == 0
    error = await refused_reserve(world)
    assert error.reason_name == "IDEMPOTENCY_COMPLETED"
    assert "answer" not in error.metadata
    world.identity.projects[PROJECT].keep_answers = True
    assert world.answers.limit(PROJECT, "k") == MOST_ANSWER_BYTES
    assert world.answers.limit(PROJECT, "") == 0
    assert await refused(world) == "ANSWER_NOT_KEPT"


@pytest.mark.parametrize("by", ["domain", "floor"])
async def test_zero_retention_is_stricter_than_the_project(world: World, by: str) -> None:
    await world.keep(await keyed(world))
    if by == "domain":
        world.identity.domains[DOMAIN].zero_retention = True
    else:
        floor = floors_pb2.Floor(name="domains/platform/floors/claims", zero_retention=True)
        world.identity.floors[floor.name] = floor
    assert world.answers.limit(PROJECT, "k") == 0
    assert await refused(world) == "ANSWER_NOT_KEPT"
    assert await AnswerSweep(world.answer_store, world.identity.snapshot).once() == 1
    assert await count(world, "SELECT count(*) FROM kept_answers") == 0


async def test_only_whole_answers_are_kept(world: World) -> None:
    granted = await keyed(world)
    await world.settle(granted, line(outcome=usage_pb2.ATTEMPT_OUTCOME_INTERRUPTED))
    await world.keep(granted)
    assert await refused(world) == "ANSWER_NOT_KEPT"
    assert (await refused_reserve(world)).metadata["outcome"] == "interrupted"


async def test_an_answer_under_a_key_of_another_reservation_is_not_kept(world: World) -> None:
    await keyed(world)
    await world.keep(await keyed(world, "other"), key="k")
    assert world.outcomes == [KeepOutcome.UNKNOWN]


async def test_an_answer_that_is_too_large_is_not_kept(world: World) -> None:
    await world.keep(await keyed(world), b"x" * (MOST_ANSWER_BYTES + 1))
    assert world.outcomes == [KeepOutcome.TOO_LARGE]
    assert await refused(world) == "ANSWER_NOT_KEPT"


async def test_a_project_has_room_for_so_much_and_gets_it_back(world: World) -> None:
    for name in ("a", "b", "c", "d"):
        await world.keep(await keyed(world, name), b"x" * 900, name)
    assert world.outcomes == [KeepOutcome.STORED, KeepOutcome.STORED, KeepOutcome.STORED, KeepOutcome.NO_ROOM]
    assert await refused(world, under="d") == "ANSWER_NOT_KEPT"
    await world.database.write(lambda connection: connection.execute(text("UPDATE kept_answers SET expire_time = 1")).rowcount)
    assert await AnswerSweep(world.answer_store, world.identity.snapshot).once() == 3
    assert await count(world, "SELECT size FROM kept_answer_rooms") == 0
    await world.keep(await keyed(world, "e"), b"x" * 900, "e")
    assert world.outcomes[-1] is KeepOutcome.STORED


async def test_an_answer_lives_no_longer_than_its_key(world: World) -> None:
    granted = await keyed(world)
    await world.database.write(
        lambda connection: connection.execute(text("UPDATE ledger_idempotency SET expire_time = expire_time - 1000")).rowcount
    )
    await world.keep(granted)
    late = "SELECT count(*) FROM kept_answers a JOIN ledger_idempotency i ON a.key = i.key WHERE a.expire_time > i.expire_time"
    assert await count(world, "SELECT count(*) FROM kept_answers") == 1
    assert await count(world, late) == 0


@pytest.mark.parametrize("over", ["UPDATE kept_answers SET expire_time = 1", "UPDATE ledger_idempotency SET expire_time = 1"])
async def test_nothing_is_answered_after_its_time_even_before_it_is_swept(world: World, over: str) -> None:
    await world.keep(await keyed(world))
    await world.database.write(lambda connection: connection.execute(text(over)).rowcount)
    assert await refused(world) == "ANSWER_NOT_KEPT"


async def test_a_key_that_is_used_anew_has_its_new_answer(world: World) -> None:
    await world.keep(await keyed(world), b"the first")
    await world.database.write(lambda connection: connection.execute(text("UPDATE ledger_idempotency SET expire_time = 1")).rowcount)
    granted = await keyed(world, digest=OTHER)
    assert await refused(world, OTHER) == "ANSWER_NOT_KEPT"
    await world.keep(granted, b"the second, which is longer")
    assert (await world.repeated(OTHER)).answer.content == b"the second, which is longer"
    assert await count(world, "SELECT size FROM kept_answer_rooms") == await count(world, "SELECT sum(size) FROM kept_answers")


async def test_what_was_kept_is_not_answered_again_once_the_project_took_its_leave_back(world: World) -> None:
    await world.keep(await keyed(world))
    await world.answer_store.erase([PROJECT])
    assert await refused(world) == "ANSWER_NOT_KEPT", "though it is not erased yet"
    assert "answer" not in (await refused_reserve(world)).metadata
    await world.keep(await keyed(world, "later"), b"later", "later")
    assert await AnswerSweep(world.answer_store, world.identity.snapshot).once() == 1
    assert (await world.repeated(DIGEST, "later")).answer.content == b"later"


async def test_a_database_alone_tells_nobody_the_answer(world: World) -> None:
    await world.keep(await keyed(world), SECRET_WORDS)
    stored = await world.database.read(lambda connection: connection.execute(text("SELECT * FROM kept_answers")).all())
    assert SECRET_WORDS not in b"".join(bytes(value) for row in stored for value in row if isinstance(value, bytes | memoryview))
    stranger = KeptAnswers(world.answers_of(b"q" * 32), world.identity.snapshot, world.seals, most_bytes=MOST_ANSWER_BYTES)
    world.answers = stranger
    assert await refused(world) == "ANSWER_NOT_KEPT", "with another pepper"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE kept_answers SET type = 'another.Type'",
        "UPDATE kept_answers SET project = 'domains/claims/projects/other'",
        "UPDATE kept_answers SET domain = 'domains/sales', project = 'domains/sales/projects/triage'",
        "UPDATE kept_answers SET key = 'k2'",
    ],
)
async def test_a_row_that_was_moved_or_relabelled_does_not_open(world: World, change: str) -> None:
    await world.keep(await keyed(world), SECRET_WORDS)

    def forge(connection: object) -> None:
        execute = connection.execute  # type: ignore[attr-defined]
        execute(text(change))
        for table in (idempotency, rooms, entries):  # everything else is made to fit
            execute(
                update(table).values(domain=select(answers.c.domain).scalar_subquery(), project=select(answers.c.project).scalar_subquery())
            )
        execute(text("UPDATE ledger_idempotency SET key = (SELECT key FROM kept_answers)"))

    await world.database.write(forge)
    row = await world.database.read(lambda connection: connection.execute(text("SELECT domain, project, key FROM kept_answers")).one())
    caller = {"domain": row.domain, "project": row.project, "key": f"{row.project}/keys/k1"}
    assert await refused(world, DIGEST, row.key, **caller) == "ANSWER_NOT_KEPT"
