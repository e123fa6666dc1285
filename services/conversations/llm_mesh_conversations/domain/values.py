"""Whose content it is, and the parts of it that rules are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from llm_mesh.conversations.v1 import responses_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_conversations.domain.errors import project_not_selected
from llm_mesh_runtime.context import Caller

ENDED = frozenset(
    {
        responses_pb2.RESPONSE_STATUS_COMPLETED,
        responses_pb2.RESPONSE_STATUS_INCOMPLETE,
        responses_pb2.RESPONSE_STATUS_FAILED,
        responses_pb2.RESPONSE_STATUS_CANCELLED,
    }
)
CONTINUABLE = frozenset({responses_pb2.RESPONSE_STATUS_COMPLETED, responses_pb2.RESPONSE_STATUS_INCOMPLETE})


class ContentPlace(NamedTuple):
    """The project that content belongs to, with its domain; both are in every key."""

    domain: str
    project: str


class ContentAuthor(NamedTuple):
    """Whose content it is: the principal that created it, and the digest of the end user whom it was created for."""

    place: ContentPlace
    principal: str
    end_user: str


class ContentKey(NamedTuple):
    """The key that an author's content is sealed with, by its id."""

    place: ContentPlace
    id: str


def place_of(caller: Caller) -> ContentPlace:
    """The project of a call. PROJECT_NOT_SELECTED where its credential names several."""
    if not caller.domain or not caller.project:
        raise project_not_selected()
    return ContentPlace(caller.domain, caller.project)


@dataclass(frozen=True, slots=True)
class StoredEvents:
    """A response as it is stored, with its events from a number on."""

    response: responses_pb2.SealedResponse
    first: int = 0
    events: Sequence[generate_pb2.StreamEvent] = field(default=())
    more: bool = False
    """More events are stored than were read."""


class ResponseBounds(NamedTuple):
    """How much one response may have."""

    chain: int
    """Earlier responses of a chain."""
    messages: int
    """Earlier items."""
    history_bytes: int
    response_bytes: int
