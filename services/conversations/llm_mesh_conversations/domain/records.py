"""The record of a response, from its creation to its end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from llm_mesh.conversations.v1 import items_pb2, responses_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_conversations.domain.answers import items_of, status_of
from llm_mesh_conversations.domain.ids import IdKind, StoredIds
from llm_mesh_conversations.domain.storing import StoringDecision
from llm_mesh_conversations.domain.values import ContentPlace
from llm_mesh_runtime.clock import Clock
from llm_mesh_runtime.errors import MeshError


class ResponseRecord:
    """A response that is being made."""

    def __init__(
        self, place: ContentPlace, request: responses_pb2.CreateResponseRequest, decision: StoringDecision, ids: StoredIds, clock: Clock
    ) -> None:
        self._place = place
        self._ids = ids
        self._clock = clock
        now = clock.now()
        response = responses_pb2.Response(
            id=ids.new(IdKind.RESPONSE, place),
            status=responses_pb2.RESPONSE_STATUS_IN_PROGRESS,
            stored=decision.stored,
            unstored_cause=decision.cause,
            background=request.background,
            model=request.input.model,
            previous_response=request.previous_response,
            conversation=request.conversation,
            metadata=request.metadata,
            client_request=request.client_request,
        )
        response.create_time.FromDatetime(now)
        if decision.stored:
            response.expire_time.FromDatetime(now + timedelta(days=decision.days))
        self.sealed = responses_pb2.SealedResponse(response=response)
        if decision.stored:
            self.sealed.input.extend(self._items(request.input.messages))

    @property
    def response(self) -> responses_pb2.Response:
        """The response as it is now."""
        return self.sealed.response

    def complete(self, events: Sequence[generate_pb2.StreamEvent], receipt: gateway_pb2.Receipt) -> None:
        """The answer is whole."""
        self._end(status_of(events))
        self.sealed.receipt.CopyFrom(receipt)
        if self.response.stored:
            self.sealed.output.extend(self._items(items_of(events)))

    def fail(self, failure: MeshError) -> None:
        """The answer ended in an error."""
        self._end(responses_pb2.RESPONSE_STATUS_FAILED)
        self.response.failure.CopyFrom(failure_of(failure))

    def cancel(self) -> None:
        """Somebody ended it."""
        self._end(responses_pb2.RESPONSE_STATUS_CANCELLED)

    def leave_unstored(self, cause: str) -> None:
        """It is not stored after all."""
        self.response.stored = False
        self.response.unstored_cause = cause
        self.response.ClearField("expire_time")

    def _end(self, status: responses_pb2.ResponseStatus) -> None:
        self.response.status = status
        self.response.end_time.FromDatetime(self._clock.now())

    def _items(self, messages: Iterable[content_pb2.Message]) -> list[items_pb2.Item]:
        return new_items(self._ids, self._place, messages, self._clock)


def new_items(ids: StoredIds, place: ContentPlace, messages: Iterable[content_pb2.Message], clock: Clock) -> list[items_pb2.Item]:
    """Messages as items that are new."""
    items = [items_pb2.Item(id=ids.new(IdKind.ITEM, place), message=message) for message in messages]
    for item in items:
        item.create_time.FromDatetime(clock.now())
    return items


def failure_of(error: MeshError) -> responses_pb2.ResponseFailure:
    """Why a response failed, as it is stored."""
    return responses_pb2.ResponseFailure(reason=error.reason_name, domain=error.domain, message=error.message)
