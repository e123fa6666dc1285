"""The first administrator, by a one-time token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import identity_pb2, rules_pb2
from llm_mesh_policy.domain import checks
from llm_mesh_policy.domain.kinds import BINDINGS, DOMAINS, PRINCIPALS, PROJECTS
from llm_mesh_policy.identity.domain.authorizer import BOOTSTRAP_KEY, invalid_token
from llm_mesh_policy.identity.domain.keyring import new_key
from llm_mesh_policy.rules.ports import EVERYWHERE, PLATFORM_ADMIN

if TYPE_CHECKING:
    from llm_mesh_policy.domain.actor import Actor
    from llm_mesh_policy.identity.domain.credentials import Pepper
    from llm_mesh_policy.identity.domain.keyring import NewKey
    from llm_mesh_policy.rules.ports import Change, Changes

_PLATFORM = "domains/platform"
_PROJECT = f"{_PLATFORM}/projects/admin"


class Bootstrap:
    """Makes platform administrators out of tokens, one per token."""

    def __init__(self, changes: Changes, pepper: Pepper) -> None:
        self._changes = changes
        self._pepper = pepper

    async def make(self, actor: Actor, principal_id: str) -> NewKey:
        """An administrator with a key. INVALID_BOOTSTRAP_TOKEN where the token was used before, or there is none."""
        if not actor.key.startswith(BOOTSTRAP_KEY):
            raise invalid_token()
        digest = bytes.fromhex(actor.key.removeprefix(BOOTSTRAP_KEY))
        identity = checks.new_id(principal_id or "admin", "principal_id")
        done = await self._changes.make(actor, lambda change: self._admin(change, digest, identity))
        return done.value

    def _admin(self, change: Change, digest: bytes, identity: str) -> NewKey:
        transaction = change.transaction
        principal = f"{_PLATFORM}/principals/{identity}"
        if not transaction.use_bootstrap(digest, principal):
            raise invalid_token()
        if DOMAINS.find(transaction, _PLATFORM) is None:
            DOMAINS.save(transaction, identity_pb2.Domain(name=_PLATFORM, display_name="Platform"), "domain")
        if PROJECTS.find(transaction, _PROJECT) is None:
            PROJECTS.save(transaction, identity_pb2.Project(name=_PROJECT, display_name="Administration"), "project")
        before = PRINCIPALS.find(transaction, principal)
        administrator = identity_pb2.Principal(name=principal, display_name="Platform administrator")
        saved = PRINCIPALS.save(transaction, administrator, "principal")
        binding = rules_pb2.Binding(
            name=f"{_PLATFORM}/bindings/{_binding_id(identity)}", principal=principal, role=PLATFORM_ADMIN, scope=EVERYWHERE
        )
        BINDINGS.save(transaction, binding, "binding")
        made = new_key(transaction, self._pepper, _PROJECT, identity_pb2.Key(principal=principal, display_name="Bootstrap"))
        change.note("platform.bootstrap", principal, f"made {made.key.name}", before=before, after=saved)
        return made


def _binding_id(identity: str) -> str:
    return f"bootstrap-{identity}"[:63]
