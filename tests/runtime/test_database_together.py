"""What many want at the same time is done at once, answered one by one, and undone for nobody but whoever broke it."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, insert, select
from sqlalchemy.exc import IntegrityError

from llm_mesh_runtime.database import Database, Listed, Rows
from llm_mesh_runtime.database.deadlines import WorkDeadlines
from llm_mesh_runtime.database.work import Work
from llm_mesh_runtime.errors import MeshError

METADATA = MetaData()
ITEMS = Table("items", METADATA, Column("name", Text, primary_key=True), Column("number", Integer, nullable=False))
PUT = Rows("INSERT INTO items (name, number) VALUES {rows}", columns=2)
RENUMBER = Rows("UPDATE items SET number = v.column2 FROM (VALUES {rows}) AS v WHERE items.name = v.column1", columns=2)
NAMED = Listed("SELECT name FROM items WHERE name {names} AND number < :below", "names")


class Putting:
    """Puts items, all that are given at once; remembers how many that were."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def put(self, connection: Connection, items: Sequence[str]) -> list[str | Exception]:
        self.sizes.append(len(items))
        PUT.write(connection, [(item, 0) for item in items if not item.startswith("refused")])
        if "breaks" in items:
            raise KeyError("breaks")
        return [LookupError(item) if item.startswith("refused") else item.upper() for item in items]


@pytest.fixture
async def items(database: Database) -> Database:
    await database.write(METADATA.create_all)
    return database


async def names(database: Database) -> list[str]:
    return await database.read(lambda connection: list(connection.execute(select(ITEMS.c.name).order_by(ITEMS.c.name)).scalars()))


async def together(database: Database, putting: Putting, *wanted: str) -> list[object]:
    return await asyncio.gather(*(database.write_together(putting.put, each) for each in wanted), return_exceptions=True)


async def test_what_one_turn_asks_for_is_done_by_one_call_and_each_hears_its_own(items: Database) -> None:
    putting = Putting()
    assert await together(items, putting, "a", "b", "c") == ["A", "B", "C"]
    assert putting.sizes == [3]
    assert await names(items) == ["a", "b", "c"]


async def test_a_refusal_is_an_answer_and_undoes_nothing(items: Database) -> None:
    found = await together(items, Putting(), "a", "refused", "b")
    assert [type(each) for each in found] == [str, LookupError, str]
    assert await names(items) == ["a", "b"]


@pytest.mark.parametrize("neighbours", [(), ("other",)])
async def test_where_all_together_cannot_be_done_each_is_done_by_itself(items: Database, neighbours: Sequence[str]) -> None:
    """Alone in its transaction as beside works of another kind, which keep theirs."""
    putting, other = Putting(), Putting()
    others = [asyncio.ensure_future(items.write_together(other.put, each)) for each in neighbours]
    found = await together(items, putting, "a", "breaks", "b", "a")
    assert [type(each) for each in found] == [str, KeyError, str, IntegrityError]
    assert putting.sizes[0] == 4
    assert await asyncio.gather(*others) == [each.upper() for each in neighbours]
    assert await names(items) == ["a", "b", *neighbours]


async def test_works_of_both_kinds_keep_their_order(items: Database) -> None:
    putting = Putting()

    def renamed(connection: Connection) -> None:
        connection.execute(insert(ITEMS), {"name": f"after {len(putting.sizes)}", "number": 0})

    await asyncio.gather(
        items.write_together(putting.put, "a"), items.write(renamed), items.write_together(putting.put, "b"), items.write(renamed)
    )
    assert putting.sizes == [1, 1]
    assert await names(items) == ["a", "after 1", "after 2", "b"]


@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 200])
async def test_rows_are_all_written_whatever_their_number(items: Database, count: int) -> None:
    rows = [(f"{number:03}", number) for number in range(count)]
    await items.write(lambda connection: PUT.write(connection, rows))
    await items.write(lambda connection: RENUMBER.write(connection, [(name, number + 1000) for name, number in rows]))
    stored = await items.read(lambda c: c.execute(select(ITEMS.c.name, ITEMS.c.number).order_by(ITEMS.c.name)).all())
    assert [tuple(row) for row in stored] == [(name, number + 1000) for name, number in rows]


async def test_rows_fail_as_other_statements_do_and_tell_no_values(items: Database) -> None:
    await items.write(lambda connection: PUT.write(connection, [("private", 0)]))
    with pytest.raises(IntegrityError) as caught:
        await items.write(lambda connection: PUT.write(connection, [("b", 0), ("private", 0)]))
    assert "private" not in str(caught.value.statement)
    assert await names(items) == ["private"]


async def test_a_list_is_one_value(items: Database) -> None:
    await items.write(lambda connection: PUT.write(connection, [("a", 1), ("\"b'", 2), ("ü", 3), ("d", 4)]))

    def found(*wanted: str, below: int = 9) -> Callable[[Connection], list[str]]:
        return lambda connection: sorted(row[0] for row in NAMED.rows(connection, names=wanted, below=below))

    assert await items.read(found("a", "\"b'", "ü", "none")) == ["\"b'", "a", "ü"]
    assert await items.read(found("a", "d", below=2)) == ["a"]
    assert [await items.read(found(one)) for one in ("\"b'", "ü", "none")] == [["\"b'"], ["ü"], []]
    assert await items.read(found("d", below=2)) == []
    assert await items.read(found()) == []


async def test_who_waits_too_long_is_told_and_who_came_later_waits_on(items: Database, database_url: str) -> None:
    slow = Database(database_url, name="test", time_limit=0.05) if database_url != "sqlite://" else items
    if slow is items:
        slow._time_limit = 0.05
        slow._deadlines = None
    gate = asyncio.Event()
    loop = asyncio.get_running_loop()
    held = [
        asyncio.ensure_future(slow.write(lambda _c: asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(10), time_limit=10))
        for _ in range(slow._store.writers)
    ]
    await asyncio.sleep(0)
    with pytest.raises(MeshError) as caught:
        await slow.write_together(Putting().put, "late")
    assert caught.value.reason_name == "STORE_UNAVAILABLE"
    gate.set()
    await asyncio.gather(*held)
    if slow is not items:
        await slow.close()


async def test_one_timer_gives_up_in_order_and_not_what_was_answered() -> None:
    loop = asyncio.get_running_loop()
    given_up: list[Work] = []
    ended = asyncio.Event()

    def expire(work: Work) -> None:
        given_up.append(work)
        if len(given_up) == 2:
            ended.set()

    deadlines = WorkDeadlines(loop, 0.01, expire)
    first, answered, last = (Work(None, loop, reads=False) for _ in range(3))
    for work in (first, answered, last):
        deadlines.add(work)
    deadlines.remove(answered)
    await asyncio.wait_for(ended.wait(), 5)
    assert given_up == [first, last]
    again = Work(None, loop, reads=False)
    ended.clear()
    given_up.pop()
    deadlines.add(again)
    await asyncio.wait_for(ended.wait(), 5)
    assert given_up == [first, again]
