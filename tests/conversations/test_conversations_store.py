"""Content is stored alike in SQLite and in PostgreSQL: sealed, in its place, for its time."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, update

from llm_mesh.conversations.v1 import responses_pb2
from llm_mesh_conversations.store.keys import at
from llm_mesh_conversations.store.tables import EVENTS, INSTANCES, ITEMS, KEYS, METADATA, RESPONSES
from llm_mesh_runtime.database import Database, drift
from llm_mesh_runtime.errors import MeshError
from tests.conversations.stored_content import BOUNDS, FOREIGN, TRIAGE, events, stored_content
from tests.databases import migrated

DAY = 86_400_000_000
WORDS = "the marked words of a caller"


async def test_the_migrations_make_what_the_tables_say(database: Database) -> None:
    await migrated(database, "llm_mesh_conversations.store.migrations")
    assert await drift(database, METADATA) == []


async def test_what_one_project_stores_is_not_there_for_another(database: Database) -> None:
    content = await stored_content(database)
    response = await content.stored(await content.key())
    conversation = await content.conversation(await content.key(), "one")
    assert await content.responses.get(TRIAGE, response) is not None
    assert await content.responses.get(FOREIGN, response) is None
    assert await content.responses.chain(FOREIGN, response, BOUNDS) is None
    assert not await content.responses.delete(FOREIGN, response)
    assert await content.conversations.items(FOREIGN, conversation, BOUNDS) is None
    assert not await content.conversations.add(FOREIGN, conversation, [])
    assert not await content.conversations.delete(FOREIGN, conversation)
    assert len(await content.conversations.items(TRIAGE, conversation, BOUNDS) or ()) == 1


async def test_a_row_that_was_moved_or_is_of_another_revision_does_not_open(database: Database) -> None:
    content = await stored_content(database)
    key = await content.key()
    first, second = await content.stored(key, "first"), await content.stored(key, "second")

    def swap(connection: Connection) -> None:
        sealed = {row.id: row.sealed for row in connection.execute(select(RESPONSES.c.id, RESPONSES.c.sealed))}
        connection.execute(update(RESPONSES).where(RESPONSES.c.id == first).values(sealed=sealed[second]))
        connection.execute(update(RESPONSES).where(RESPONSES.c.id == second).values(revision=7))

    await database.write(swap)
    assert await content.responses.get(TRIAGE, first) is None
    assert await content.responses.get(TRIAGE, second) is None


async def test_items_and_events_that_were_moved_do_not_open(database: Database) -> None:
    content = await stored_content(database)
    key = await content.key()
    conversation = await content.conversation(key, "one", "two")
    running = content.response(background=True, status=responses_pb2.RESPONSE_STATUS_IN_PROGRESS)
    await content.responses.begin(key, running, "here")
    await content.responses.append(key, running.response.id, 0, events("a"))
    await content.responses.append(key, running.response.id, 1, events("b"))

    def move(connection: Connection) -> None:
        for table, number in ((ITEMS, ITEMS.c.number), (EVENTS, EVENTS.c.first)):
            rows = connection.execute(select(number, table.c.sealed).order_by(number)).all()
            connection.execute(update(table).where(number == rows[1][0]).values(sealed=rows[0][1]))

    await database.write(move)
    assert len(await content.conversations.items(TRIAGE, conversation, BOUNDS) or ()) == 1
    stored = await content.responses.get(TRIAGE, running.response.id)
    assert stored is not None
    assert len(stored.events) == 1


async def test_events_are_read_from_any_number_on_once_each(database: Database) -> None:
    content = await stored_content(database)
    key = await content.key()
    running = content.response(background=True, status=responses_pb2.RESPONSE_STATUS_IN_PROGRESS)
    response = running.response.id
    assert await content.responses.begin(key, running, "here")
    number = 0
    for size in (1, 3, 2):
        assert await content.responses.append(key, response, number, events(*map(str, range(number, number + size))))
        number += size
    for first in range(7):
        stored = await content.responses.get(TRIAGE, response, first)
        assert stored is not None
        assert [event.text.text for event in stored.events] == [str(each) for each in range(first, 6)]
        assert not stored.events or stored.first == first


async def test_more_batches_than_one_read_takes_are_read_in_turns(database: Database) -> None:
    content = await stored_content(database)
    key = await content.key()
    running = content.response(background=True, status=responses_pb2.RESPONSE_STATUS_IN_PROGRESS)
    await content.responses.begin(key, running, "here")
    for number in range(70):
        await content.responses.append(key, running.response.id, number, events(str(number)))
    first = await content.responses.get(TRIAGE, running.response.id)
    assert first is not None
    assert first.more
    rest = await content.responses.get(TRIAGE, running.response.id, len(first.events))
    assert rest is not None
    assert not rest.more
    assert [event.text.text for event in (*first.events, *rest.events)] == [str(number) for number in range(70)]


async def test_a_response_that_has_ended_takes_no_more_events_and_no_second_end(database: Database) -> None:
    content = await stored_content(database)
    key = await content.key()
    running = content.response(background=True, status=responses_pb2.RESPONSE_STATUS_IN_PROGRESS)
    await content.responses.begin(key, running, "here")
    running.response.status = responses_pb2.RESPONSE_STATUS_COMPLETED
    assert await content.responses.end(key, running)
    assert not await content.responses.append(key, running.response.id, 0, events("late"))
    running.response.status = responses_pb2.RESPONSE_STATUS_CANCELLED
    assert not await content.responses.end(key, running)
    stored = await content.responses.get(TRIAGE, running.response.id)
    assert stored is not None
    assert stored.response.response.status == responses_pb2.RESPONSE_STATUS_COMPLETED


async def test_runs_of_an_instance_that_is_silent_are_lost_and_others_are_not(database: Database) -> None:
    content = await stored_content(database)
    key = await content.key()
    dead, alive = (content.response(background=True, status=responses_pb2.RESPONSE_STATUS_IN_PROGRESS) for _ in range(2))
    await content.responses.begin(key, dead, "dead")
    await content.responses.begin(key, alive, "alive")
    await database.write(lambda connection: connection.execute(update(INSTANCES).where(INSTANCES.c.instance == "dead").values(seen=1)))
    assert await content.responses.lose(silent_for=30, instance="here") == 1
    stored = await content.responses.get(TRIAGE, dead.response.id)
    assert stored is not None
    assert (stored.response.response.status, stored.response.response.failure.reason) == (responses_pb2.RESPONSE_STATUS_FAILED, "RUN_LOST")
    assert await content.responses.lose(silent_for=30, instance="here") == 0
    assert await content.responses.beat("alive", [alive.response.id]) == set()
    await content.responses.request_cancel(TRIAGE, alive.response.id)
    assert await content.responses.beat("alive", [alive.response.id]) == {alive.response.id}


async def test_what_is_older_than_its_retention_is_not_there_and_is_purged(database: Database) -> None:
    content = await stored_content(database, retention_days=30)
    key = await content.key()
    response, conversation = await content.stored(key), await content.conversation(key, "one")
    assert (await content.retention.retention(TRIAGE)).by_default
    await content.retention.set_retention(TRIAGE, 2)

    def age(connection: Connection) -> None:
        connection.execute(update(RESPONSES).values(created=RESPONSES.c.created - 3 * DAY))

    await database.write(age)
    assert await content.responses.get(TRIAGE, response) is None
    assert await content.responses.chain(TRIAGE, response, BOUNDS) is None
    await content.retention.set_retention(TRIAGE, None)  # nothing is purged yet, and the default is longer
    assert await content.responses.get(TRIAGE, response) is not None
    await content.retention.set_retention(TRIAGE, 2)
    assert await content.retention.purge() == 1
    assert await content.retention.purge() == 0
    await content.retention.set_retention(TRIAGE, None)
    assert await content.responses.get(TRIAGE, response) is None
    assert await content.conversations.get(TRIAGE, conversation) is not None
    assert [record.action for record in content.audit.records] == ["retention.update"] * 4
    assert content.audit.records[0].detail == "30 to 2 days"


async def test_erasure_takes_what_was_meant_and_leaves_the_rest(database: Database) -> None:
    content = await stored_content(database)
    ana, bo = await content.key(), await content.key(principal="bo")
    user = await content.key(principal="bo", end_user="digest")
    foreign = await content.key(FOREIGN)
    stored = {name: await content.stored(key) for name, key in {"ana": ana, "bo": bo, "user": user}.items()}
    abroad = await content.stored(foreign)
    running = content.response(background=True, status=responses_pb2.RESPONSE_STATUS_IN_PROGRESS)
    await content.responses.begin(ana, running, "here")
    assert await content.retention.erase(TRIAGE, "what ana created", principal="ana") == (2, 0)
    assert not await content.responses.append(ana, running.response.id, 0, events("late"))
    assert not await content.responses.end(ana, content.response(status=responses_pb2.RESPONSE_STATUS_COMPLETED))
    assert await content.retention.erase(TRIAGE, "an end user", end_user="digest") == (1, 0)
    left = {name for name, response in stored.items() if await content.responses.get(TRIAGE, response) is not None}
    assert left == {"bo"}
    while await content.retention.purge():
        pass
    assert await content.retention.erase(TRIAGE, "everything") == (1, 0)
    assert await content.responses.get(FOREIGN, abroad) is not None
    assert [record.resource for record in content.audit.records] == [f"{TRIAGE.project}/storedContent"] * 3


async def test_a_project_stores_so_much_and_no_more(database: Database) -> None:
    content = await stored_content(database, most_bytes=1024 * 1024)
    key = await content.key()
    await content.stored(key, "x" * 700_000)
    with pytest.raises(MeshError, match="QUOTA_EXCEEDED"):
        await content.stored(key, "x" * 700_000)
    await content.stored(await content.key(FOREIGN), "x" * 700_000)


async def test_after_an_erasure_no_file_has_the_text_the_sealed_text_or_its_key(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'content.db'}", name="test")
    content = await stored_content(database)
    key = await content.key()
    await content.stored(key, WORDS)
    await content.conversation(key, WORDS, WORDS)

    def sealed(connection: Connection) -> list[bytes]:
        tables = (KEYS, RESPONSES, ITEMS)
        return [bytes(value) for table in tables for value in connection.scalars(select(table.c.sealed).where(*at(table, TRIAGE)))]

    remains = [*await database.read(sealed), WORDS.encode()]
    assert len(remains) == 5
    before = _files(tmp_path)
    assert [each[8:40] in before for each in remains] == [True] * 4 + [False]
    await content.retention.erase(TRIAGE, "everything")
    while await content.retention.purge():
        pass
    await content.retention.scrub()
    after = _files(tmp_path)
    assert [each[8:40] in after for each in remains] == [False] * 5
    await database.close()
    assert sqlite3.connect(tmp_path / "content.db").execute("SELECT count(*) FROM content_keys").fetchone() == (0,)


def _files(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())
