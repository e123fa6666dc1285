"""Identity and rules as the tests of policy use them: over one store, with an administrator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import identity_pb2, ledger_pb2, policy_pb2, rules_pb2
from llm_mesh_policy.audit.store.chains import AuditTrail
from llm_mesh_policy.domain.actor import Actor
from llm_mesh_policy.domain.unit_of_work import UnitOfWork
from llm_mesh_policy.identity.domain.authorizer import Authorizer
from llm_mesh_policy.identity.domain.bootstrap import Bootstrap
from llm_mesh_policy.identity.domain.credentials import Pepper
from llm_mesh_policy.identity.domain.directory import Directory
from llm_mesh_policy.identity.domain.keyring import Keyring, NewKey
from llm_mesh_policy.identity.store.transactions import SqlIdentity
from llm_mesh_policy.ledger.store.following import LedgerFollower
from llm_mesh_policy.rules.domain.administration import Administration
from llm_mesh_policy.rules.domain.applying import Applying, EntryChange, Masks
from llm_mesh_policy.rules.domain.changes import Changes
from llm_mesh_policy.rules.domain.explaining import Explaining
from llm_mesh_policy.rules.domain.flooring import Flooring
from llm_mesh_policy.rules.domain.live import Live
from llm_mesh_policy.settings import Settings
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.resources import Quotas
from llm_mesh_runtime.seals import Seals
from tests.databases import PATIENCE, migrated

TOKEN = "mb_0123456789abcdefghijklmnop"
MIGRATIONS = "llm_mesh_policy.store.migrations"


class NoLedger:
    """A ledger that already has every budget and limit."""

    def apply_budget(self, unit: UnitOfWork, budget: ledger_pb2.Budget, masks: Masks, *, dry_run: bool) -> EntryChange:
        del unit, masks, dry_run
        return EntryChange(resources_pb2.Change(resource=budget.name, action=resources_pb2.CHANGE_ACTION_NONE), None, None)

    def apply_limit(self, unit: UnitOfWork, limit: ledger_pb2.Limit, masks: Masks, *, dry_run: bool) -> EntryChange:
        del unit, masks, dry_run
        return EntryChange(resources_pb2.Change(resource=limit.name, action=resources_pb2.CHANGE_ACTION_NONE), None, None)


class Half:
    """The identity half of one policy instance."""

    def __init__(self, database: Database, *, token: str = TOKEN, quotas: Quotas | None = None) -> None:
        quotas = quotas or Settings().quotas
        self.database = database
        self.trail = AuditTrail()
        self.pepper = Pepper(b"a pepper of tests, 32 bytes long")
        self.seals = Seals(b"a secret of tests, at least 32 bytes")
        self.store = SqlIdentity(database, self.trail, quotas, LedgerFollower())
        self.live = Live(self.store, staleness=PATIENCE)
        self.changes = Changes(self.store, self.live, quotas)
        self.authorizer = Authorizer(self.live, self.pepper, self.seals, token)
        self.directory = Directory(self.store, self.changes, self.live)
        self.keyring = Keyring(self.store, self.changes, self.pepper)
        self.bootstrap = Bootstrap(self.changes, self.pepper)
        self.rules = Administration(self.store, self.changes, self.live)
        self.applying = Applying(self.changes, NoLedger())
        self.explaining = Explaining(self.live)
        self.flooring = Flooring(self.store, self.changes)

    async def ask(
        self, credential: str, action: str = "models.generate", resource: str = "models/gpt-4.1", project: str = ""
    ) -> policy_pb2.AuthorizeResponse:
        """Authorizes."""
        asked = policy_pb2.AuthorizeRequest(
            credential=credential, method="/tests/Method", action=action, resource=resource, project=project
        )
        return await self.authorizer.authorize(asked)

    async def admin(self) -> NewKey:
        """The first administrator's key."""
        caller = (await self.ask(TOKEN, "platform.bootstrap", "platform")).caller
        return await self.bootstrap.make(Actor(key=caller.key), "")


ADMIN = Actor("domains/platform/principals/admin", "domains/platform/projects/admin/keys/x", "domains/platform", "request-1")


@dataclass(frozen=True)
class World:
    """Two domains, each with a project, an owner and an application; and everybody's key."""

    half: Half
    keys: dict[str, NewKey]

    def secret(self, who: str) -> str:
        return self.keys[who].credential.text

    def actor(self, who: str) -> Actor:
        key = self.keys[who].key
        return Actor(key.principal, key.name, f"domains/{key.domain}", f"request-of-{who}")


def wanted_world(domain: str) -> rules_pb2.ApplyPolicyRequest:
    """A domain with an owner and an application."""
    name = f"domains/{domain}"
    people = {"owner": "roles/domain-admin", "app": "roles/application", "dev": "roles/developer", "nobody": ""}
    return rules_pb2.ApplyPolicyRequest(
        parent="domains/platform",
        domains=[identity_pb2.Domain(name=name, display_name=domain.title())],
        projects=[identity_pb2.Project(name=f"{name}/projects/{project}") for project in ("triage", "intake")],
        principals=[identity_pb2.Principal(name=f"{name}/principals/{person}") for person in people],
        bindings=[
            rules_pb2.Binding(name=f"{name}/bindings/{person}", principal=f"{name}/principals/{person}", role=role)
            for person, role in people.items()
            if role
        ],
    )


async def make_world(half: Half) -> World:
    keys = {"admin": await half.admin()}
    for domain in ("claims", "sales"):
        await half.applying.apply(ADMIN, wanted_world(domain))
        for person in ("owner", "app", "dev", "nobody"):
            wanted = identity_pb2.Key(principal=f"domains/{domain}/principals/{person}", display_name=person)
            keys[f"{domain}/{person}"] = await half.keyring.create(ADMIN, f"domains/{domain}/projects/triage", wanted)
    return World(half, keys)


@pytest.fixture
async def memory() -> AsyncIterator[Database]:
    """A migrated database in memory."""
    database = Database("sqlite://", name="policy")
    await migrated(database, MIGRATIONS)
    yield database
    await database.close()


@pytest.fixture
async def half(memory: Database) -> Half:
    """A fresh instance."""
    made = Half(memory)
    await made.live.refresh()
    return made


@pytest.fixture
async def world(half: Half) -> World:
    """An instance with people in it."""
    return await make_world(half)


@pytest.fixture
async def over(database: Database) -> Callable[[], Awaitable[Half]]:
    """Makes instances over one migrated database, once per engine."""
    await migrated(database, MIGRATIONS)

    async def instance() -> Half:
        made = Half(database)
        await made.live.refresh()
        return made

    return instance
