"""Decisions in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select, text

from llm_mesh.router.v1 import router_pb2
from llm_mesh_router.domain.decisions import Decision
from llm_mesh_router.store.tables import DECISIONS
from llm_mesh_runtime.database import Database, PreparedStatement, micros

_PUT = PreparedStatement(
    text(
        "INSERT INTO route_decisions (domain, id, request_id, body, created)"
        " VALUES (:domain, :id, :request_id, :body, :created) ON CONFLICT (domain, id) DO NOTHING"
    )
)
"""Prepared, since there is one for each request: SQLAlchemy would look at each row's values again."""


class SqlDecisions:
    """`DecisionStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, decisions: Sequence[Decision]) -> None:
        """Keeps decisions. They are serialised in the store's thread."""

        def work(connection: Connection) -> None:
            for decision in decisions:
                _PUT.change(
                    connection,
                    domain=decision.domain,
                    id=decision.id,
                    request_id=decision.request_id,
                    body=decision.explanation.SerializeToString(),
                    created=micros(decision.time),
                )

        await self._database.write(work)

    async def find(self, domain: str, decision_id: str) -> router_pb2.ExplainDecisionResponse | None:
        """The decision."""
        return await self._one(select(DECISIONS.c.body).where(DECISIONS.c.domain == domain, DECISIONS.c.id == decision_id))

    async def of_request(self, domain: str, request_id: str) -> router_pb2.ExplainDecisionResponse | None:
        """The newest decision of a request."""
        of_it = select(DECISIONS.c.body).where(DECISIONS.c.domain == domain, DECISIONS.c.request_id == request_id)
        return await self._one(of_it.order_by(DECISIONS.c.created.desc()).limit(1))

    async def trim(self, *, before: datetime, least: int, most: int) -> None:
        """Deletes what is old, then what is too much."""

        def work(connection: Connection) -> None:
            newest = select(DECISIONS.c.created).order_by(DECISIONS.c.created.desc())
            last_kept = connection.scalar(newest.offset(least - 1).limit(1))
            if last_kept is not None:
                connection.execute(delete(DECISIONS).where(DECISIONS.c.created < min(micros(before), last_kept)))
            _share_out(connection, most)

        await self._database.write(work)

    async def _one(self, query: Select[Any]) -> router_pb2.ExplainDecisionResponse | None:
        body = await self._database.read(lambda connection: connection.scalar(query))
        return None if body is None else router_pb2.ExplainDecisionResponse.FromString(body)


def _share_out(connection: Connection, most: int) -> None:
    """Of more than `most` the domains with the most lose their oldest: no domain pushes out those of others that keep to their share."""
    counts = connection.execute(select(DECISIONS.c.domain, func.count()).group_by(DECISIONS.c.domain)).all()
    left, waiting = most, len(counts)
    for domain, count in sorted(counts, key=lambda row: row[1]):
        share = left // waiting
        if count > share:
            _keep_newest(connection, domain, share)
        left, waiting = left - min(count, share), waiting - 1


def _keep_newest(connection: Connection, domain: str, share: int) -> None:
    of_domain = select(DECISIONS.c.id).where(DECISIONS.c.domain == domain).order_by(DECISIONS.c.created.desc(), DECISIONS.c.id)
    newest = of_domain.limit(share).scalar_subquery()
    connection.execute(delete(DECISIONS).where(DECISIONS.c.domain == domain, DECISIONS.c.id.not_in(newest)))
