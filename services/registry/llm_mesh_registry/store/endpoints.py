"""The facts of endpoints in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.registry.v1 import errors_pb2, registry_pb2
from llm_mesh_registry.domain.endpoints import endpoint_name
from llm_mesh_registry.domain.errors import RegistryError
from llm_mesh_registry.store.accepting import accept_new
from llm_mesh_registry.store.rows import begin_change, check_count, facts_of
from llm_mesh_registry.store.tables import ENDPOINTS, MODELS
from llm_mesh_runtime.database import Database, from_micros, upsert
from llm_mesh_runtime.errors import etag_mismatch, not_found
from llm_mesh_runtime.outbox import Notes, Outbox
from llm_mesh_runtime.pace import Pace
from llm_mesh_runtime.resources import Quotas, change_of, etag_of

_MOST_NAMED = 10
_NONE = resources_pb2.CHANGE_ACTION_NONE


class SqlEndpoints:
    """The store of endpoints."""

    def __init__(self, database: Database, outbox: Outbox, quotas: Quotas) -> None:
        self._database = database
        self._outbox = outbox
        self._quotas = quotas

    async def page(self, after: str, limit: int) -> Sequence[registry_pb2.Endpoint]:
        statement = select(ENDPOINTS.c.body).where(ENDPOINTS.c.name > after).order_by(ENDPOINTS.c.name).limit(limit)
        return await self._database.read(
            lambda connection: [registry_pb2.Endpoint.FromString(body) for body in connection.scalars(statement)]
        )

    async def get(self, name: str) -> registry_pb2.Endpoint:
        endpoint = await self._database.read(lambda connection: facts_of(connection, [name]).get(name))
        if endpoint is None:
            raise not_found(name)
        return endpoint

    async def put(self, endpoint: registry_pb2.Endpoint) -> registry_pb2.Endpoint:
        def work(connection: Connection, notes: Notes) -> registry_pb2.Endpoint:
            begin_change(connection)
            now, present = self._database.now(connection), facts_of(connection, [endpoint.name]).get(endpoint.name)
            if endpoint.etag and (present is None or endpoint.etag != present.etag):
                raise etag_mismatch(endpoint.name)
            stored = _put(connection, notes, self._quotas, endpoint, present, now)
            accept_new(connection, notes, now)
            return stored

        return await self._outbox.write(work, action="endpointFacts.put")

    async def delete(self, name: str, etag: str, *, force: bool = False) -> None:
        def work(connection: Connection, notes: Notes) -> None:
            begin_change(connection)
            present = facts_of(connection, [name]).get(name)
            if present is None:
                raise not_found(name)
            if etag and etag != present.etag:
                raise etag_mismatch(name)
            if present.HasField("connection") and not force:
                _check_unused(connection, name, self._database.now(connection))
            connection.execute(delete(ENDPOINTS).where(ENDPOINTS.c.name == name))
            notes.note(name, present, None)
            accept_new(connection, notes, self._database.now(connection))

        await self._outbox.write(work, action="endpointFacts.delete")


def apply_endpoint(
    connection: Connection,
    notes: Notes | None,
    quotas: Quotas,
    desired: registry_pb2.Endpoint,
    present: registry_pb2.Endpoint | None,
    now: int,
) -> resources_pb2.Change:
    """Brings an endpoint to a wanted state; without notes it only compares."""
    change = change_of(desired.name, present, desired)
    if change.action != _NONE and notes is not None:
        _put(connection, notes, quotas, desired, present, now)
        accept_new(connection, notes, now)
    return change


def _check_unused(connection: Connection, name: str, now: int) -> None:
    """ENDPOINT_IN_USE where models refer to an endpoint that still answer, or will."""
    pace = Pace()
    users: list[str] = []
    for body in connection.scalars(select(MODELS.c.body).order_by(MODELS.c.name)):
        pace.step()
        model = registry_pb2.Model.FromString(body)
        retired = model.HasField("retire_time") and model.retire_time.ToMicroseconds() <= now
        if endpoint_name(model) == name and not retired and model.lifecycle != registry_pb2.LIFECYCLE_RETIRED:
            users.append(model.name)
    if users:
        named = ", ".join(users[:_MOST_NAMED])
        message = f"{len(users)} models refer to {name}: {named}"
        raise RegistryError(errors_pb2.ERROR_REASON_ENDPOINT_IN_USE, message, models=named)


def _put(
    connection: Connection,
    notes: Notes,
    quotas: Quotas,
    desired: registry_pb2.Endpoint,
    present: registry_pb2.Endpoint | None,
    now: int,
) -> registry_pb2.Endpoint:
    stored = registry_pb2.Endpoint()
    stored.CopyFrom(desired)
    stored.update_time.FromDatetime(from_micros(now))
    stored.create_time.CopyFrom(stored.update_time if present is None else present.create_time)
    stored.etag = etag_of(stored, ignore=("etag",))
    upsert(connection, ENDPOINTS, {"name": stored.name, "body": stored.SerializeToString()}, key=["name"])
    if present is None:
        check_count(connection, quotas, ENDPOINTS, "the mesh")
    notes.note(stored.name, present, stored)
    return stored
