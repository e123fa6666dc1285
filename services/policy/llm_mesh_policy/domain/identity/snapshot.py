"""Everything that decisions are made from, in memory, as it was at one revision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llm_mesh.policy.v1 import identity_pb2
from llm_mesh_policy.domain.identity.keys import StoredKey
from llm_mesh_policy.domain.identity.ports import Contents
from llm_mesh_policy.domain.kinds import BINDINGS, DOMAINS, KEY_NAME, PRINCIPALS, PROJECTS, ROLES
from llm_mesh_policy.domain.rules.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One revision. Whoever holds one may read it for as long as they like; it never changes."""

    revision: int
    domains: Mapping[str, identity_pb2.Domain]
    projects: Mapping[str, identity_pb2.Project]
    principals: Mapping[str, identity_pb2.Principal]
    keys: Mapping[str, StoredKey]
    """By public id; without revoked ones."""
    rules: Rulebook

    def key(self, name: str) -> StoredKey | None:
        """A key by its name."""
        found = self.keys.get(KEY_NAME.parse(name, "key")[-1])
        return found if found is not None and found.name == name else None


EMPTY = Snapshot(0, {}, {}, {}, {}, Rulebook((), ()))


def next_snapshot(before: Snapshot, contents: Contents) -> Snapshot:
    """The snapshot after what was read; keys that did not change are taken over."""
    keys = dict(before.keys)
    for key in contents.keys:
        if key.revoke_time:
            keys.pop(key.id, None)
        else:
            keys[key.id] = key
    rows = contents.rows
    return Snapshot(
        revision=contents.revision,
        domains={domain.name: domain for domain in map(DOMAINS.unpack, rows["domains"])},
        projects={project.name: project for project in map(PROJECTS.unpack, rows["projects"])},
        principals={principal.name: principal for principal in map(PRINCIPALS.unpack, rows["principals"])},
        keys=keys,
        rules=Rulebook(map(ROLES.unpack, rows["roles"]), map(BINDINGS.unpack, rows["bindings"]), before.rules),
    )
