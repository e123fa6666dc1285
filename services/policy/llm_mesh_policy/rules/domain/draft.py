"""A draft of a transaction: many changes decided by a snapshot, in memory, before any of them is written.

The store is held while a transaction is open, and everybody's reservations wait meanwhile. What hundreds of changes need to be
decided is all in the snapshot, so the store only sees what came of it, at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh_policy.domain.kinds import ALL_KINDS
from llm_mesh_policy.domain.resources import StoredResource
from llm_mesh_runtime.pace import Pace

if TYPE_CHECKING:
    from llm_mesh_policy.domain.audit_entry import AuditEntry
    from llm_mesh_policy.domain.resources import Transaction
    from llm_mesh_policy.rules.domain.snapshot import Snapshot

Place = tuple[str, str, str]
"""Collection, domain, id."""


class Draft:
    """What `Transaction` offers for resources; it takes time from other work of its process only in small pieces."""

    def __init__(self, snapshot: Snapshot, now: int) -> None:
        self._snapshot = snapshot
        self._now = now
        self._saved: dict[Place, StoredResource] = {}
        self._entries: list[AuditEntry] = []
        self._grown: set[tuple[str, str]] = set()
        self._pace = Pace()

    def now(self) -> int:
        """The store's time, as far as this machine's clock tells."""
        return self._now

    def find(self, collection: str, domain: str, identity: str) -> StoredResource | None:
        """A resource, as it would be."""
        self._pace.step()
        return self._saved.get((collection, domain, identity)) or self._known(collection, domain, identity)

    def save(self, collection: str, row: StoredResource) -> StoredResource:
        """Creates or replaces a resource."""
        place = (collection, row.domain, row.id)
        known = self.find(*place)
        if known is None:
            self._grown.add((collection, row.domain))
        saved = StoredResource(row.domain, row.id, row.body, known.create_time if known else self._now, self._now)
        self._saved[place] = saved
        return saved

    def audit(self, entry: AuditEntry) -> int:
        """Adds an audit record; its sequence is known once it is written."""
        self._entries.append(entry)
        return 0

    def write(self, transaction: Transaction) -> None:
        """Writes what came of it; the transaction has the snapshot's revision."""
        by_collection: dict[str, list[StoredResource]] = {}
        for (collection, _, _), row in self._saved.items():
            by_collection.setdefault(collection, []).append(row)
        for collection, rows in by_collection.items():
            transaction.save_all(collection, rows, grown=[domain for grown, domain in self._grown if grown == collection])
        transaction.audit_all(self._entries)

    def _known(self, collection: str, domain: str, identity: str) -> StoredResource | None:
        kind = ALL_KINDS[collection]
        present = self._snapshot.resources(collection).get(kind.name_of(StoredResource(domain, identity, b"")))
        return None if present is None else kind.row_of(present)
