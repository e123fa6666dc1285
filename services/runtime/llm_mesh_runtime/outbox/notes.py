"""What one transaction changes, noted while it does."""

from __future__ import annotations

import secrets

from google.protobuf.message import Message

from llm_mesh.policy.v1 import audit_pb2
from llm_mesh_runtime.outbox.author import Author
from llm_mesh_runtime.resources import digest_of

_PLATFORM = "domains/platform"
_LONGEST_DETAIL = 512


class Notes:
    """The records of one transaction. `now` is the store's time in microseconds."""

    def __init__(self, author: Author, action: str, now: int) -> None:
        self.records: list[audit_pb2.ChangeRecord] = []
        self._author = author
        self._action = action
        self._now = now

    def note(
        self, resource: str, before: Message | None, after: Message | None, detail: str = "", *, by: Author | None = None, action: str = ""
    ) -> None:
        """A resource is changed; nothing is noted where it stays as it was. None: it does not exist.

        `by` and `action` are set for what follows by itself from the change of another domain: who made that is not told here.
        """
        digests = digest_of(before), digest_of(after)
        if digests[0] != digests[1]:
            record = self._record(resource, by or self._author, action or self._action)
            record.before_digest, record.after_digest = digests
            record.detail = _cut(detail)

    def refusal(self, resource: str, detail: str) -> None:
        """A change is refused because it would grant more than its author may."""
        record = self._record(resource, self._author, self._action)
        record.refused = True
        record.detail = _cut(detail)

    def _record(self, resource: str, author: Author, action: str) -> audit_pb2.ChangeRecord:
        record = audit_pb2.ChangeRecord(
            event_id=secrets.token_hex(16),
            domain=_domain_of(resource),
            principal=author.principal,
            key=author.key,
            action=action,
            resource=resource,
            reason=author.reason,
            request_id=author.request_id,
        )
        record.time.FromMicroseconds(self._now)
        self.records.append(record)
        return record


def _cut(detail: str) -> str:
    return detail.encode()[:_LONGEST_DETAIL].decode(errors="ignore")


def _domain_of(resource: str) -> str:
    parts = resource.split("/", 2)
    return "/".join(parts[:2]) if parts[0] == "domains" and len(parts) > 1 else _PLATFORM
