"""Whether a request's content may be stored, and whose content it is."""

from __future__ import annotations

from typing import NamedTuple

from llm_mesh.conversations.v1 import responses_pb2
from llm_mesh_conversations.domain.errors import storing_not_allowed
from llm_mesh_conversations.domain.ids import StoredIds
from llm_mesh_conversations.domain.ports import ContentKeys, RetentionStore, ZeroRetention
from llm_mesh_conversations.domain.values import ContentAuthor, ContentKey, ContentPlace, place_of
from llm_mesh_runtime.context import Caller
from llm_mesh_runtime.errors import invalid


class StoringDecision(NamedTuple):
    """Whether content is stored; `cause` says why it is not."""

    cause: str = ""
    days: int = 0

    @property
    def stored(self) -> bool:
        """Whether it is."""
        return not self.cause


class StoringRules:
    """Decides by the project's retention, by policy, and by what the request says."""

    def __init__(self, retention: RetentionStore, zero: ZeroRetention, keys: ContentKeys, ids: StoredIds) -> None:
        self._retention = retention
        self._zero = zero
        self._keys = keys
        self._ids = ids

    async def decide(self, place: ContentPlace, request: responses_pb2.CreateResponseRequest) -> StoringDecision:
        """STORING_NOT_ALLOWED where the request demands what may not be."""
        demanded = "background" if request.background else "store" if request.store else ""
        if request.HasField("store") and not request.store:
            if request.background:
                raise invalid("store", "must not be false with background: what runs in the background is stored")
            return StoringDecision("request")
        decision = await self._allowed(place)
        if decision.stored and request.options.bounds.zero_retention:
            decision = StoringDecision("bounds")
        if demanded and not decision.stored:
            raise storing_not_allowed(decision.cause, demanded)
        return decision

    async def demand(self, place: ContentPlace, field: str) -> StoringDecision:
        """Return where the project may store content. STORING_NOT_ALLOWED otherwise."""
        decision = await self._allowed(place)
        if not decision.stored:
            raise storing_not_allowed(decision.cause, field)
        return decision

    async def key_of(self, caller: Caller, end_user: str) -> ContentKey:
        """The key for what a caller has stored."""
        place = place_of(caller)
        return await self._keys.key_of(ContentAuthor(place, caller.principal, self._ids.end_user(place, end_user)))

    async def _allowed(self, place: ContentPlace) -> StoringDecision:
        days = (await self._retention.retention(place)).days
        if not days:
            return StoringDecision("retention")
        return StoringDecision("zero_retention") if await self._zero.binds(place.domain) else StoringDecision(days=days)
