"""A store in trouble says so, hangs nobody, and recovers by itself."""

import asyncio
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    NullPool,
    Table,
    create_engine,
    event,
    func,
    insert,
    select,
    text,
    update,
)

from llm_mesh_runtime.database import Database, engines, open_database, standing
from llm_mesh_runtime.database.lanes import NotBegunError
from llm_mesh_runtime.database.opened import Opened
from llm_mesh_runtime.database.transaction import DatabaseTransaction
from llm_mesh_runtime.database.writer import WriteLane
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.settings import SettingsError, load_mesh
from tests.postgres import Cluster

METADATA = MetaData()
BLOBS = Table("blobs", METADATA, Column("id", Integer, primary_key=True), Column("body", LargeBinary, nullable=False))


def putting(number: int, size: int = 1) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        connection.execute(insert(BLOBS), {"id": number, "body": b"x" * size})

    return work


def move(source: Path, target: Path) -> None:
    for file in source.glob("x.db*"):
        file.rename(target / file.name)


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(BLOBS)).scalar_one()


async def unavailable(work: asyncio.Future[None]) -> None:
    with pytest.raises(MeshError) as caught:
        await work
    assert caught.value.reason_name == "STORE_UNAVAILABLE"
    assert caught.value.retry_after


@pytest.mark.parametrize("neighbours", [0, 20])
async def test_a_full_disk_refuses_what_does_not_fit_and_takes_what_does(tmp_path: Path, neighbours: int) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}", name="test")
    await database.write(METADATA.create_all)

    def limit(connection: Connection, pages: int) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    await database.write(lambda c: limit(c, 40))
    big = asyncio.ensure_future(database.write(putting(0, 1_000_000)))
    small = [asyncio.ensure_future(database.write(putting(number))) for number in range(1, neighbours + 1)]
    await unavailable(big)
    await asyncio.gather(*small)
    assert await database.read(count) == neighbours
    await database.write(lambda c: limit(c, 100_000))
    await database.write(putting(0, 1_000_000))
    assert await database.read(count) == neighbours + 1
    await database.close()


