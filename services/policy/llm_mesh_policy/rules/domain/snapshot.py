"""Everything that decisions are made from, in memory, as it was at one revision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from google.protobuf.message import Message

from llm_mesh.policy.v1 import floors_pb2, identity_pb2, rules_pb2
from llm_mesh_policy.domain.keys import StoredKey
from llm_mesh_policy.domain.kinds import BINDINGS, DOMAINS, FLOORS, KEY_NAME, PRINCIPALS, PROJECTS, ROLES, M, ResourceKind
from llm_mesh_policy.domain.resources import Contents, StoredResource
from llm_mesh_policy.rules.domain.consent import active
from llm_mesh_policy.rules.domain.rulebook import Rulebook, put
from llm_mesh_policy.rules.domain.stricter import floor_of
from llm_mesh_runtime.pace import Pace


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

    def resources(self, collection: str) -> Mapping[str, Message]:
        """The resources of a collection, by name."""
        by_name: Mapping[str, Message] = getattr(self, collection)
        return by_name

    def key(self, name: str) -> StoredKey | None:
        """A key by its name."""
        key = self.keys.get(KEY_NAME.parse(name, "key")[-1])
        return key if key is not None and key.name == name else None

    def has_keys(self, now: int) -> bool:
        """Whether a key is valid, whoever it belongs to."""
        return any(key.live(now) for key in self.keys.values())


EMPTY = Snapshot(0, {}, {}, {}, {}, {}, {}, Rulebook())


def next_snapshot(before: Snapshot, contents: Contents) -> Snapshot:
    """The snapshot after what was read; what did not change is taken over."""
    start = EMPTY if contents.whole else before
    bindings, roles = _changes(BINDINGS, contents), _changes(ROLES, contents)
    if contents.whole:
        rules = Rulebook(filter(None, roles.values()), filter(None, map(_holding, bindings.values())))
    elif roles or bindings:
        pairs = [(_holding(before.bindings.get(name)), _holding(binding)) for name, binding in bindings.items()]
        rules = before.rules.changed(roles, pairs)
    else:
        rules = before.rules
    return Snapshot(
        revision=contents.revision,
        domains=put(start.domains, _changes(DOMAINS, contents)),
        projects=put(start.projects, _changes(PROJECTS, contents)),
        principals=put(start.principals, _changes(PRINCIPALS, contents)),
        roles=put(start.roles, roles),
        bindings=put(start.bindings, bindings),
        keys=put(start.keys, {key.id: None if key.revoke_time else key for key in contents.keys}),
        rules=rules,
        floors=put(start.floors, _changes(FLOORS, contents)),
    )


def _holding(binding: rules_pb2.Binding | None) -> rules_pb2.Binding | None:
    """A binding that gives its role; None where it waits for consent."""
    return binding if binding is not None and active(binding) else None


def _changes(kind: ResourceKind[M], contents: Contents) -> dict[str, M | None]:
    """The resources of one kind by name: as they are now, or None where they were removed."""
    pace = Pace()
    changes: dict[str, M | None] = {}
    for domain, identity in contents.removed.get(kind.collection, ()):
        changes[kind.name_of(StoredResource(domain, identity, b""))] = None
    for row in contents.rows.get(kind.collection, ()):
        pace.step()
        changes[kind.name_of(row)] = kind.unpack(row)
    return changes
