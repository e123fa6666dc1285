"""Ids of stored things: random, and valid for one kind of thing of one project only.

One that was guessed, tampered with, or given out for something else or to another project is recognised without reading the database, and
is like one that does not exist.
"""

from __future__ import annotations

import hmac
from enum import Enum

from llm_mesh_conversations.domain.errors import content_not_found
from llm_mesh_conversations.domain.values import ContentPlace
from llm_mesh_runtime.seals import derive
from llm_mesh_runtime.signed_ids import SignedIds

_PURPOSE = "conversations"


class IdKind(Enum):
    """What an id names, by its prefix."""

    RESPONSE = "resp_"
    CONVERSATION = "conv_"
    ITEM = "item_"


class StoredIds:
    """Makes and checks ids. `secret` is that of the service's content."""

    def __init__(self, secret: bytes) -> None:
        self._ids = SignedIds(secret, _PURPOSE)
        self._end_users = derive(secret, "conversations/end users")

    def new(self, kind: IdKind, place: ContentPlace) -> str:
        """An id that nobody can guess."""
        return self._ids.new(kind.value, *place)

    def checked(self, kind: IdKind, place: ContentPlace, value: str, field: str) -> str:
        """The id, where it was made for such a thing of this project. STORED_CONTENT_NOT_FOUND otherwise."""
        if not self._ids.valid(value, kind.value, *place):
            raise content_not_found(field)
        return value

    def end_user(self, place: ContentPlace, end_user: str) -> str:
        """What stands for an end user in the database, who may be named by an address. Empty: none."""
        if not end_user:
            return ""
        return hmac.digest(self._end_users, "\x00".join((*place, end_user)).encode(), "sha256").hex()
