"""Brings the schemas of installed services up to date: a command of its own, so that serving needs no right to alter tables.

`python -m llm_mesh_runtime.migrate` does it for every service that is installed and owns data, `… policy` for the named ones;
`llm-mesh migrate` is the same with more comfort. A service owns data where its package has `store/migrations`.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any

from llm_mesh_runtime.errors import MeshError, with_cause
from llm_mesh_runtime.host.discovery import installed, load
from llm_mesh_runtime.settings import Configuration, MeshSettings, SettingsError
from llm_mesh_runtime.start_error import StartError


def migrations_of(name: str) -> str:
    """The package of a service's migrations; empty where it owns no data."""
    directory = name.replace("/", "-")
    for point in entry_points(group="llm_mesh.services"):
        if point.name == directory:
            package = f"{point.module.partition('.')[0]}.store.migrations"
            try:
                return package if importlib.util.find_spec(package) else ""
            except ModuleNotFoundError:  # it has no store
                return ""
    return ""


def stateful(names: Iterable[str]) -> tuple[str, ...]:
    """Those of the services that own data."""
    return tuple(name for name in names if migrations_of(name))


async def migrate_services(names: Iterable[str], configuration: Configuration) -> Mapping[str, str]:
    """Migrates the databases of the services; answers with the revision that each has reached."""
    from llm_mesh_runtime.database import migrate, open_database  # noqa: PLC0415 - only services with data install SQLAlchemy

    mesh = configuration.load(MeshSettings).value
    reached: dict[str, str] = {}
    for service in load(names):
        package = migrations_of(service.name)
        if not package:
            raise StartError(f"{service.name} owns no data: there is nothing to migrate")
        settings: Any = configuration.load(service.settings, service.name).value
        database = open_database(service.name, settings.database_url, mesh)
        try:
            reached[service.name] = await migrate(database, package)
        finally:
            await database.close()
    return reached


def main(arguments: Sequence[str]) -> int:
    """Migrate, and tell what was reached."""
    names = tuple(arguments) or stateful(installed())
    try:
        reached = asyncio.run(migrate_services(names, Configuration.read()))
    except (MeshError, SettingsError, StartError, ValueError) as error:
        sys.stderr.write(f"migrate: {with_cause(error)}\n")
        return 1
    for name, revision in reached.items():
        sys.stdout.write(f"{name} {revision}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
