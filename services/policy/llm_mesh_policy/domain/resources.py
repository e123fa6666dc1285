"""What identity and rules need of a store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from llm_mesh_policy.domain.keys import StoredKey
from llm_mesh_policy.domain.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from llm_mesh.policy.v1 import rules_pb2
    from llm_mesh_policy.domain.audit_entry import AuditEntry

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredResource:
    """A stored resource: its place, and its content as the contract's message without what the place says."""

    domain: str
    id: str
    body: bytes
    create_time: int = 0
    update_time: int = 0


@dataclass(frozen=True, slots=True)
class Contents:
    """What decisions are made from, as far as it changed after the revision asked for."""

    revision: int
    now: int
    rows: dict[str, list[StoredResource]]
    """By collection: what was saved."""
    removed: dict[str, list[tuple[str, str]]]
    """By collection: domain and id of what was removed; what was saved again since is among the rows."""
    keys: list[StoredKey]
    whole: bool = False
    """Whether it is everything, and what is not named is gone."""


class Transaction(UnitOfWork, Protocol):
    """A unit of work of identity and rules."""

    def revision(self) -> int:
        """The revision: the present one, or, once something was changed here, the one that this transaction makes."""

    def advance(self) -> int:
        """Makes a new revision, once per transaction; answers with it."""

    def find(self, collection: str, domain: str, identity: str) -> StoredResource | None:
        """A resource."""

    def page(self, collection: str, domain: str, after: str, limit: int) -> list[StoredResource]:
        """Resources of a domain whose id comes after `after`, by id. Of domains themselves: all."""

    def save(self, collection: str, row: StoredResource) -> StoredResource:
        """Creates or replaces a resource; answers with its times."""

    def save_all(self, collection: str, rows: Sequence[StoredResource], *, grown: Collection[str]) -> None:
        """Creates or replaces resources with their times; those that exist keep their first. `grown`: the domains that have new ones."""

    def remove(self, collection: str, domain: str, identity: str) -> None:
        """Deletes a resource."""

    def find_key(self, domain: str, project: str, identity: str) -> StoredKey | None: ...

    def page_keys(self, domain: str, project: str, before: tuple[int, str] | None, limit: int) -> list[StoredKey]:
        """Keys of a project, or of all of a domain where it is empty, newest first, from behind a creation time and id on."""

    def save_key(self, key: StoredKey) -> None:
        """Creates or replaces a key."""

    def use_bootstrap(self, token_digest: bytes, principal: str) -> bool:
        """Notes that a token was used. False where it had been."""

    def audit(self, entry: AuditEntry) -> int:
        """Adds an audit record."""

    def audit_all(self, entries: Sequence[AuditEntry]) -> None:
        """Adds audit records in their order."""

    def page_audit(self, domain: str, request_id: str, before: int, limit: int) -> list[rules_pb2.AuditRecord]:
        """Audit records, newest first, with sequences below `before` (0: all); of all domains where the domain is empty."""


class ResourceStore(Protocol):
    """Where identity and rules are kept."""

    async def change(self, work: Callable[[Transaction], T]) -> T:
        """Runs a work that changes something. No other change of identity or rules runs at the same time."""

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Runs a work that only reads, on one committed state."""

    async def contents(self, since: int) -> Contents | None:
        """What changed after the revision `since`; everything where that is 0. None where nothing did."""
