"""The stores of the installed services, by the convention that their revisions are in `<package>.store.migrations`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_mesh_runtime.host import StartError, installed, load
from llm_mesh_runtime.migrate import migrations_of, stateful
from llm_mesh_runtime.settings import Configuration, MeshSettings

if TYPE_CHECKING:
    from llm_mesh_runtime.database import Database

_ALONE = "set LLM_MESH_{}_DATABASE_URL, or run `llm-mesh up`, which keeps embedded stores current by itself"


@dataclass(frozen=True, slots=True)
class ServiceStore:
    """One service's store."""

    service: str
    package: str
    settings: Any
    mesh: MeshSettings

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Schema]:
        """Its schema, for as long as it is looked at."""
        from llm_mesh_runtime.database import open_database  # noqa: PLC0415 (only who migrates needs it)

        if not self.settings.database_url and not self.mesh.embedded:
            raise StartError(f"{self.service} has no database: " + _ALONE.format(self.service.upper()))
        database = open_database(self.service, self.settings.database_url, self.mesh)
        try:
            yield Schema(database, self.package)
        finally:
            await database.close()


class Schema:
    """The schema of an open store."""

    def __init__(self, database: Database, package: str) -> None:
        from llm_mesh_runtime.database.migrations import revisions  # noqa: PLC0415 (likewise)

        self._database = database
        self._package = package
        self.last: str = revisions(package)[-1]

    async def current(self) -> str:
        """The revision that the store is at; empty where it has none."""
        from llm_mesh_runtime.database import current  # noqa: PLC0415 (likewise)

        return await current(self._database)

    async def migrate(self) -> str:
        """Bring it to the last revision."""
        from llm_mesh_runtime.database import migrate  # noqa: PLC0415 (likewise)

        return await migrate(self._database, self._package)


def stores(names: tuple[str, ...] = (), *, data_dir: Path | None = None) -> tuple[ServiceStore, ...]:
    """The stores of the named services, or of all that own data; with a data directory, those that a mesh embeds there."""
    configuration = Configuration.read()
    mesh = configuration.load(MeshSettings).value
    if data_dir is not None:
        mesh = replace(mesh, embedded=True, data_dir=data_dir)
    selected = []
    for service in load(names or stateful(installed())):
        package = migrations_of(service.name)
        if not package:
            raise StartError(f"{service.name} owns no data, so it has no schema")
        selected.append(ServiceStore(service.name, package, configuration.load(service.settings, service.name).value, mesh))
    return tuple(selected)
