"""Two domains under floors, over memory, with the domain layer of policy on top."""

from __future__ import annotations

import random
from itertools import product
from types import SimpleNamespace

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2, floors_pb2, identity_pb2, ledger_pb2, policy_pb2, rules_pb2
from llm_mesh_policy.admission.domain.admitting import Admitting, OutputBounds
from llm_mesh_policy.domain.actor import Actor
from llm_mesh_policy.domain.resources import StoredResource
from llm_mesh_policy.domain.unit_of_work import UnitOfWork
from llm_mesh_policy.identity.domain.credentials import Pepper
from llm_mesh_policy.identity.domain.directory import Directory
from llm_mesh_policy.identity.domain.keyring import Keyring
from llm_mesh_policy.ledger.domain.limits import meter_of_budget, meter_of_limit
from llm_mesh_policy.rules.domain.administration import Administration
from llm_mesh_policy.rules.domain.allowances import callable_models
from llm_mesh_policy.rules.domain.applying import Applying, EntryChange, Masks
from llm_mesh_policy.rules.domain.changes import Changes
from llm_mesh_policy.rules.domain.flooring import Flooring
from llm_mesh_policy.rules.domain.live import Live
from llm_mesh_policy.screening.domain.rules import ScreeningRules
from llm_mesh_policy.settings import Settings
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.heavy import HeavyWork
from llm_mesh_runtime.seals import Seals
from tests.policy.floor_oracle import PLATFORM, domain_of
from tests.policy.memory_identity import MemoryIdentity, State
from tests.policy.trails import trail

CLAIMS, SALES = "domains/claims", "domains/sales"
PEOPLE = {
    f"{CLAIMS}/principals/owner": "roles/domain-admin",
    f"{CLAIMS}/principals/dev": "roles/developer",
    f"{CLAIMS}/principals/app": "roles/application",
    f"{CLAIMS}/principals/nobody": "",
    f"{SALES}/principals/owner": "roles/domain-admin",
    f"{SALES}/principals/app": "roles/application",
}
BOSS = f"{CLAIMS}/principals/boss"
"""Of a domain, with a role that the platform gave."""
ADMIN = Actor("domains/platform/principals/admin", "domains/platform/projects/main/keys/x", PLATFORM)
ACTORS = (f"{CLAIMS}/principals/owner",) * 12 + (f"{SALES}/principals/owner",) * 6 + (*PEOPLE, BOSS)
ACTIONS = ("floors.put", "domains.update", "domains.create", "limits.put", "budgets.put", "keys.create", "models.generate", "models.get")
RESOURCES = (
    "domains/platform/floors/claims", CLAIMS, SALES, f"{CLAIMS}/projects/main/keys", f"{SALES}/projects/main/models/m",
    f"{CLAIMS}/models/m", "domains/platform/limits/l",
)  # fmt: skip
PROBES = tuple(product((*PEOPLE, BOSS), ACTIONS, RESOURCES))
GRANTED = (
    ["*"],
    ["models.*"],
    ["models.get"],
    ["keys.*", "bindings.*"],
    ["floors.*"],
    ["domains.update"],
    ["bindings.accept", "roles.put"],
)
EFFECTS = {"set", "refused", "denied"}


class Limits:
    """Budgets and limits in memory, behind the ledger's share of an apply."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def apply_budget(self, unit: UnitOfWork, budget: ledger_pb2.Budget, masks: Masks, *, dry_run: bool) -> EntryChange:
        del unit, masks
        return self._put(meter_of_budget(budget, "USD").name, budget.SerializeToString(), dry_run=dry_run)

    def apply_limit(self, unit: UnitOfWork, limit: ledger_pb2.Limit, masks: Masks, *, dry_run: bool) -> EntryChange:
        del unit, masks
        return self._put(meter_of_limit(limit).name, limit.SerializeToString(), dry_run=dry_run)

    def _put(self, name: str, body: bytes, *, dry_run: bool) -> EntryChange:
        if not dry_run:
            self.kept[name] = body
        return EntryChange(resources_pb2.Change(resource=name, action=resources_pb2.CHANGE_ACTION_UPDATE), None, None)


class Mesh:
    """Policy's domain layer over memory."""

    def __init__(self, state: State | None = None) -> None:
        self.store = MemoryIdentity(state)
        self.live = Live(self.store, staleness=60)
        self.changes = Changes(self.store, self.live, Settings().quotas)
        self.directory = Directory(self.store, self.changes, self.live)
        self.keyring = Keyring(self.store, self.changes, Pepper(b"a pepper of tests, 32 bytes long"))
        self.rules = Administration(self.store, self.changes, self.live)
        self.floors = Flooring(self.store, self.changes)
        self.limits = Limits()
        self.applying = Applying(self.changes, self.limits)

    def allows(self, principal: str, action: str, resource: str) -> bool:
        return self.live.snapshot().rules.allows(principal, action, resource)


