"""Rows of responses, within a transaction: sealed when they are written, opened when they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from llm_mesh.conversations.v1 import responses_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_conversations.domain.values import ContentKey, ContentPlace
from llm_mesh_conversations.store.expiry import ContentExpiry, erasing
from llm_mesh_conversations.store.keys import SqlContentKeys, at
from llm_mesh_conversations.store.room import ContentRoom
from llm_mesh_conversations.store.tables import EVENTS, RESPONSES
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.log import get_logger

_MOST_BATCHES = 64


class ResponseRows:
    """Writes and reads the rows of responses and of their events."""

    def __init__(self, database: Database, keys: SqlContentKeys, expiry: ContentExpiry, room: ContentRoom) -> None:
        self._database = database
        self._keys = keys
        self._expiry = expiry
        self._room = room

    def check_room(self, connection: Connection, place: ContentPlace, *, further: int = 0) -> None:
        """QUOTA_EXCEEDED where the project would have too many responses, or bytes."""
        count = connection.scalar(select(func.count()).select_from(RESPONSES).where(*at(RESPONSES, place))) or 0
        self._room.check(connection, place, "responses", count + further)

    def add(self, connection: Connection, key: ContentKey, response: responses_pb2.SealedResponse, instance: str) -> bool:
        """A new row. False: the key was erased."""
        sealed = self._sealed(connection, key, response, revision=1)
        if sealed is None:
            return False
        row: dict[str, Any] = {"domain": key.place.domain, "project": key.place.project, "id": response.response.id, "content_key": key.id}
        row |= {"revision": 1, "sealed": sealed, "size": len(sealed), "instance": instance, "cancelling": False}
        connection.execute(insert(RESPONSES).values(**row, created=response.response.create_time.ToMicroseconds()))
        self.check_room(connection, key.place)
        return True

    def replace(self, connection: Connection, key: ContentKey, response: responses_pb2.SealedResponse) -> bool:
        """The state of a response that has ended. False: it is gone, has ended already, or the key was erased."""
        own = (*at(RESPONSES, key.place), RESPONSES.c.id == response.response.id)
        row = connection.execute(select(RESPONSES.c.revision, RESPONSES.c.instance).where(*own).with_for_update()).first()
        sealed = None if row is None or not row.instance else self._sealed(connection, key, response, revision=row.revision + 1)
        if row is None or sealed is None:
            return False
        size = RESPONSES.c.size + len(sealed)
        connection.execute(update(RESPONSES).where(*own).values(revision=row.revision + 1, sealed=sealed, size=size, instance=""))
        return True

    def get(self, connection: Connection, place: ContentPlace, response: str) -> responses_pb2.SealedResponse | None:
        """A response, with the time when it expires."""
        opened = self.opened(connection, place, response)
        return None if opened is None else opened[1]

    def opened(self, connection: Connection, place: ContentPlace, response: str) -> tuple[ContentKey, responses_pb2.SealedResponse] | None:
        """A response with its key. None: it is not there for anybody."""
        columns = (RESPONSES.c.content_key, RESPONSES.c.revision, RESPONSES.c.sealed, self._expiry.expires(RESPONSES).label("expires"))
        row = connection.execute(select(*columns).where(*at(RESPONSES, place), RESPONSES.c.id == response)).first()
        if row is None or row.expires <= self._database.now(connection):
            return None
        cipher = self._keys.cipher_of(connection, place, row.content_key)
        if cipher is None:
            return None
        content = cipher.opened(bytes(row.sealed), *_label(place, response, row.revision))
        if content is None:
            get_logger().error("a stored response does not open", project=place.project, response=response)
            return None
        sealed = responses_pb2.SealedResponse.FromString(content)
        sealed.response.expire_time.FromMicroseconds(row.expires)
        return ContentKey(place, row.content_key), sealed

    def add_events(
        self, connection: Connection, key: ContentKey, response: str, first: int, events: Sequence[generate_pb2.StreamEvent]
    ) -> bool:
        """A batch of events. False: the key was erased."""
        cipher = self._keys.cipher_of(connection, key.place, key.id)
        if cipher is None:
            return False
        content = generate_pb2.StreamEvents(events=events).SerializeToString()
        sealed = cipher.closed(content, "events", *key.place, response, str(first))
        row = {"domain": key.place.domain, "project": key.place.project, "response": response, "first": first}
        connection.execute(insert(EVENTS).values(**row, behind=first + len(events), sealed=sealed))
        own = (*at(RESPONSES, key.place), RESPONSES.c.id == response)
        connection.execute(update(RESPONSES).where(*own).values(size=RESPONSES.c.size + len(sealed)))
        return True

    def events(
        self, connection: Connection, place: ContentPlace, response: str, first: int
    ) -> tuple[int, list[generate_pb2.StreamEvent], bool]:
        """The number of the first event, events from a number on, and whether there are more of them. What does not open is not there."""
        own = (*at(EVENTS, place), EVENTS.c.response == response, EVENTS.c.behind > first)
        statement = select(EVENTS.c.first, EVENTS.c.sealed).where(*own).order_by(EVENTS.c.first).limit(_MOST_BATCHES + 1)
        batches = connection.execute(statement).all()
        if not batches:
            return first, [], False
        key = connection.scalar(select(RESPONSES.c.content_key).where(*at(RESPONSES, place), RESPONSES.c.id == response))
        cipher = self._keys.cipher_of(connection, place, key or "")
        events: list[generate_pb2.StreamEvent] = []
        for batch in batches[:_MOST_BATCHES]:
            content = None if cipher is None else cipher.opened(bytes(batch.sealed), "events", *place, response, str(batch.first))
            if content is None:
                get_logger().error("events of a stored response do not open", project=place.project, response=response)
                return first, events, False
            events += generate_pb2.StreamEvents.FromString(content).events[max(0, first - batch.first) if not events else 0 :]
        return max(first, batches[0].first), events, len(batches) > _MOST_BATCHES

    def remove(self, connection: Connection, place: ContentPlace, responses: Sequence[str]) -> None:
        """Deletes responses with their events."""
        erasing(connection)
        connection.execute(delete(EVENTS).where(*at(EVENTS, place), EVENTS.c.response.in_(responses)))
        connection.execute(delete(RESPONSES).where(*at(RESPONSES, place), RESPONSES.c.id.in_(responses)))

    def _sealed(self, connection: Connection, key: ContentKey, response: responses_pb2.SealedResponse, *, revision: int) -> bytes | None:
        cipher = self._keys.cipher_of(connection, key.place, key.id)
        if cipher is None:
            return None
        return cipher.closed(response.SerializeToString(), *_label(key.place, response.response.id, revision))


def _label(place: ContentPlace, response: str, revision: int) -> tuple[str, ...]:
    """What a response's content is bound to."""
    return "response", *place, response, str(revision)
