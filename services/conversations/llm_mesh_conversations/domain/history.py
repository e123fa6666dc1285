"""What was said before a request: the items of the responses, or of the conversation, that it continues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from llm_mesh.conversations.v1 import items_pb2, responses_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_conversations.domain.answers import joined_messages
from llm_mesh_conversations.domain.errors import content_not_found, history_too_large, not_completed
from llm_mesh_conversations.domain.ids import IdKind, StoredIds
from llm_mesh_conversations.domain.ports import ConversationStore, ResponseStore
from llm_mesh_conversations.domain.values import CONTINUABLE, ContentPlace, ResponseBounds

MOST_MESSAGES: Final = 4096
"""Of one request, by the gateway's contract."""


class History:
    """Reads earlier items, within bounds."""

    def __init__(self, responses: ResponseStore, conversations: ConversationStore, ids: StoredIds, bounds: ResponseBounds) -> None:
        self._responses = responses
        self._conversations = conversations
        self._ids = ids
        self._bounds = bounds

    async def before(self, place: ContentPlace, request: responses_pb2.CreateResponseRequest) -> Sequence[items_pb2.Item]:
        """The items before the request's input. STORED_CONTENT_NOT_FOUND, PREVIOUS_RESPONSE_NOT_COMPLETED, HISTORY_TOO_LARGE."""
        continued = request.WhichOneof("continues")
        if continued == "previous_response":
            return await self._of_responses(place, request.previous_response, "previous_response")
        if continued == "conversation":
            conversation = self._ids.checked(IdKind.CONVERSATION, place, request.conversation, "conversation")
            items = await self._conversations.items(place, conversation, self._bounds)
            if items is None:
                raise content_not_found("conversation")
            return items
        return ()

    async def input_items(self, place: ContentPlace, response: str) -> Sequence[items_pb2.Item]:
        """The items that a response was made from, the oldest first; those of a conversation are listed there."""
        self._ids.checked(IdKind.RESPONSE, place, response, "response")
        chain = await self._responses.chain(place, response, self._bounds)
        if chain is None:
            raise content_not_found("response")
        return [*_items_of(chain[:-1]), *chain[-1].input]

    async def _of_responses(self, place: ContentPlace, response: str, field: str) -> Sequence[items_pb2.Item]:
        self._ids.checked(IdKind.RESPONSE, place, response, field)
        chain = await self._responses.chain(place, response, self._bounds)
        if chain is None:
            raise content_not_found(field)
        status = chain[-1].response.status
        if status not in CONTINUABLE:
            raise not_completed(responses_pb2.ResponseStatus.Name(status).removeprefix("RESPONSE_STATUS_").lower())
        return _items_of(chain)


def _items_of(chain: Sequence[responses_pb2.SealedResponse]) -> list[items_pb2.Item]:
    return [item for response in chain for item in (*response.input, *response.output)]


def whole_request(request: responses_pb2.CreateResponseRequest, earlier: Sequence[items_pb2.Item]) -> gateway_pb2.GenerateStreamRequest:
    """The request as the gateway takes it: instructions, what was said before, what is new. HISTORY_TOO_LARGE."""
    whole = gateway_pb2.GenerateStreamRequest(input=request.input, options=request.options if request.HasField("options") else None)
    messages = joined_messages((*(item.message for item in earlier), *request.input.messages)) if earlier else request.input.messages
    if len(request.instructions) + len(messages) > MOST_MESSAGES:
        raise history_too_large(f"{MOST_MESSAGES} messages, with those of the request")
    whole.input.ClearField("messages")
    whole.input.messages.extend((*request.instructions, *messages))
    return whole
