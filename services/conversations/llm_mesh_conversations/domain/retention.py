"""How long projects store content, and its erasure."""

from __future__ import annotations

from llm_mesh.conversations.v1 import retention_pb2
from llm_mesh_conversations.domain.ids import StoredIds
from llm_mesh_conversations.domain.ports import RetentionStore
from llm_mesh_conversations.domain.values import ContentPlace
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.refresh import repeat
from llm_mesh_runtime.resources import domain_of

_PURGE_EVERY = 60.0


class RetentionRules:
    """Sets retentions, and erases."""

    def __init__(self, store: RetentionStore, ids: StoredIds) -> None:
        self._store = store
        self._ids = ids

    async def get(self, project: str) -> retention_pb2.Retention:
        """The retention that holds in a project."""
        return await self._store.retention(_place(project))

    async def update(self, project: str, days: int | None) -> retention_pb2.Retention:
        """Sets it, and deletes what is older; None: the operator's default holds again."""
        retention = await self._store.set_retention(_place(project), days)
        await self._delete()
        return retention

    async def erase(self, request: retention_pb2.EraseContentRequest) -> retention_pb2.EraseContentResponse:
        """Erases the keys first, then the content, then what the engine remembers of both."""
        place = _place(request.project)
        scope = request.WhichOneof("scope")
        if scope == "principal":
            counts = await self._store.erase(place, f"what {request.principal} created", principal=request.principal)
        elif scope == "end_user":
            counts = await self._store.erase(place, "what an end user said", end_user=self._ids.end_user(place, request.end_user))
        elif not request.everything:
            raise invalid("everything", "must be true where it is set")
        else:
            counts = await self._store.erase(place, "everything")
        await self._delete()
        return retention_pb2.EraseContentResponse(responses=counts[0], conversations=counts[1])

    async def _delete(self) -> None:
        """Deletes what nobody may read any more, and what the engine remembers of it."""
        while await self._store.purge():
            pass
        await self._store.scrub()


class Purge:
    """Deletes what is older than its retention, in small works, so that nobody waits long for the store."""

    def __init__(self, store: RetentionStore, every: float = _PURGE_EVERY) -> None:
        self._store = store
        self._every = every

    async def run(self) -> None:
        """Until cancelled."""
        await repeat(self.once, self._every, failing="purge of stored content failed")

    async def once(self) -> int:
        """One turn; answers how many were deleted."""
        total = 0
        while count := await self._store.purge():
            total += count
        if total:
            await self._store.scrub()
        return total


def _place(project: str) -> ContentPlace:
    return ContentPlace(domain_of(project), project)
