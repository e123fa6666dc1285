"""What the audit trail says of one decision or change. Every slice writes such entries; the slice `audit` keeps and chains them."""

from __future__ import annotations

from dataclasses import dataclass, replace

_LONGEST_DETAIL = 512
_LONGEST_TEXT = 1024


@dataclass(slots=True)  # frozen would triple what an entry costs to make, and each request makes one
class AuditEntry:
    """One decision or change. Never has content, and is never changed."""

    domain: str
    action: str
    resource: str
    allowed: bool
    principal: str = ""
    key: str = ""
    detail: str = ""
    request_id: str = ""
    time: int = 0
    """Microseconds since 1970 UTC. 0: the store's present time."""
    event_id: str = ""
    """By which the service that made the change knows it. Empty: policy itself made it."""
    source: str = ""
    before: bytes = b""
    """SHA-256 over the resource before the change."""
    after: bytes = b""
    reason: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether it has none of the facts of a change: as every decision on a request."""
        return not (self.event_id or self.reason or self.before or self.after or self.source)

    def bounded(self, time: int) -> AuditEntry:
        """The entry as it is kept: with its time, and cut where a field is too long."""
        if max(len(self.detail), len(self.resource)) <= _LONGEST_DETAIL and self.time:
            return self
        return replace(self, detail=self.detail[:_LONGEST_DETAIL], resource=self.resource[:_LONGEST_TEXT], time=self.time or time)
