"""The audit trail as a whole: what other services changed is recorded in it, and auditors take it away to verify it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from llm_mesh.policy.v1 import audit_pb2, rules_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.domain.kinds import DOMAINS
from llm_mesh_runtime.errors import invalid

if TYPE_CHECKING:
    from llm_mesh_runtime import resources

_EVENT_ID = re.compile(r"[a-z0-9-]{1,64}")
_MOST_CHANGES = 500
_LONGEST_TEXT = 1024
_LONGEST_REASON = 512
_DIGEST = 32
_EVERYWHERE = "domains/-"
_SEQUENCE_DIGITS = 18


class AuditPage(NamedTuple):
    """Records by sequence, and the heads of all chains at the same moment."""

    records: Sequence[rules_pb2.AuditRecord]
    heads: Sequence[audit_pb2.ChainHead]


class TrailStore(Protocol):
    """Where the trail is kept."""

    async def record(self, source: str, entries: Sequence[AuditEntry]) -> int:
        """Adds those that the source has not sent before, in one transaction; answers with their number."""

    async def page(self, after: int, limit: int, newest: int) -> AuditPage:
        """Records behind a sequence; behind all but about the `newest`, where that is set and `after` is 0."""


class Trail:
    """Records and shows."""

    def __init__(self, store: TrailStore) -> None:
        self._store = store

    async def record(self, source: str, changes: Sequence[audit_pb2.ChangeRecord]) -> int:
        """Records the changes of a service; answers how many were not recorded before."""
        if not 1 <= len(changes) <= _MOST_CHANGES:
            raise invalid("changes", f"must be 1 to {_MOST_CHANGES}")
        entries = [_entry(source, change, f"changes[{index}]") for index, change in enumerate(changes)]
        if len({entry.event_id for entry in entries}) != len(entries):
            raise invalid("changes", "must have each event id once")
        return await self._store.record(source, entries)

    async def export(
        self, parent: str, page: resources.Page, newest: int
    ) -> tuple[Sequence[rules_pb2.AuditRecord], str, Sequence[audit_pb2.ChainHead]]:
        """A page of the whole trail, oldest first; the token of the next; and the heads."""
        if parent != _EVERYWHERE:
            raise invalid("parent", f"must be {_EVERYWHERE}: chains reach across domains")
        if newest < 0:
            raise invalid("newest", "must not be negative")
        if page.after and not (page.after.isdecimal() and len(page.after) <= _SEQUENCE_DIGITS):
            raise invalid("page_token", "must be the next_page_token of an answer to the same request")
        newest_records = await self._store.page(int(page.after or 0), page.limit, newest)
        records, token = page.cut(newest_records.records, lambda record: str(record.sequence))
        return records, token, newest_records.heads


def _entry(source: str, change: audit_pb2.ChangeRecord, field: str) -> AuditEntry:
    """The record of a change, where all of it is of its documented form."""
    if _EVENT_ID.fullmatch(change.event_id) is None:
        raise invalid(f"{field}.event_id", "must be 1 to 64 of a-z, 0-9 and -")
    DOMAINS.place(change.domain, f"{field}.domain")
    for name, least in (("principal", 1), ("key", 0), ("action", 1), ("resource", 0 if change.refused else 1), ("request_id", 0)):
        if not least <= len(getattr(change, name).encode()) <= _LONGEST_TEXT:
            raise invalid(f"{field}.{name}", f"must be {least} to {_LONGEST_TEXT} bytes")
    for name in ("reason", "detail"):
        if len(getattr(change, name).encode()) > _LONGEST_REASON:
            raise invalid(f"{field}.{name}", f"must be at most {_LONGEST_REASON} bytes")
    for name in ("before_digest", "after_digest"):
        if len(getattr(change, name)) not in {0, _DIGEST}:
            raise invalid(f"{field}.{name}", f"must be {_DIGEST} bytes, or empty")
    if not change.HasField("time"):
        raise invalid(f"{field}.time", "must be set")
    return AuditEntry(
        domain=change.domain,
        action=change.action,
        resource=change.resource,
        allowed=not change.refused,
        principal=change.principal,
        key=change.key,
        detail=change.detail,
        request_id=change.request_id,
        time=change.time.ToMicroseconds(),
        event_id=change.event_id,
        source=source,
        before=change.before_digest,
        after=change.after_digest,
        reason=change.reason,
    )
