"""Schemas move forward as a whole, once, and builds that do not fit are refused."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text, insert, inspect, select

from llm_mesh_runtime.database import Database, check, current, drift, migrate
from llm_mesh_runtime.errors import MeshError

PACKAGE = "tests.runtime.migrations"
METADATA = MetaData()
KEYS = Table(
    "keys",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("nanos", BigInteger, nullable=False),
    Column("owner", Text, nullable=False, server_default=""),
    Index("keys_by_owner", "owner"),
)
FAILING = """
def upgrade(op):
    op.create_table("half", __import__("sqlalchemy").Column("id", __import__("sqlalchemy").Text))
    raise RuntimeError("the revision is wrong")
"""


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A build that ends at the first revision."""
    folder = tmp_path / "older_migrations"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "v0001_initial.py").write_text(Path(__file__).with_name("migrations").joinpath("v0001_initial.py").read_text())
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "older_migrations"
    for name in [name for name in sys.modules if name.startswith("older_migrations")]:
        del sys.modules[name]


async def refused(database: Database, package: str) -> str:
    with pytest.raises(MeshError) as caught:
        await check(database, package)
    assert caught.value.reason_name == "SCHEMA_MISMATCH"
    return caught.value.message


async def test_an_empty_store_is_brought_to_the_last_revision(database: Database) -> None:
    assert await current(database) == ""
    assert "is at revision none" in await refused(database, PACKAGE)
    assert await migrate(database, PACKAGE) == "v0002_expand"
    assert await current(database) == "v0002_expand"
    await check(database, PACKAGE)


async def test_the_migrated_schema_is_the_declared_one(database: Database) -> None:
    await migrate(database, PACKAGE)
    assert await drift(database, METADATA) == []
    changed = MetaData()
    Table("keys", changed, Column("id", Text, primary_key=True), Column("more", Text))
    assert await drift(database, changed) != []


async def test_data_survives_and_only_missing_revisions_run(database: Database, older: str) -> None:
    await migrate(database, older)
    assert await current(database) == "v0001_initial"
    assert "this build needs v0002_expand" in await refused(database, PACKAGE)
    await database.write(lambda c: c.execute(insert(KEYS), {"id": "a", "nanos": 1}).rowcount)
    await migrate(database, PACKAGE)
    assert await database.read(lambda c: c.execute(select(KEYS)).all()) == [("a", 1, "")]


async def test_a_build_of_the_release_before_works_on_an_expanded_schema(database: Database, older: str) -> None:
    await migrate(database, PACKAGE)
    await check(database, older)
    assert await migrate(database, older) == "v0001_initial"
    assert await current(database) == "v0002_expand"


async def test_a_contracted_schema_refuses_builds_that_still_use_what_is_gone(
    database: Database, older: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.runtime.migrations import v0002_expand  # noqa: PLC0415 (importing it needs Alembic)

    assert isinstance(v0002_expand, ModuleType)
    monkeypatch.setattr(v0002_expand, "NEEDS", "v0002_expand", raising=False)
    await migrate(database, PACKAGE)
    await check(database, PACKAGE)
    assert "needs builds that know revision v0002_expand" in await refused(database, older)


async def test_a_revision_that_fails_leaves_nothing_behind(database: Database, older: str, tmp_path: Path) -> None:
    (tmp_path / older / "v0002_failing.py").write_text(FAILING)
    with pytest.raises(RuntimeError, match="the revision is wrong"):
        await migrate(database, older)
    assert await current(database) == ""
    assert await database.read(lambda c: inspect(c).get_table_names()) == []


async def test_instances_that_migrate_at_the_same_time_do_it_once(database_url: str) -> None:
    instances = [Database(database_url, name="test") for _ in range(3)]
    if database_url == "sqlite://":  # each memory is its own
        instances = instances[:1]
    assert await asyncio.gather(*(migrate(each, PACKAGE) for each in instances)) == ["v0002_expand"] * len(instances)
    for each in instances:
        await check(each, PACKAGE)
        await each.close()


def test_a_start_with_a_current_schema_does_not_import_alembic(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from llm_mesh_runtime.database import Database, check, migrate\n"
        "async def main():\n"
        "    database = Database(sys.argv[1], name='test')\n"
        "    await migrate(database, 'tests.runtime.migrations')\n"
        "    await check(database, 'tests.runtime.migrations')\n"
        "    await database.close()\n"
        "asyncio.run(main())\n"
        "print('alembic' in sys.modules)\n"
    )
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", program, f"sqlite:///{tmp_path / 'x.db'}"]
    told = [subprocess.run(command, check=True, capture_output=True, text=True, cwd=root).stdout.strip() for _ in range(2)]
    assert told == ["True", "False"]