async def base() -> State:
    """Two domains with people, as the platform has made them."""
    mesh = Mesh()
    admin = rules_pb2.Binding(name=f"{PLATFORM}/bindings/admin", principal=ADMIN.principal, role="roles/platform-admin", scope="*")
    for kind, name, body in (
        ("domains", PLATFORM, b""),
        ("principals", ADMIN.principal, b""),
        ("bindings", admin.name, rules_pb2.Binding(principal=admin.principal, role=admin.role, scope="*").SerializeToString()),
    ):
        await mesh.store.change(lambda transaction, kind=kind, name=name, body=body: transaction.save(kind, _row(name, body)))  # type: ignore[misc]
    principals = [*PEOPLE, BOSS]
    bindings = [
        rules_pb2.Binding(name=f"{domain_of(person)}/bindings/{person.rpartition('/')[2]}", principal=person, role=role)
        for person, role in PEOPLE.items()
        if role
    ]
    bindings.append(rules_pb2.Binding(name=f"{PLATFORM}/bindings/boss", principal=BOSS, role="roles/auditor", scope="*"))
    await mesh.applying.apply(
        ADMIN,
        rules_pb2.ApplyPolicyRequest(
            parent=PLATFORM,
            domains=[identity_pb2.Domain(name=name) for name in (CLAIMS, SALES)],
            projects=[identity_pb2.Project(name=f"{name}/projects/main") for name in (CLAIMS, SALES)],
            principals=[identity_pb2.Principal(name=person) for person in principals],
            bindings=bindings,
        ),
    )
    return mesh.store.state


def _row(name: str, body: bytes) -> StoredResource:
    parts = name.split("/")
    return StoredResource(parts[1], parts[-1], body)


async def constraints(mesh: Mesh, domain: str) -> admission_pb2.Constraints | None:
    """What `Admit` answers to an application of the domain; None where the floor leaves nothing."""
    seals = Seals(b"a secret of tests, at least 32 bytes")
    identity = SimpleNamespace(
        snapshot=mesh.live.snapshot,
        allowed_model=lambda caller, alias: None,  # noqa: ARG005 (what is asked for is not the question)
        callable_models=lambda caller: callable_models(mesh.live.snapshot(), caller.key, caller.project),
    )
    bounds = OutputBounds(default=1000, most=10_000)
    admitting = Admitting(
        identity,
        seals,
        SystemClock(),
        ScreeningRules(()),
        outputs=bounds,
        screen_output=False,
        heavy=HeavyWork(1024 * 1024),
        trail=trail(),
    )
    caller = admission_pb2.Caller(principal=f"{domain}/principals/app", domain=domain, project=f"{domain}/projects/main")
    caller.key = f"{domain}/projects/main/keys/none"
    caller.expire_time.GetCurrentTime()
    caller.expire_time.seconds += 60
    sealed = seals.sealed(caller.DESCRIPTOR.full_name, caller.SerializeToString(), "policy")
    message = content_pb2.Message(role=content_pb2.ROLE_USER, parts=[content_pb2.Part(text=content_pb2.Text(text="hello"))])
    request = policy_pb2.AdmitRequest(caller=sealed, generate=generate_pb2.GenerateInput(model="a", messages=[message]))
    try:
        admission = (await admitting.admit(request)).admission
        return admission_pb2.Admission.FromString(seals.opened("policy", "llm_mesh.policy.v1.Admission", admission)).constraints
    except MeshError as error:
        if error.reason_name != "FLOOR_CONFLICT":
            raise
        return None


def some_floors(rng: random.Random) -> list[floors_pb2.Floor]:
    """What the platform sets, at random."""
    made = []
    for name in rng.sample(["-", "claims", "sales"], rng.randint(1, 3)):
        floor = floors_pb2.Floor(
            name=f"{PLATFORM}/floors/{name}",
            regions=rng.choice(([], ["eu"], ["eu", "us"], ["-"] if rng.random() < 0.1 else ["ch", "eu"])),
            minimum_data_classes=rng.choice(([], [], ["internal"], ["confidential"], ["health"])),
            data_classes=rng.choice(([], [], ["internal", "confidential", "restricted"])),
            zero_retention=rng.random() < 0.3,
            allowed_adapters=rng.choice(([], [], ["openai"], ["openai", "anthropic"])),
            allowed_endpoints=rng.choice(([], [], ["openai/main"], ["openai/other", "anthropic/main"])),
            allowed_models=rng.choice(([], [], ["domains/shared/*"], ["domains/claims/models/b"])),
            denied_models=rng.choice(([], [], ["upstream:openai/main/*"], ["domains/shared/models/a"])),
            max_output_tokens=rng.choice((0, 0, 7, 900)),
        )
        made.append(floor)
    return made
