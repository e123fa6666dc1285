"""Identity and rules in memory, behind the domain's ports: what sequences by the hundred thousand run over."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from llm_mesh.policy.v1 import rules_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.domain.keys import StoredKey
from llm_mesh_policy.domain.resources import Contents, StoredResource, Transaction

T = TypeVar("T")
Place = tuple[str, str, str]
"""Collection, domain and id."""


@dataclass
class State:
    """What is stored at one revision."""

    revision: int = 1
    rows: dict[Place, StoredResource] = field(default_factory=dict)
    keys: dict[tuple[str, str, str], StoredKey] = field(default_factory=dict)
    audit: list[AuditEntry] = field(default_factory=list)

    def copy(self) -> State:
        return State(self.revision, dict(self.rows), dict(self.keys), list(self.audit))


class MemoryTransaction:
    """One transaction on a copy of the state."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._advanced = False

    def now(self) -> int:
        return time.time_ns() // 1000

    def revision(self) -> int:
        return self.state.revision

    def advance(self) -> int:
        if not self._advanced:
            self._advanced = True
            self.state.revision += 1
        return self.state.revision

    def find(self, collection: str, domain: str, identity: str) -> StoredResource | None:
        return self.state.rows.get((collection, domain, identity))

    def page(self, collection: str, domain: str, after: str, limit: int) -> list[StoredResource]:
        all_domains = collection == "domains"
        found = [row for place, row in self.state.rows.items() if place[0] == collection and (all_domains or place[1] == domain)]
        return sorted((row for row in found if row.id > after), key=lambda row: row.id)[:limit]

    def save(self, collection: str, row: StoredResource) -> StoredResource:
        self.advance()
        known = self.find(collection, row.domain, row.id)
        saved = replace(row, create_time=known.create_time if known else 1, update_time=self.state.revision)
        self.state.rows[collection, row.domain, row.id] = saved
        return saved

    def save_all(self, collection: str, rows: Sequence[StoredResource], *, grown: Collection[str]) -> None:
        del grown
        for row in rows:
            self.save(collection, row)

    def remove(self, collection: str, domain: str, identity: str) -> None:
        self.advance()
        self.state.rows.pop((collection, domain, identity), None)

    def find_key(self, domain: str, project: str, identity: str) -> StoredKey | None:
        return self.state.keys.get((domain, project, identity))

    def page_keys(self, domain: str, project: str, before: tuple[int, str] | None, limit: int) -> list[StoredKey]:
        del before
        return [key for key in self.state.keys.values() if key.domain == domain and project in ("", key.project)][:limit]

    def save_key(self, key: StoredKey) -> None:
        self.advance()
        self.state.keys[key.domain, key.project, key.id] = key

    def use_bootstrap(self, token_digest: bytes, principal: str) -> bool:
        del token_digest, principal
        return False

    def audit(self, entry: AuditEntry) -> int:
        self.state.audit.append(entry)
        return len(self.state.audit)

    def audit_all(self, entries: Sequence[AuditEntry]) -> None:
        self.state.audit += entries

    def page_audit(self, domain: str, request_id: str, before: int, limit: int) -> list[rules_pb2.AuditRecord]:
        del domain, request_id, before, limit
        return []


class MemoryIdentity:
    """The store, behind the domain's port."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()

    async def change(self, work: Callable[[Transaction], T]) -> T:
        changed = self.state.copy()
        value = work(MemoryTransaction(changed))
        self.state = changed
        return value

    async def read(self, work: Callable[[Transaction], T]) -> T:
        return work(MemoryTransaction(self.state.copy()))

    async def contents(self, since: int) -> Contents | None:
        if since == self.state.revision:
            return None
        rows: dict[str, list[StoredResource]] = {}
        for (collection, _, _), row in self.state.rows.items():
            rows.setdefault(collection, []).append(row)
        return Contents(self.state.revision, time.time_ns() // 1000, rows, {}, list(self.state.keys.values()), whole=True)