async def test_a_store_that_another_process_holds_is_unavailable_and_then_available(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llm_mesh_runtime.database.engines._BUSY_MILLISECONDS", 50)
    database = Database(f"sqlite:///{tmp_path / 'x.db'}", name="test", time_limit=1)
    await database.write(METADATA.create_all)
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await unavailable(asyncio.ensure_future(database.write(putting(1))))
    await unavailable(asyncio.ensure_future(database.ready()))
    other.execute("COMMIT")
    other.close()
    await database.write(putting(1))
    await database.ready()
    await database.close()


async def test_a_store_that_another_process_holds_is_waited_for_as_long_as_the_caller_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llm_mesh_runtime.database.engines._BUSY_MILLISECONDS", 1)
    refusals, begin = threading.Semaphore(0), WriteLane._begin

    def counted(lane: WriteLane) -> object:
        try:
            return begin(lane)
        except NotBegunError:
            refusals.release()
            raise

    monkeypatch.setattr(WriteLane, "_begin", counted)
    database = Database(f"sqlite:///{tmp_path / 'x.db'}", name="test")
    await database.write(METADATA.create_all)
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.ensure_future(database.write(putting(1), time_limit=600))
    for _ in range(5):  # many times as long as SQLite itself waits
        assert await asyncio.to_thread(refusals.acquire, timeout=30)
    assert not waiting.done()
    other.execute("COMMIT")
    other.close()
    await waiting
    assert await database.read(count) == 1
    await database.close()


@pytest.mark.parametrize(("pragma", "code", "tries"), [("journal_mode=WAL", 5, 3), ("journal_mode=WAL", 13, 1), ("synchronous=FULL", 5, 1)])
def test_a_journal_mode_that_another_process_changes_too_is_set_again(pragma: str, code: int, tries: int) -> None:
    """SQLite refuses one of two that change it at the same time, however long it may wait: each would wait for the other."""

    class Refusing:
        tried = 0

        def execute(self, _statement: str) -> None:
            self.tried += 1
            if self.tried < 3:
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = code
                raise error

    connection = Refusing()
    with nullcontext() if tries == 3 else pytest.raises(sqlite3.OperationalError):
        engines._set(connection, pragma)  # type: ignore[arg-type]  # it has what is needed of a connection
    assert connection.tried == tries


async def test_nothing_is_acknowledged_into_a_file_that_was_taken_away(tmp_path: Path) -> None:
    path, away = tmp_path / "x.db", tmp_path / "away"
    database = Database(f"sqlite:///{path}", name="test")
    await database.write(METADATA.create_all)
    await database.write(putting(1))
    away.mkdir()
    move(tmp_path, away)
    await unavailable(asyncio.ensure_future(database.write(putting(2))))
    await unavailable(asyncio.ensure_future(database.ready()))
    assert not path.exists()
    move(away, tmp_path)
    await database.ready()
    await database.write(putting(2))
    assert await database.read(count) == 2
    await database.close()


async def test_what_was_remembered_of_a_connection_does_not_hold_for_the_next(tmp_path: Path) -> None:
    database, away = Database(f"sqlite:///{tmp_path / 'x.db'}", name="test"), tmp_path / "away"
    await database.write(METADATA.create_all)
    before = await database.write(standing)
    away.mkdir()
    move(tmp_path, away)
    await unavailable(asyncio.ensure_future(database.write(putting(1))))
    move(away, tmp_path)
    assert await database.write(standing) is not before
    await database.close()


def test_a_transaction_whose_connection_is_lost_makes_no_new_one_only_to_undo_nothing() -> None:
    engine, made = create_engine("sqlite://", poolclass=NullPool), []
    event.listen(engine, "connect", lambda *_: made.append(1))
    connection = Opened(engine)
    with connection:
        with DatabaseTransaction(connection):
            connection.invalidate()
        assert len(made) == 1


async def test_a_folder_that_cannot_be_made_is_a_store_that_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    database = Database(f"sqlite:///{tmp_path / 'file' / 'x.db'}", name="test")
    await unavailable(asyncio.ensure_future(database.ready()))


async def test_the_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new' / 'x.db'}", name="test")
    await database.write(METADATA.create_all)
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "new").iterdir()} == {0o600}
    await database.close()


async def test_sqlite_commits_survive_the_machine_and_readers_do_not_wait(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}", name="test")

    def pragmas(connection: Connection) -> dict[str, object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names}

    assert await database.write(pragmas) == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    await database.close()


