"""Identity and rules, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh_policy.audit.domain.trail import Trail
from llm_mesh_policy.audit.store.chains import AuditTrail
from llm_mesh_policy.audit.store.reading import SqlTrail
from llm_mesh_policy.identity.domain.authorizer import Authorizer
from llm_mesh_policy.identity.domain.bootstrap import Bootstrap
from llm_mesh_policy.identity.domain.credentials import Pepper
from llm_mesh_policy.identity.domain.delegations import Delegations
from llm_mesh_policy.identity.domain.directory import Directory
from llm_mesh_policy.identity.domain.keyring import Keyring
from llm_mesh_policy.identity.servicer.authorize import AuthorizeServicer
from llm_mesh_policy.identity.servicer.identity import IdentityServicer
from llm_mesh_policy.identity.store.standing import Standing
from llm_mesh_policy.identity.store.transactions import SqlIdentity, check_pepper, domain_names
from llm_mesh_policy.rules.domain.allowances import Allowances, callable_models
from llm_mesh_policy.rules.domain.changes import Changes
from llm_mesh_policy.rules.domain.live import Live
from llm_mesh_policy.store.revision import Revision
from llm_mesh_runtime.service_secret import service_secret
from llm_mesh_runtime.tasks import TaskSet

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from llm_mesh.policy.v1 import admission_pb2
    from llm_mesh_policy.domain.audit_entry import AuditEntry
    from llm_mesh_policy.domain.unit_of_work import UnitOfWork
    from llm_mesh_policy.identity.ports import ResourceFollower
    from llm_mesh_policy.rules.domain.snapshot import Snapshot
    from llm_mesh_policy.settings import Settings
    from llm_mesh_runtime.database import Database
    from llm_mesh_runtime.links import Links

_PEPPER = "LLM_MESH_POLICY_KEY_PEPPER"
_PEPPER_FILE = "policy.pepper"


class IdentityParts:
    """The identity half of policy."""

    def __init__(self, settings: Settings, links: Links, database: Database, follower: ResourceFollower) -> None:
        self._settings = settings
        self._database = database
        self._tasks = TaskSet()
        self._audit = AuditTrail()
        self.trail = Trail(SqlTrail(database, self._audit))
        self._standing = Standing()
        self._allowances = Allowances()
        self._pepper = service_secret(settings.key_pepper, links, variable=_PEPPER, file=_PEPPER_FILE, loss="without it no key is valid")
        self.pepper = Pepper(self._pepper)
        self.store = SqlIdentity(database, self._audit, settings.quotas, follower)
        self.live = Live(self.store, staleness=settings.staleness.total_seconds())
        self.changes = Changes(self.store, self.live, settings.quotas)
        authorizer = Authorizer(self.live, self.pepper, links.seals, settings.bootstrap_token.reveal(), self._allowances)
        directory = Directory(self.store, self.changes, self.live)
        keyring = Keyring(self.store, self.changes, self.pepper)
        self.authorizer = AuthorizeServicer(authorizer, Delegations(self.live, links.seals, self.trail), self.live)
        self.identity_servicer = IdentityServicer(directory, keyring, Bootstrap(self.changes, self.pepper))

    @property
    def secret(self) -> bytes:
        """The pepper, from which keys for other purposes are derived."""
        return self._pepper

    def snapshot(self) -> Snapshot:
        """The present snapshot; STORE_UNAVAILABLE where the store has been silent for too long."""
        return self.live.snapshot()

    def allowed_model(self, caller: admission_pb2.Caller, alias: str) -> None:
        """Raises MODEL_DENIED unless the lists of the caller's project and key allow the alias."""
        self._allowances.check(self.live.snapshot(), caller.key, caller.project, alias)

    def callable_models(self, caller: admission_pb2.Caller) -> Sequence[Sequence[str]]:
        """The lists of the caller's project and key that a model must match to be called."""
        return callable_models(self.live.snapshot(), caller.key, caller.project)

    def dead(self, unit: UnitOfWork, keys: Collection[str], now: int, revision: Revision | None = None) -> Collection[str]:
        """Those of the keys that do not count now, by the database and within the transaction."""
        return self._standing.dead(unit, keys, now, revision)

    def extend_audit(self, unit: UnitOfWork, entries: Sequence[AuditEntry]) -> None:
        """Adds audit records within the transaction."""
        self._audit.extend(unit, entries)

    def domain_names(self, unit: UnitOfWork) -> Collection[str]:
        """The names of all domains, as they are in the transaction."""
        return domain_names(unit)

    async def start(self) -> None:
        """Reads the first snapshot and follows changes; the schema is current."""
        await self._database.write(lambda connection: check_pepper(connection, self._database, self.pepper.check_digest()))
        await self.live.refresh()
        self._tasks.spawn(self.live.follow(self._settings.refresh.total_seconds()), name="policy.follow")

    async def close(self) -> None:
        """Ends background work."""
        await self._tasks.close()
