"""Everything that decisions are made from, in memory, as it was at one revision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llm_mesh.policy.v1 import floors_pb2, identity_pb2, rules_pb2
from llm_mesh_policy.domain.identity.keys import StoredKey
from llm_mesh_policy.domain.identity.ports import Contents
from llm_mesh_policy.domain.kinds import BINDINGS, DOMAINS, FLOORS, KEY_NAME, PRINCIPALS, PROJECTS, ROLES, Kind, M
from llm_mesh_policy.domain.rules.consent import active
from llm_mesh_policy.domain.rules.rulebook import Rulebook
from llm_mesh_policy.domain.stricter import floor_of


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One revision. Whoever holds one may read it for as long as they like; it never changes."""

    revision: int
    domains: Mapping[str, identity_pb2.Domain]
    projects: Mapping[str, identity_pb2.Project]
    principals: Mapping[str, identity_pb2.Principal]
    roles: Mapping[str, rules_pb2.Role]
    bindings: Mapping[str, rules_pb2.Binding]
    keys: Mapping[str, StoredKey]
    """By public id; without revoked ones."""
    rules: Rulebook
    floors: Mapping[str, floors_pb2.Floor] = field(default_factory=dict)

    def floor_of(self, domain: str) -> floors_pb2.Floor | None:
        """What the platform sets about a domain."""
        return floor_of(domain, self.floors)

    def key(self, name: str) -> StoredKey | None:
        """A key by its name."""
        found = self.keys.get(KEY_NAME.parse(name, "key")[-1])
        return found if found is not None and found.name == name else None


EMPTY = Snapshot(0, {}, {}, {}, {}, {}, {}, Rulebook((), ()))


def next_snapshot(before: Snapshot, contents: Contents) -> Snapshot:
    """The snapshot after what was read; what did not change is taken over."""
    bindings = _changed(before.bindings, BINDINGS, contents)
    roles = _changed(before.roles, ROLES, contents)
    same_rules = bindings is before.bindings and roles is before.roles
    return Snapshot(
        revision=contents.revision,
        domains=_changed(before.domains, DOMAINS, contents),
        projects=_changed(before.projects, PROJECTS, contents),
        principals=_changed(before.principals, PRINCIPALS, contents),
        roles=roles,
        bindings=bindings,
        keys=_live_keys(before.keys, contents.keys),
        rules=before.rules if same_rules else Rulebook(roles.values(), filter(active, bindings.values()), before.rules),
        floors=_changed(before.floors, FLOORS, contents),
    )


def _changed(before: Mapping[str, M], kind: Kind[M], contents: Contents) -> Mapping[str, M]:
    """The resources of one kind by name, read anew where the collection changed."""
    rows = contents.rows.get(kind.collection)
    return before if rows is None else {kind.name_of(row): kind.unpack(row) for row in rows}


def _live_keys(before: Mapping[str, StoredKey], changed: list[StoredKey]) -> Mapping[str, StoredKey]:
    """The keys by public id, without revoked ones."""
    if not changed:
        return before
    keys = {**before, **{key.id: key for key in changed}}
    for key in changed:
        if key.revoke_time:
            del keys[key.id]
    return keys
