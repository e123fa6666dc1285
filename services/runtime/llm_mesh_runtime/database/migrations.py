"""Schema migrations: modules of a package, run in the order of their names with Alembic's operations.

A store's `migrations` package holds one module per revision, such as `v0001_initial.py`::

    def upgrade(op: Operations) -> None:
        op.create_table("keys", sa.Column("id", sa.Text, primary_key=True), ...)

All that are missing run in one transaction, behind a lock, and the last one's name is kept in `<service>_schema`. Alembic is
only imported when there is something to run, so that a start with a current schema stays fast.

Rolling upgrade (expand, migrate code, contract): a revision may only *add* what builds without it can ignore (tables, nullable
columns or such with a default, indexes); then every build of the release before runs on the new schema, instances are
replaced one after the other, and the old ones may even restart. What removes or tightens something is a revision of a later
release that declares the oldest revision whose builds no longer use it: `NEEDS = "v0004_split_name"`. Builds whose last
revision is older than that are refused with SCHEMA_MISMATCH. Order: `llm-mesh migrate SERVICE`, then the new instances.
"""

import asyncio
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, MetaData, Table, Text, inspect, select, text

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.database.columns import upsert
from llm_mesh_runtime.database.database import Database
from llm_mesh_runtime.errors import RuntimeFault

_TIMEOUT = 600.0


class SchemaState(NamedTuple):
    """What a store says about its schema."""

    revision: str
    needs: str


async def migrate(database: Database, package: str) -> str:
    """Brings the schema to the package's last revision; answers with it. Does nothing where it is current or newer."""
    last = revisions(package)[-1]
    if (await database.read(_schema_of(database.name))).revision >= last:
        return last
    await asyncio.to_thread(_load_alembic)  # others wait for the transaction, but not for 200 ms of imports in it
    return await database.write(lambda connection: _upgrade(connection, database.name, package), time_limit=_TIMEOUT)


async def current(database: Database) -> str:
    """The revision of the store's schema; empty where it has none yet."""
    return (await database.read(_schema_of(database.name))).revision


async def check(database: Database, package: str) -> None:
    """Raises SCHEMA_MISMATCH unless this build can work with the store's schema."""
    last = revisions(package)[-1]
    schema = await database.read(_schema_of(database.name))
    if schema.revision < last:
        raise _mismatch(database.name, f"is at revision {schema.revision or 'none'}, this build needs {last}", schema.revision, last)
    if schema.needs > last:
        raise _mismatch(database.name, f"needs builds that know revision {schema.needs}, this one ends at {last}", schema.revision, last)


async def drift(database: Database, metadata: MetaData) -> list[Any]:
    """How the migrated schema differs from the tables that the code declares; a store's test expects nothing."""
    return await database.read(lambda connection: _differences(connection, metadata))


def revisions(package: str) -> list[str]:
    """The names of the revisions of a package, in their order, without importing them."""
    modules = sorted(module.name for module in pkgutil.iter_modules(importlib.import_module(package).__path__))
    names = [name for name in modules if not name.startswith("_")]
    if not names:
        raise ValueError(f"{package} has no revisions")
    return names


def _table(service: str) -> Table:
    columns = (Column("service", Text, primary_key=True), Column("revision", Text, nullable=False), Column("needs", Text, nullable=False))
    return Table(f"{service.replace('-', '_').replace('/', '_')}_schema", MetaData(), *columns)


def _schema_of(service: str) -> Callable[[Connection], SchemaState]:
    table = _table(service)

    def read(connection: Connection) -> SchemaState:
        if not inspect(connection).has_table(table.name):
            return SchemaState("", "")
        row = connection.execute(select(table.c.revision, table.c.needs)).first()
        return SchemaState(row.revision, row.needs) if row else SchemaState("", "")

    return read


def _load_alembic() -> None:
    import alembic.migration  # noqa: PLC0415 (a current schema does without)
    import alembic.operations  # noqa: F401, PLC0415 (likewise)


def _upgrade(connection: Connection, service: str, package: str) -> str:
    from alembic.migration import MigrationContext  # noqa: PLC0415 (200 ms that a current schema does not pay)
    from alembic.operations import Operations  # noqa: PLC0415 (likewise)

    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:lock))"), {"lock": f"llm-mesh:migrate:{service}"})
    schema = _schema_of(service)(connection)  # again, now that nobody else migrates
    table = _table(service)
    table.create(connection, checkfirst=True)
    operations = Operations(MigrationContext.configure(connection))
    needs = schema.needs
    names = revisions(package)
    for name in names:
        if name > schema.revision:
            module = importlib.import_module(f"{package}.{name}")
            module.upgrade(operations)
            needs = getattr(module, "NEEDS", needs)
    reached = max(names[-1], schema.revision)
    upsert(connection, table, {"service": service, "revision": reached, "needs": needs}, key=["service"])
    return reached


def _differences(connection: Connection, metadata: MetaData) -> list[Any]:
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 (tests only)
    from alembic.migration import MigrationContext  # noqa: PLC0415 (likewise)

    def ours(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or name in metadata.tables or not str(name).endswith("_schema")

    options = {"compare_type": True, "compare_server_default": False, "include_name": ours}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def _mismatch(service: str, why: str, present: str, expected: str) -> RuntimeFault:
    return RuntimeFault(
        errors_pb2.ERROR_REASON_SCHEMA_MISMATCH, f"the schema of {service} {why}", store=service, found=present, expected=expected
    )
