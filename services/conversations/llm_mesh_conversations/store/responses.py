"""Responses in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, delete, select, update

from llm_mesh.conversations.v1 import responses_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_conversations.domain.errors import history_too_large, run_lost
from llm_mesh_conversations.domain.records import failure_of
from llm_mesh_conversations.domain.values import ENDED, ContentKey, ContentPlace, ResponseBounds, StoredEvents
from llm_mesh_conversations.store.conversation_rows import ConversationRows
from llm_mesh_conversations.store.expiry import erasing
from llm_mesh_conversations.store.keys import at
from llm_mesh_conversations.store.response_rows import ResponseRows
from llm_mesh_conversations.store.tables import INSTANCES, RESPONSES
from llm_mesh_runtime.database import Database, upsert

_MOST_AT_ONCE = 100
_OLD_INSTANCE = 86_400_000_000


class SqlResponses:
    """`ResponseStore`. Plain columns say which response runs where; everything else of it is sealed."""

    def __init__(self, database: Database, rows: ResponseRows, conversations: ConversationRows) -> None:
        self._database = database
        self._rows = rows
        self._conversations = conversations

    async def check_room(self, place: ContentPlace) -> None:
        await self._database.read(lambda connection: self._rows.check_room(connection, place, further=1))

    async def begin(self, key: ContentKey, response: responses_pb2.SealedResponse, instance: str) -> bool:
        def work(connection: Connection) -> bool:
            self._beat(connection, instance)
            return self._rows.add(connection, key, response, instance)

        return await self._database.write(work)

    async def append(self, key: ContentKey, response: str, first: int, events: Sequence[generate_pb2.StreamEvent]) -> bool:
        def work(connection: Connection) -> bool:
            own = (*at(RESPONSES, key.place), RESPONSES.c.id == response)
            if not connection.scalar(select(RESPONSES.c.instance).where(*own).with_for_update()):
                return False
            return self._rows.add_events(connection, key, response, first, events)

        return await self._database.write(work)

    async def end(self, key: ContentKey, response: responses_pb2.SealedResponse) -> bool:
        def work(connection: Connection) -> bool:
            if response.response.background:
                done = self._rows.replace(connection, key, response)
            else:
                done = self._rows.add(connection, key, response, "")
            if done and response.response.conversation and response.response.status != responses_pb2.RESPONSE_STATUS_FAILED:
                items = [*response.input, *response.output]
                self._conversations.add(connection, key.place, response.response.conversation, items)
            return done

        return await self._database.write(work)

    async def get(self, place: ContentPlace, response: str, first: int = 0) -> StoredEvents | None:
        def work(connection: Connection) -> StoredEvents | None:
            sealed = self._rows.get(connection, place, response)
            if sealed is None:
                return None
            begin, events, more = self._rows.events(connection, place, response, first)
            return StoredEvents(sealed, begin, events, more)

        return await self._database.read(work)

    async def chain(self, place: ContentPlace, response: str, bounds: ResponseBounds) -> Sequence[responses_pb2.SealedResponse] | None:
        def work(connection: Connection) -> list[responses_pb2.SealedResponse] | None:
            chain: list[responses_pb2.SealedResponse] = []
            items = size = 0
            following = response
            while following:
                sealed = self._rows.get(connection, place, following)
                if sealed is None:
                    return None
                sealed.ClearField("events")
                chain.append(sealed)
                items += len(sealed.input) + len(sealed.output)
                size += sealed.ByteSize()
                _check(bounds, len(chain), items, size)
                following = sealed.response.previous_response
            return chain[::-1]

        return await self._database.read(work)

    async def delete(self, place: ContentPlace, response: str) -> bool:
        def work(connection: Connection) -> bool:
            if self._rows.get(connection, place, response) is None:
                return False
            self._rows.remove(connection, place, [response])
            return True

        return await self._database.write(work)

    async def request_cancel(self, place: ContentPlace, response: str) -> None:
        statement = update(RESPONSES).where(*at(RESPONSES, place), RESPONSES.c.id == response).values(cancelling=True)
        await self._database.write(lambda connection: connection.execute(statement).rowcount)

    async def beat(self, instance: str, running: Collection[str]) -> Collection[str]:
        def work(connection: Connection) -> Collection[str]:
            self._beat(connection, instance)
            statement = select(RESPONSES.c.id).where(RESPONSES.c.instance == instance, RESPONSES.c.cancelling.is_(False))
            return set(running) - set(connection.scalars(statement))

        return await self._database.write(work) if running else ()

    async def lose(self, *, silent_for: float, instance: str = "") -> int:
        def work(connection: Connection) -> int:
            erasing(connection)
            now = self._database.now(connection)
            connection.execute(delete(INSTANCES).where(INSTANCES.c.seen < now - _OLD_INSTANCE))
            alive = select(INSTANCES.c.instance).where(INSTANCES.c.seen > now - int(silent_for * 1_000_000))
            lost = select(RESPONSES.c.domain, RESPONSES.c.project, RESPONSES.c.id).where(
                RESPONSES.c.instance != "", RESPONSES.c.instance != instance, RESPONSES.c.instance.not_in(alive)
            )
            rows = connection.execute(lost.limit(_MOST_AT_ONCE).with_for_update(skip_locked=True)).all()
            for row in rows:
                self._lose(connection, ContentPlace(row.domain, row.project), row.id)
            return len(rows)

        return await self._database.write(work)

    def _lose(self, connection: Connection, place: ContentPlace, response: str) -> None:
        opened = self._rows.opened(connection, place, response)
        if opened is None:  # expired, or without a key: the purge takes it
            connection.execute(update(RESPONSES).where(*at(RESPONSES, place), RESPONSES.c.id == response).values(instance=""))
            return
        key, sealed = opened
        if sealed.response.status not in ENDED:
            sealed.response.status = responses_pb2.RESPONSE_STATUS_FAILED
            sealed.response.failure.CopyFrom(failure_of(run_lost()))
            sealed.response.end_time.FromMicroseconds(self._database.now(connection))
        self._rows.replace(connection, key, sealed)

    def _beat(self, connection: Connection, instance: str) -> None:
        upsert(connection, INSTANCES, {"instance": instance, "seen": self._database.now(connection)}, key=["instance"])


def _check(bounds: ResponseBounds, responses: int, items: int, size: int) -> None:
    if responses > bounds.chain:
        raise history_too_large(f"{bounds.chain} responses")
    if items > bounds.messages:
        raise history_too_large(f"{bounds.messages} items")
    if size > bounds.history_bytes:
        raise history_too_large(f"{bounds.history_bytes} bytes")