CRASHING = """
import asyncio, sys
from sqlalchemy import text
from llm_mesh_runtime.database import Database

async def main():
    database = Database(sys.argv[1], name="test")
    await database.write(lambda c: c.execute(text("CREATE TABLE acknowledged (n INTEGER PRIMARY KEY)")))
    async def write(n):
        while True:
            await database.write(lambda c: c.execute(text("INSERT INTO acknowledged VALUES (:n)"), {"n": n}))
            sys.stdout.write(f"{n}\\n"); sys.stdout.flush()
            n += 32
    await asyncio.gather(*(write(n) for n in range(32)))

asyncio.run(main())
"""


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_every_acknowledged_write_survives_kill_9(tmp_path: Path, engine: str, request: pytest.FixtureRequest) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}" if engine == "sqlite" else request.getfixturevalue("postgres").database()
    with subprocess.Popen([sys.executable, "-c", CRASHING, url], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        heard = [process.stdout.readline() for _ in range(300)]
        process.send_signal(signal.SIGKILL)
        heard += process.stdout.readlines()
    acknowledged = {int(line) for line in heard if line.endswith("\n")}

    async def stored() -> set[int]:
        database = Database(url, name="test")
        found = await database.read(lambda c: set(c.execute(text("SELECT n FROM acknowledged")).scalars()))
        await database.close()
        return found

    kept = asyncio.run(stored())
    assert len(acknowledged) >= 300
    assert acknowledged <= kept
    assert len(kept - acknowledged) <= 32 * 8  # written but not yet told: at most what was in flight and in the pipe


@pytest.fixture
async def served(postgres: Cluster) -> Database:
    database = Database(postgres.database(), name="test")
    await database.write(METADATA.create_all)
    return database


async def test_a_server_that_restarts_is_found_again_without_an_error(served: Database, postgres: Cluster) -> None:
    await asyncio.gather(*(served.write(putting(number)) for number in range(8)))
    postgres.stop()
    postgres.start()
    await asyncio.gather(*(served.write(putting(number)) for number in range(8, 40)))
    assert await served.read(count) == 40
    await served.close()


async def test_a_server_that_is_down_is_a_store_that_is_unavailable_until_it_is_back(served: Database, postgres: Cluster) -> None:
    postgres.stop()
    try:
        refused = [asyncio.ensure_future(served.write(putting(number))) for number in range(20)]
        await asyncio.wait_for(asyncio.gather(*(unavailable(work) for work in refused)), 8)
        await unavailable(asyncio.ensure_future(served.ready()))
    finally:
        postgres.start()
    await served.ready()
    assert await served.read(count) == 0
    await served.close()


async def test_a_connection_cut_by_the_server_is_replaced(served: Database) -> None:
    cut = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
    await asyncio.gather(*(served.write(putting(number)) for number in range(8)))
    await served.read(lambda c: c.execute(cut).all())
    await asyncio.gather(*(served.write(putting(number)) for number in range(8, 24)))
    assert await served.read(count) == 24
    await served.close()


async def test_works_that_block_each_other_are_repeated_until_both_are_done(served: Database) -> None:
    """Each locks what the other wants next: the server ends one of them, which nobody hears of."""
    locked, loop, begun = {1: threading.Event(), 2: threading.Event()}, asyncio.get_running_loop(), asyncio.Event()
    runs: list[int] = []
    await served.write(lambda c: [putting(1)(c), putting(2)(c)])

    def touching(first: int, second: int) -> Callable[[Connection], None]:
        def touch(connection: Connection) -> None:
            runs.append(first)
            connection.execute(update(BLOBS).where(BLOBS.c.id == first).values(body=b"y"))
            locked[first].set()
            loop.call_soon_threadsafe(begun.set)
            locked[second].wait(10)
            connection.execute(update(BLOBS).where(BLOBS.c.id == second).values(body=b"y"))

        return touch

    one = asyncio.ensure_future(served.write(touching(1, 2)))
    await begun.wait()
    await asyncio.gather(one, served.write(touching(2, 1)))
    assert len(runs) == 3
    await served.close()


async def test_postgresql_waits_for_the_disk_at_each_commit(served: Database) -> None:
    assert await served.write(lambda c: c.exec_driver_sql("SHOW synchronous_commit").scalar_one()) == "on"
    assert await served.read(lambda c: c.exec_driver_sql("SHOW transaction_read_only").scalar_one()) == "on"
    await served.close()


def test_no_password_is_told_when_a_url_is_wrong() -> None:
    mesh = load_mesh(environ={})
    for url in ("hunter2", "mysql://u:hunter2@h/d", "postgresql://u:hunter2@h:port/d"):
        with pytest.raises(SettingsError, match="LLM_MESH_POLICY_DATABASE_URL") as caught:
            open_database("policy", url, mesh)
        assert "hunter2" not in str(caught.value)


def test_without_a_url_an_embedded_service_stores_in_the_data_directory_and_a_lone_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="LLM_MESH_POLICY_DATABASE_URL: is required"):
        open_database("policy", "", load_mesh(environ={}))

    async def opened() -> None:
        database = open_database("policy", "", load_mesh(embedded=True, environ={"LLM_MESH_DATA_DIR": str(tmp_path / "ü %3F d")}))
        await database.ready()
        await database.close()

    asyncio.run(opened())
    assert [file.name for file in (tmp_path / "ü %3F d").iterdir()] == ["policy.db"]
