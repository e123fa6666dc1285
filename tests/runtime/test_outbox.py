"""A change and the row that says so are one transaction; the row reaches policy before the answer, or before any further change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import pytest
from sqlalchemy import Connection, MetaData, select, text

from llm_mesh.policy.v1 import audit_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_runtime.context import FRAME, Caller, Frame
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.outbox import Notes, Outbox, outbox_table
from llm_mesh_runtime.resources import digest_of
from tests.recorded import Recorded

METADATA = MetaData()
OUTBOX = outbox_table(METADATA)


async def made(database: Database, recorded: Recorded, time_limit: float = 5) -> Outbox:
    def create(connection: Connection) -> None:
        METADATA.create_all(connection)
        connection.execute(text("CREATE TABLE IF NOT EXISTS things (name TEXT PRIMARY KEY)"))

    await database.write(create)
    return Outbox(database, recorded, seconds=time_limit)


def thing(name: str) -> Callable[[Connection, Notes], str]:
    """A change that keeps a name."""

    def work(connection: Connection, notes: Notes) -> str:
        connection.execute(text("INSERT INTO things (name) VALUES (:name)"), {"name": name})
        notes.note(f"domains/claims/things/{name}", None, registry_pb2.Adapter(name=name))
        return name

    return work


async def things(database: Database) -> set[str]:
    return await database.read(lambda connection: set(connection.scalars(text("SELECT name FROM things"))))


async def waiting(database: Database) -> int:
    return len(await database.read(lambda connection: connection.execute(select(OUTBOX.c.sequence)).all()))


def names(recorded: Recorded) -> list[str]:
    return [change.resource.rpartition("/")[2] for change in recorded.changes]


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await done():  # noqa: ASYNC110 (the store tells nobody)
            await asyncio.sleep(0.01)


async def test_a_change_is_recorded_before_it_is_answered_with_who_and_why(database: Database) -> None:
    recorded = Recorded()
    outbox = await made(database, recorded)
    caller = Caller("key", principal="domains/claims/principals/ana", key="domains/claims/projects/p/keys/k", domain="domains/claims")
    frame = Frame("request-7", caller=caller, metadata={"x-llm-mesh-reason": "ticket 7"})
    token = FRAME.set(frame)
    try:
        assert await outbox.write(thing("a"), action="things.create") == "a"
    finally:
        FRAME.reset(token)
    [change] = recorded.changes
    assert (change.action, change.domain, change.resource) == ("things.create", "domains/claims", "domains/claims/things/a")
    assert (change.principal, change.key, change.request_id, change.reason) == (caller.principal, caller.key, "request-7", "ticket 7")
    assert (change.before_digest, change.after_digest) == (b"", digest_of(registry_pb2.Adapter(name="a")))
    assert await waiting(database) == 0


async def test_a_change_that_is_undone_leaves_no_row(database: Database) -> None:
    recorded = Recorded()
    outbox = await made(database, recorded)

    def work(connection: Connection, notes: Notes) -> None:
        thing("a")(connection, notes)
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        await outbox.write(work, action="things.create")
    assert (await things(database), await waiting(database), recorded.changes) == (set(), 0, [])


async def test_what_stays_as_it_was_is_no_change(database: Database) -> None:
    recorded = Recorded()
    outbox = await made(database, recorded)
    before, after = (registry_pb2.Model(name="m", etag=etag) for etag in ("one", "other"))
    after.update_time.FromSeconds(9)
    await outbox.write(lambda _, notes: notes.note("domains/claims/models/m", before, after), action="models.update")
    assert recorded.calls == 0


async def test_while_policy_is_away_one_change_is_durable_and_the_next_is_refused(database: Database) -> None:
    recorded = Recorded()
    outbox = await made(database, recorded)
    recorded.away = True
    assert await outbox.write(thing("durable"), action="things.create") == "durable"
    for _ in range(3):
        with pytest.raises(MeshError, match="AUDIT_UNAVAILABLE"):
            await outbox.write(thing("refused"), action="things.create")
    assert await things(database) == {"durable"}
    recorded.away = False
    assert await outbox.write(thing("later"), action="things.create") == "later"
    assert names(recorded) == ["durable", "later"]


async def test_what_policy_missed_is_delivered_in_the_background(database: Database) -> None:
    recorded = Recorded()
    outbox = await made(database, recorded)
    outbox.start()
    recorded.away = True
    await outbox.write(thing("a"), action="things.create")
    recorded.away = False

    async def delivered() -> bool:
        return names(recorded) == ["a"] and await waiting(database) == 0

    await until(delivered)
    await outbox.close()


async def test_what_a_killed_process_left_is_delivered_at_the_next_start(database: Database) -> None:
    recorded = Recorded()
    recorded.away = True
    await (await made(database, recorded)).write(thing("a"), action="things.create")
    recorded.away = False
    again = await made(database, recorded)
    again.start()

    async def delivered() -> bool:
        return names(recorded) == ["a"] and await waiting(database) == 0

    await until(delivered)
    await again.close()


async def test_another_instance_delivers_what_the_first_could_not_before_its_own_change(database: Database) -> None:
    first, second = Recorded(), Recorded()
    first.away = True
    one, other = await made(database, first), await made(database, second)
    await other.write(thing("before"), action="things.create")
    await one.write(thing("left"), action="things.create")
    await other.write(thing("own"), action="things.create")
    assert names(second) == ["before", "left", "own"]
    second.away = True
    await one.write(thing("again"), action="things.create")
    with pytest.raises(MeshError, match="AUDIT_UNAVAILABLE"):
        await other.write(thing("refused"), action="things.create")
    assert "refused" not in await things(database)


async def test_many_changes_at_once_are_recorded_once_each_in_their_order(database: Database) -> None:
    recorded = Recorded()
    outbox = await made(database, recorded)
    done: list[str] = []

    async def change(name: str) -> None:
        done.append(await outbox.write(thing(name), action="things.create"))

    await asyncio.gather(*(change(f"t{number}") for number in range(40)))
    assert sorted(done) == sorted(names(recorded))
    assert len(set(names(recorded))) == 40
    assert await waiting(database) == 0


class Silent(Recorded):
    """A policy that takes calls and never answers."""

    async def record(self, changes: Sequence[audit_pb2.ChangeRecord]) -> None:
        self.calls += 1
        await asyncio.Event().wait()


async def test_nobody_waits_long_for_a_policy_that_does_not_answer(database: Database) -> None:
    outbox = await made(database, Silent(), time_limit=0.3)
    begun = time.monotonic()
    await outbox.write(thing("durable"), action="things.create")
    answers = await asyncio.gather(
        *(outbox.write(thing(f"t{number}"), action="things.create") for number in range(20)), return_exceptions=True
    )
    assert {getattr(answer, "reason_name", "") for answer in answers} == {"AUDIT_UNAVAILABLE"}
    assert time.monotonic() - begun < 3, "each waited behind the other"
    assert await things(database) == {"durable"}
    await outbox.close()


async def test_a_caller_that_leaves_after_the_commit_leaves_a_recorded_change(database: Database) -> None:
    recorded = Recorded()
    outbox = await made(database, recorded)
    outbox.start()
    recorded.away = True
    task = asyncio.ensure_future(outbox.write(thing("a"), action="things.create"))

    async def written() -> bool:
        return await waiting(database) == 1

    await until(written)
    task.cancel()
    recorded.away = False

    async def delivered() -> bool:
        return names(recorded) == ["a"] and await waiting(database) == 0

    await until(delivered)
    await outbox.close()


async def test_a_refusal_for_escalation_is_recorded_and_others_are_not(database: Database) -> None:
    from llm_mesh.registry.v1 import errors_pb2  # noqa: PLC0415 (an area that has the reason)
    from llm_mesh_registry.domain.errors import RegistryError  # noqa: PLC0415 (likewise)

    recorded = Recorded()
    outbox = await made(database, recorded)
    for reason in (errors_pb2.ERROR_REASON_ALIAS_TAKEN, errors_pb2.ERROR_REASON_ESCALATION_DENIED):
        error = RegistryError(reason, "no", resource="domains/claims/models/m")

        def work(_connection: Connection, _notes: Notes, error: RegistryError = error) -> None:
            raise error

        with pytest.raises(RegistryError):
            await outbox.write(work, action="models.create")
    [change] = recorded.changes
    assert (change.refused, change.resource, change.detail) == (True, "domains/claims/models/m", "no")
