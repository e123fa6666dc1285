"""What conversations needs from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Protocol

from llm_mesh.conversations.v1 import conversations_pb2, items_pb2, responses_pb2, retention_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_conversations.domain.values import ContentAuthor, ContentKey, ContentPlace, ResponseBounds, StoredEvents


class AnsweringGateway(Protocol):
    """Calls models with the credential of the present call."""

    def stream(self, request: gateway_pb2.GenerateStreamRequest, *, time_limit: float | None = None) -> AnsweringStream:
        """A streamed answer; `time_limit` in seconds where the present call's deadline does not bind it."""
        ...


class AnsweringStream(Protocol):
    """An answer as it comes. Raises `MeshError`."""

    def __aiter__(self) -> AsyncIterator[gateway_pb2.GenerateStreamResponse]:
        """The messages."""
        ...

    def cancel(self) -> None:
        """Ends the call, and with it the provider's answer."""
        ...


class ZeroRetention(Protocol):
    """Where policy forbids that content is stored."""

    async def binds(self, domain: str) -> bool:
        """Whether it binds a domain. Raises `MeshError` where policy does not answer."""
        ...


class ContentKeys(Protocol):
    """The keys that content is sealed with, one for each author."""

    async def key_of(self, author: ContentAuthor) -> ContentKey:
        """The author's key, made where there is none."""
        ...


class ResponseStore(Protocol):
    """Stored responses. What belongs to a key that was erased is not there."""

    async def check_room(self, place: ContentPlace) -> None:
        """QUOTA_EXCEEDED where the project may store no further response."""
        ...

    async def begin(self, key: ContentKey, response: responses_pb2.SealedResponse, instance: str) -> bool:
        """Stores a response that runs in the background, with the first revision of its state. False: the key was erased."""
        ...

    async def append(self, key: ContentKey, response: str, first: int, events: Sequence[generate_pb2.StreamEvent]) -> bool:
        """Stores events of a run. False: the response is gone, or has ended."""
        ...

    async def end(self, key: ContentKey, response: responses_pb2.SealedResponse) -> bool:
        """Stores a response that has ended, and adds its items to its conversation. False: it is gone, or the key was erased."""
        ...

    async def get(self, place: ContentPlace, response: str, first: int = 0) -> StoredEvents | None:
        """The response with stored events from a number on, of one moment."""
        ...

    async def chain(self, place: ContentPlace, response: str, bounds: ResponseBounds) -> Sequence[responses_pb2.SealedResponse] | None:
        """The response and those that it continues, the oldest first. HISTORY_TOO_LARGE beyond the bounds; None where one is gone."""
        ...

    async def delete(self, place: ContentPlace, response: str) -> bool:
        """Deletes a response with everything of it; False where it is not there."""
        ...

    async def request_cancel(self, place: ContentPlace, response: str) -> None:
        """Has the instance that runs a response end it."""
        ...

    async def beat(self, instance: str, running: Collection[str]) -> Collection[str]:
        """Says that an instance lives, and answers which of its runs it is to end: cancelled ones, and those that are gone."""
        ...

    async def lose(self, *, silent_for: float, instance: str = "") -> int:
        """Ends some responses as RUN_LOST whose instance is another one and was silent for so many seconds; answers how many."""
        ...


class ConversationStore(Protocol):
    """Stored conversations and their items."""

    async def create(
        self, key: ContentKey, conversation: conversations_pb2.Conversation, items: Sequence[items_pb2.Item]
    ) -> conversations_pb2.Conversation | None:
        """Stores a conversation with its first items. None: the key was erased."""
        ...

    async def get(self, place: ContentPlace, conversation: str) -> conversations_pb2.Conversation | None:
        """The conversation."""
        ...

    async def update(self, place: ContentPlace, conversation: str, metadata: Mapping[str, str]) -> conversations_pb2.Conversation | None:
        """Replaces the metadata."""
        ...

    async def delete(self, place: ContentPlace, conversation: str) -> bool:
        """Deletes it with its items; False where it is not there."""
        ...

    async def add(self, place: ContentPlace, conversation: str, items: Sequence[items_pb2.Item]) -> bool:
        """Adds items at its end; False where it is not there."""
        ...

    async def page(
        self, place: ContentPlace, conversation: str, *, after: str, limit: int, newest_first: bool
    ) -> Sequence[items_pb2.Item] | None:
        """Items behind the one with the id `after`. None: the conversation is not there."""
        ...

    async def item(self, place: ContentPlace, conversation: str, item: str) -> items_pb2.Item | None:
        """An item of a conversation, by its id."""
        ...

    async def delete_item(self, place: ContentPlace, conversation: str, item: str) -> bool:
        """Deletes one item; False where it is not there."""
        ...

    async def items(self, place: ContentPlace, conversation: str, bounds: ResponseBounds) -> Sequence[items_pb2.Item] | None:
        """All items, the oldest first. HISTORY_TOO_LARGE beyond the bounds; None where the conversation is not there."""
        ...


class RetentionStore(Protocol):
    """How long projects store content, and its erasure."""

    async def retention(self, place: ContentPlace) -> retention_pb2.Retention:
        """The retention that holds."""
        ...

    async def set_retention(self, place: ContentPlace, days: int | None) -> retention_pb2.Retention:
        """Sets it, with a record in the audit trail; None: the default holds again."""
        ...

    async def erase(self, place: ContentPlace, scope: str, *, principal: str | None = None, end_user: str | None = None) -> tuple[int, int]:
        """Erases the keys of a project's authors, with a record in the audit trail; answers how many responses and conversations go.

        `scope` says in the record whose content it is.
        """
        ...

    async def purge(self) -> int:
        """Deletes some of what has no key any more, or is older than its retention; answers how many. 0: there is nothing more."""
        ...

    async def scrub(self) -> None:
        """Leaves nothing of what was deleted in the engine's files, as far as it is in its hands."""
        ...
