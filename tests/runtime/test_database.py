"""What a store may rely on, whatever the engine."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Column, Connection, MetaData, Table, Text, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError, StatementError

from llm_mesh_runtime.database import Counter, Database, Instant, Nanos, PreparedStatement, for_update, from_micros, micros, upsert
from llm_mesh_runtime.errors import MeshError

METADATA = MetaData()
ACCOUNTS = Table(
    "accounts", METADATA, Column("name", Text, primary_key=True), Column("nanos", Nanos, nullable=False), Column("at", Instant)
)
EVENTS = Table("events", METADATA, Column("id", Counter, primary_key=True), Column("name", Text, nullable=False))


@pytest.fixture
async def accounts(database: Database) -> Database:
    await database.write(METADATA.create_all)
    return database


def put(connection: Connection, name: str, nanos: int = 0) -> None:
    connection.execute(insert(ACCOUNTS), {"name": name, "nanos": nanos})


def putting(name: str) -> Callable[[Connection], None]:
    return lambda connection: put(connection, name)


def put_and_raise(name: str) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        put(connection, name)
        raise KeyError(name)

    return work


def names(connection: Connection) -> list[str]:
    return list(connection.execute(select(ACCOUNTS.c.name).order_by(ACCOUNTS.c.name)).scalars())


async def test_what_was_written_is_read(accounts: Database) -> None:
    await accounts.write(lambda connection: put(connection, "a", -(2**62)))
    assert await accounts.read(lambda connection: connection.execute(select(ACCOUNTS.c.nanos)).scalar_one()) == -(2**62)


async def test_a_work_that_raises_leaves_nothing_and_its_neighbours_keep_theirs(accounts: Database) -> None:
    works = [(put_and_raise if n % 2 else putting)(f"{n:02}") for n in range(40)]
    results = await asyncio.gather(*(accounts.write(work) for work in works), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), KeyError] * 20
    assert await accounts.read(names) == [f"{n:02}" for n in range(0, 40, 2)]


async def test_a_violated_constraint_reaches_its_caller_alone(accounts: Database) -> None:
    works = (accounts.write(putting(name)) for name in ("a", "b", "a", "c"))
    results = await asyncio.gather(*works, return_exceptions=True)
    assert sum(isinstance(result, IntegrityError) for result in results) == 1
    assert await accounts.read(names) == ["a", "b", "c"]


async def test_concurrent_increments_are_all_there(accounts: Database) -> None:
    await accounts.write(putting("a"))

    def increment(connection: Connection) -> None:
        held = connection.execute(for_update(select(ACCOUNTS.c.nanos).where(ACCOUNTS.c.name == "a"))).scalar_one()
        connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.name == "a").values(nanos=held + 1))

    await asyncio.gather(*(accounts.write(increment) for _ in range(200)))
    assert await accounts.read(lambda connection: connection.execute(select(ACCOUNTS.c.nanos)).scalar_one()) == 200


async def test_works_that_lock_in_opposite_order_all_finish(accounts: Database) -> None:
    await asyncio.gather(accounts.write(putting("a")), accounts.write(putting("b")))

    def moving(order: str) -> Callable[[Connection], None]:
        def work(connection: Connection) -> None:
            for name in order:
                connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(nanos=ACCOUNTS.c.nanos + 1))

        return work

    await asyncio.gather(*(accounts.write(moving("ab" if n % 2 else "ba")) for n in range(60)))
    assert await accounts.read(lambda c: list(c.execute(select(ACCOUNTS.c.nanos)).scalars())) == [60, 60]


async def test_a_reader_cannot_write(accounts: Database) -> None:
    with pytest.raises((MeshError, StatementError)):
        await accounts.read(putting("a"))
    assert await accounts.read(names) == []


async def test_a_read_work_sees_one_state(accounts: Database) -> None:
    """The second statement of the reader runs after another work has committed (in memory: cannot, they take turns)."""
    if accounts._reads is accounts._writes:
        return
    loop = asyncio.get_running_loop()

    def twice(connection: Connection) -> tuple[int, int]:
        before = len(names(connection))
        asyncio.run_coroutine_threadsafe(accounts.write(putting("a")), loop).result(10)
        return before, len(names(connection))

    assert await accounts.read(twice) == (0, 0)
    assert await accounts.read(names) == ["a"]


async def test_generated_keys_rise(accounts: Database) -> None:
    def event(connection: Connection) -> int:
        key = connection.execute(insert(EVENTS), {"name": "x"}).inserted_primary_key
        assert key is not None
        return int(key[0])

    keys = [await accounts.write(event) for _ in range(3)]
    assert keys == sorted(set(keys))


async def test_upsert_inserts_overwrites_and_leaves(accounts: Database) -> None:
    def rows(connection: Connection) -> dict[str, int]:
        return {row.name: row.nanos for row in connection.execute(select(ACCOUNTS.c.name, ACCOUNTS.c.nanos))}

    def several(connection: Connection) -> None:
        upsert(connection, ACCOUNTS, [{"name": "a", "nanos": 1}, {"name": "b", "nanos": 1}], key=["name"])
        upsert(connection, ACCOUNTS, {"name": "a", "nanos": 2}, key=["name"])
        assert upsert(connection, ACCOUNTS, {"name": "b", "nanos": 3}, key=["name"], update=[]) == 0
        assert upsert(connection, ACCOUNTS, [], key=["name"]) == 0

    await accounts.write(several)
    assert await accounts.read(rows) == {"a": 2, "b": 1}


async def test_time_is_the_stores_and_exact_to_the_microsecond(accounts: Database) -> None:
    stored = await accounts.read(accounts.now)
    assert abs(from_micros(stored) - datetime.now(UTC)) < timedelta(minutes=1)
    assert micros(from_micros(stored)) == stored


async def test_a_work_that_nobody_waits_for_any_more_never_begins(accounts: Database) -> None:
    loop, gate, begun = asyncio.get_running_loop(), asyncio.Event(), asyncio.Queue[None]()

    def hold(_connection: Connection) -> None:
        loop.call_soon_threadsafe(begun.put_nowait, None)
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(10)

    holding = []
    for _ in range(accounts._store.writers):
        holding.append(asyncio.create_task(accounts.write(hold)))
        await begun.get()
    given_up = asyncio.create_task(accounts.write(putting("given up")))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    gate.set()
    await asyncio.gather(*holding)
    await accounts.write(lambda _connection: None)
    assert await accounts.read(names) == []


async def test_a_work_that_has_begun_is_finished_in_spite_of_cancellation(accounts: Database, database_url: str) -> None:
    loop, begun, gate = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

    def slow(connection: Connection) -> None:
        put(connection, "a")
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(10)

    caller = asyncio.create_task(accounts.write(slow))
    await begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    gate.set()
    await accounts.close()  # finishes what has begun
    if database_url != "sqlite://":
        reopened = Database(database_url, name="test")
        assert await reopened.read(names) == ["a"]
        await reopened.close()


async def test_a_work_that_raises_stop_iteration_does_not_hang_its_caller(accounts: Database) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await accounts.write(lambda _connection: next(iter(())))


async def test_a_store_too_slow_for_its_caller_is_unavailable(accounts: Database) -> None:
    loop, gate = asyncio.get_running_loop(), asyncio.Event()
    with pytest.raises(MeshError) as caught:
        await accounts.write(lambda _c: asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(10), time_limit=0.05)
    assert caught.value.reason_name == "STORE_UNAVAILABLE"
    gate.set()
    await accounts.write(putting("a"))


async def test_a_closed_store_refuses_at_once(accounts: Database) -> None:
    await accounts.close()
    with pytest.raises(MeshError) as caught:
        await accounts.write(names)
    assert caught.value.reason_name == "STORE_UNAVAILABLE"


async def test_works_that_wait_at_the_close_are_finished(accounts: Database) -> None:
    waiting = [asyncio.create_task(accounts.write(putting(str(n)))) for n in range(20)]
    await asyncio.sleep(0)
    await accounts.close()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert results == [None] * 20


async def test_more_works_than_may_wait_are_refused(accounts: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_mesh_runtime.database.database._MOST_WAITING", 0)
    with pytest.raises(MeshError, match="too many"):
        await accounts.write(names)


async def test_a_ready_store_says_nothing(accounts: Database) -> None:
    await accounts.ready()


async def test_count_function_is_portable(accounts: Database) -> None:
    assert await accounts.read(lambda c: c.execute(select(func.count()).select_from(EVENTS)).scalar_one()) == 0


PUT = PreparedStatement(insert(ACCOUNTS), columns=("name", "nanos"))
HELD = PreparedStatement(select(ACCOUNTS.c.name, ACCOUNTS.c.nanos).where(ACCOUNTS.c.nanos >= bindparam("least")).order_by(ACCOUNTS.c.name))
SPEND = PreparedStatement(
    update(ACCOUNTS)
    .where(ACCOUNTS.c.name == bindparam("account"), ACCOUNTS.c.nanos + bindparam("amount", type_=Nanos()) <= 10)
    .values(nanos=ACCOUNTS.c.nanos + bindparam("amount", type_=Nanos()))
)


async def test_prepared_statements_do_what_the_same_statements_do(accounts: Database) -> None:
    def several(connection: Connection) -> list[int]:
        put_ = [PUT.change(connection, name=name, nanos=nanos) for name, nanos in (("a", 1), ("b", 2**62))]
        return put_ + [SPEND.change(connection, account="a", amount=amount) for amount in (9, 1)]

    assert await accounts.write(several) == [1, 1, 1, 0]
    assert await accounts.read(lambda c: HELD.rows(c, least=0)) == [("a", 10), ("b", 2**62)]
    assert await accounts.read(lambda c: HELD.first(c, least=11)) == ("b", 2**62)
    assert await accounts.read(lambda c: HELD.first(c, least=2**62 + 1)) is None


async def test_a_prepared_statement_fails_as_others_do_and_tells_no_values(accounts: Database) -> None:
    await accounts.write(putting("private"))
    works = [putting("b"), lambda c: PUT.change(c, name="private", nanos=0) and None, putting("c")]
    results = await asyncio.gather(*(accounts.write(work) for work in works), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), IntegrityError, type(None)]
    with pytest.raises(TypeError, match="takes the values"):
        await accounts.read(HELD.rows)
    with pytest.raises(TypeError, match="IN of varying length"):
        await accounts.read(PreparedStatement(select(ACCOUNTS).where(ACCOUNTS.c.name.in_(bindparam("names", expanding=True)))).rows)
