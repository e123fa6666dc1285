"""The stores of a database, and content for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from llm_mesh.conversations.v1 import conversations_pb2, items_pb2, responses_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import audit_pb2
from llm_mesh_conversations.domain.ids import IdKind, StoredIds
from llm_mesh_conversations.domain.values import ContentAuthor, ContentKey, ContentPlace, ResponseBounds
from llm_mesh_conversations.settings import Settings
from llm_mesh_conversations.wiring import ContentStores
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.outbox import Outbox
from tests.conversations.content_world import message
from tests.databases import migrated

SECRET = b"a content secret of tests, at least 32 bytes"
TRIAGE = ContentPlace("domains/claims", "domains/claims/projects/triage")
FOREIGN = ContentPlace("domains/trade", "domains/trade/projects/desk")
BOUNDS = ResponseBounds(chain=10, messages=100, history_bytes=1_000_000, response_bytes=1_000_000)


@dataclass
class Recorder:
    """Policy's audit trail."""

    records: list[audit_pb2.ChangeRecord] = field(default_factory=list)

    async def record(self, changes: Sequence[audit_pb2.ChangeRecord]) -> None:
        self.records += changes


class StoredContent:
    """Stores, and short ways to fill them."""

    def __init__(self, database: Database, **settings: Any) -> None:
        self.database = database
        self.ids = StoredIds(SECRET)
        self.audit = Recorder()
        stores = ContentStores(Settings(**settings), database, Outbox(database, self.audit), SECRET)
        self.keys, self.responses, self.conversations, self.retention = (
            stores.keys,
            stores.responses,
            stores.conversations,
            stores.retention,
        )

    async def key(self, place: ContentPlace = TRIAGE, principal: str = "ana", end_user: str = "") -> ContentKey:
        return await self.keys.key_of(ContentAuthor(place, principal, end_user))

    def response(self, place: ContentPlace = TRIAGE, text: str = "Hi", **fields: Any) -> responses_pb2.SealedResponse:
        response = responses_pb2.Response(id=self.ids.new(IdKind.RESPONSE, place), **fields)
        response.create_time.FromDatetime(SystemClock().now())
        sealed = responses_pb2.SealedResponse(response=response)
        sealed.input.append(items_pb2.Item(id=self.ids.new(IdKind.ITEM, place), message=message(text)))
        return sealed

    async def stored(self, key: ContentKey, text: str = "Hi", **fields: Any) -> str:
        """The id of a response that has ended."""
        response = self.response(key.place, text, status=responses_pb2.RESPONSE_STATUS_COMPLETED, **fields)
        assert await self.responses.end(key, response)
        return response.response.id

    async def conversation(self, key: ContentKey, *texts: str) -> str:
        """The id of a conversation."""
        conversation = conversations_pb2.Conversation(id=self.ids.new(IdKind.CONVERSATION, key.place))
        conversation.create_time.FromDatetime(SystemClock().now())
        items = [items_pb2.Item(id=self.ids.new(IdKind.ITEM, key.place), message=message(text)) for text in texts]
        assert await self.conversations.create(key, conversation, items) is not None
        return conversation.id


def events(*texts: str) -> list[generate_pb2.StreamEvent]:
    return [generate_pb2.StreamEvent(text=generate_pb2.TextDelta(text=text)) for text in texts]


async def stored_content(database: Database, **settings: Any) -> StoredContent:
    await migrated(database, "llm_mesh_conversations.store.migrations")
    return StoredContent(database, **settings)
