"""Group commit: one durable commit for all that wait, and nobody pays for a neighbour."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import Column, Connection, ForeignKey, MetaData, Table, Text, event, insert, select

from llm_mesh_runtime.database import Database, standing
from llm_mesh_runtime.database.engines import DatabaseEngine

METADATA = MetaData()
ITEMS = Table("items", METADATA, Column("name", Text, primary_key=True))
PARTS = Table(
    "parts",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("item", ForeignKey("items.name", deferrable=True, initially="DEFERRED")),
)


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one with each commit of a writer."""
    counted: list[str] = []
    writing = DatabaseEngine.writing

    def watched(make: Callable[[DatabaseEngine], object]) -> Callable[[DatabaseEngine], object]:
        def writing(store: DatabaseEngine) -> object:
            engine = make(store)
            event.listen(engine, "commit", lambda _connection: counted.append("commit"))
            return engine

        return writing

    for kind in (
        *DatabaseEngine.__subclasses__(),
        *(grandchild for child in DatabaseEngine.__subclasses__() for grandchild in child.__subclasses__()),
    ):
        if kind.writing is not writing and "writing" in vars(kind):
            monkeypatch.setattr(kind, "writing", watched(kind.writing))
    return counted


@pytest.fixture
async def items(commits: list[str], database: Database) -> Database:
    await database.write(METADATA.create_all)
    commits.clear()
    return database


def putting(name: str) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        connection.execute(insert(ITEMS), {"name": name})

    return work


async def test_a_lone_write_is_one_commit(items: Database, commits: list[str]) -> None:
    await items.write(putting("a"))
    assert len(commits) == 1


async def test_a_hundred_waiting_writes_share_a_few_commits(items: Database, commits: list[str]) -> None:
    await asyncio.gather(*(items.write(putting(str(n))) for n in range(100)))
    assert len(await items.read(lambda c: c.execute(select(ITEMS)).all())) == 100
    assert 1 <= len(commits) <= 20


async def test_works_that_raise_do_not_multiply_the_commits(items: Database, commits: list[str]) -> None:
    def refusing(_connection: Connection) -> None:
        raise LookupError

    works = [putting(str(n)) if n % 2 else refusing for n in range(100)]
    results = await asyncio.gather(*(items.write(work) for work in works), return_exceptions=True)
    assert sum(isinstance(result, LookupError) for result in results) == 50
    assert len(commits) <= 20


async def test_nobody_hears_of_a_write_before_its_commit(items: Database, commits: list[str]) -> None:
    heard: list[int] = []

    async def write(number: int) -> None:
        await items.write(putting(str(number)))
        heard.append(len(commits))

    await asyncio.gather(*(write(number) for number in range(30)))
    assert min(heard) >= 1


async def test_a_constraint_that_fails_at_the_commit_costs_its_own_work_only(items: Database) -> None:
    """The group cannot be committed as a whole, so its works are committed one by one."""

    def orphan(connection: Connection) -> None:
        connection.execute(insert(PARTS), {"name": "p", "item": "missing"})

    works = [orphan if n == 10 else putting(f"{n:02}") for n in range(20)]
    results = await asyncio.gather(*(items.write(work) for work in works), return_exceptions=True)
    assert [number for number, result in enumerate(results) if result is not None] == [10]
    assert type(results[10]).__name__ == "IntegrityError"
    assert len(await items.read(lambda c: c.execute(select(ITEMS)).all())) == 19
    await items.write(putting("after"))


async def test_a_read_between_writes_sees_whole_groups_only(items: Database) -> None:
    async def pair(number: int) -> None:
        await items.write(lambda c: [putting(f"{number}a")(c), putting(f"{number}b")(c)])

    async def count() -> int:
        return len(await items.read(lambda c: c.execute(select(ITEMS)).all()))

    tasks = [asyncio.create_task(pair(number)) for number in range(40)]
    counts = [await count() for _ in range(20)]
    await asyncio.gather(*tasks)
    assert all(number % 2 == 0 for number in counts)
    assert counts == sorted(counts)


async def test_what_was_remembered_of_a_connection_holds_until_something_on_it_is_undone(database: Database) -> None:
    """After a commit it still does; after a refusal, beside others or alone, and after a commit that failed, it does not."""

    def refusing(connection: Connection) -> None:
        putting("never")(connection)
        raise LookupError

    def orphan(connection: Connection) -> None:
        connection.execute(insert(PARTS), {"name": "p", "item": "missing"})

    database._store.writers = 1
    await database.write(METADATA.create_all)
    before = await database.write(standing)
    await database.write(putting("a"))
    assert await database.write(standing) is before
    for wrong in (refusing, orphan):
        for neighbours in (0, 3):
            others = [database.write(standing) for _ in range(neighbours)]
            *_, refused = await asyncio.gather(*others, database.write(wrong), return_exceptions=True)
            assert isinstance(refused, Exception)
            after = await database.write(standing)
            assert after is not before
            before = after
