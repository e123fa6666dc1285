"""Whatever administrators of domains do, one after the other: no right, limit or constraint exceeds what the platform set.

Random sequences run through the domain layer, each step after the check of its method's own right, and are compared with an oracle that
was written from the contracts. `make check` tries some, `make prove` 100,000.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2, floors_pb2, identity_pb2, ledger_pb2, policy_pb2, rules_pb2
from llm_mesh_policy.domain.actor import Actor
from llm_mesh_policy.domain.admission.admitting import Admitting, OutputBounds
from llm_mesh_policy.domain.changes import Changes
from llm_mesh_policy.domain.identity.allowances import callable_models
from llm_mesh_policy.domain.identity.credentials import Pepper
from llm_mesh_policy.domain.identity.directory import Directory
from llm_mesh_policy.domain.identity.keyring import Keyring
from llm_mesh_policy.domain.identity.live import Live
from llm_mesh_policy.domain.identity.ports import Row, Transaction
from llm_mesh_policy.domain.ledger.limits import wanted_budget, wanted_limit
from llm_mesh_policy.domain.rules.administration import Administration
from llm_mesh_policy.domain.rules.applying import Applying
from llm_mesh_policy.domain.rules.flooring import Flooring
from llm_mesh_policy.domain.rules.roles import BUILT_IN
from llm_mesh_policy.domain.screening.rules import ScreeningRules
from llm_mesh_policy.settings import Settings
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.heavy import HeavyWork
from llm_mesh_runtime.seals import Seals
from tests.policy.floor_oracle import PLATFORM, TARGETS, Rights, admitted, domain_of, within
from tests.policy.memory_identity import MemoryIdentity, Place, State
from tests.policy.trails import trail
from tests.proofs.proof import count, rng_of, seeds

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

    def apply_budget(self, transaction: Transaction, budget: ledger_pb2.Budget, *, dry_run: bool) -> resources_pb2.Change:
        del transaction
        return self._put(wanted_budget(budget, "USD").name, budget.SerializeToString(), dry_run=dry_run)

    def apply_limit(self, transaction: Transaction, limit: ledger_pb2.Limit, *, dry_run: bool) -> resources_pb2.Change:
        del transaction
        return self._put(wanted_limit(limit).name, limit.SerializeToString(), dry_run=dry_run)

    def _put(self, name: str, body: bytes, *, dry_run: bool) -> resources_pb2.Change:
        if not dry_run:
            self.kept[name] = body
        return resources_pb2.Change(resource=name, action=resources_pb2.CHANGE_ACTION_UPDATE)


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


def _row(name: str, body: bytes) -> Row:
    parts = name.split("/")
    return Row(parts[1], parts[-1], body)


@dataclass
class Run:
    """One sequence: what was tried, and what the oracle holds of it."""

    mesh: Mesh
    rng: random.Random
    floors: list[floors_pb2.Floor]
    rights: Rights
    told: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    def some(self, values: Any, most: int = 2) -> list[str]:
        return self.rng.sample(list(values), self.rng.randint(0, most))

    async def step(self) -> bool:
        """Somebody tries something; the oracle follows what was stored, and nothing else may have changed. False: had no right to try."""
        actor = Actor(who := self.rng.choice(ACTORS), f"{domain_of(who)}/projects/main/keys/k", domain_of(who))
        make = self.rng.choice(STEPS)
        action, resource, work = make(self, actor)
        told = f"{who.split('/')[1]}/{who.rpartition('/')[2]}: {action} on {resource}"
        before, limits = self.mesh.store.state, dict(self.mesh.limits.kept)
        held = self.rights.grants(who, action, resource)
        assert self.mesh.allows(who, action, resource) == held, told
        if not held:
            self.outcomes["denied"] += 1
            return False
        try:
            await work()
        except MeshError as error:
            self.told.append(f"{told}: {error.reason_name}")
            self.outcomes["refused"] += 1
        else:
            self.told.append(told)
            self.outcomes["set"] += 1
        self.follow(actor, action, before, limits)
        return True

    def follow(self, actor: Actor, action: str, before: State, limits: dict[str, bytes]) -> None:
        after = self.mesh.store.state
        changed = [place for place in {*before.rows, *after.rows} if before.rows.get(place) != after.rows.get(place)]
        accepts = {name: self.rights.grants(actor.principal, "bindings.accept", name) for name in (*PEOPLE, BOSS)}
        reach = {f"domains/{place[1]}" for place in changed if not self._own_consent(action, actor, place, before)}
        reach |= {f"domains/{place[0]}" for place in {*before.keys, *after.keys} if before.keys.get(place) != after.keys.get(place)}
        reach |= {domain_of(name) for name in {*limits, *self.mesh.limits.kept} if limits.get(name) != self.mesh.limits.kept.get(name)}
        for domain in reach - {actor.domain}:
            assert domain != PLATFORM, self.told
            assert any(
                self.rights.counts(each) and each.principal == actor.principal and domain_of(each.name) == domain
                for each in self.rights.bindings.values()
            ), self.told
        for place in changed:
            self._learn(action, actor, place, accepts)

    def _own_consent(self, action: str, actor: Actor, place: Place, before: State) -> bool:
        """A domain may accept and reject what others granted to its principals."""
        if place[0] != "bindings" or action not in {"bindings.accept", "bindings.reject"}:
            return False
        return domain_of(rules_pb2.Binding.FromString(before.rows[place].body).principal) == actor.domain

    def _learn(self, action: str, actor: Actor, place: Place, accepts: dict[str, bool]) -> None:
        """Roles and bindings as they are stored now, and what consent follows from who wrote them."""
        collection, domain, identity = place
        row, name = self.mesh.store.state.rows.get(place), f"domains/{domain}/{collection}/{identity}"
        if collection == "roles":
            known = dict(self.rights.roles)
            known[name] = rules_pb2.Role.FromString(row.body) if row else rules_pb2.Role()
            self.rights.roles = known
        if collection != "bindings":
            return
        if row is None:
            self.rights.bindings.pop(name, None)
            self.rights.consents.pop(name, None)
            return
        binding = rules_pb2.Binding.FromString(row.body)
        binding.name = name
        grant, earlier = (binding.principal, binding.role, binding.scope), self.rights.bindings.get(name)
        same = earlier is not None and (earlier.principal, earlier.role, earlier.scope) == grant
        self.rights.bindings[name] = binding
        if action == "bindings.accept" or (not same and accepts.get(binding.principal, False)):
            self.rights.consents[name] = grant
        elif not same:
            self.rights.consents.pop(name, None)
        del actor

    async def check(self, initial: Rights) -> None:
        """Rights are the oracle's, and within what the platform gave; constraints are within the floors."""
        for person, action, resource in self.rng.sample(PROBES, 100):
            holds = self.rights.grants(person, action, resource)
            assert self.mesh.allows(person, action, resource) == holds, (self.told, person, action, resource)
            if holds and domain_of(resource) == PLATFORM:
                assert initial.grants(person, action, resource), (self.told, person, action, resource)
            if holds and domain_of(resource) == domain_of(person):
                ceiling = f"{domain_of(person)}/principals/owner"
                assert any(initial.grants(each, action, resource) for each in (person, ceiling)), (self.told, person, action)
        for domain in (CLAIMS, SALES):
            await self._check_constraints(domain)

    async def _check_constraints(self, domain: str) -> None:
        bounds = await constraints(self.mesh, domain)
        floors = [each for each in self.floors if each.name.rpartition("/")[2] in ("-", domain.rpartition("/")[2])]
        if bounds is None:
            self.outcomes["conflict"] += 1
            return
        own = self.mesh.live.snapshot().projects[f"{domain}/projects/main"]
        for target in TARGETS:
            if admitted(bounds, target):
                self.outcomes["admitted"] += 1
                assert all(within(floor, target) for floor in floors), (self.told, floors, bounds, target)
                patterns = [each.removesuffix("*") if each.endswith("*") else each + "\0" for each in own.allowed_models]
                names = (target.alias + "\0", target.name + "\0")
                assert not patterns or any(name.startswith(each) for each in patterns for name in names), (self.told, target)
        for floor in floors:
            assert not floor.max_output_tokens or bounds.max_output_tokens <= floor.max_output_tokens, self.told
            classes = {bounds.data_class, *bounds.further_data_classes}
            assert not floor.data_classes or classes <= set(floor.data_classes), self.told
            assert bounds.zero_retention or not floor.zero_retention, self.told


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
        return (await admitting.admit(request)).constraints
    except MeshError as error:
        if error.reason_name != "FLOOR_CONFLICT":
            raise
        return None


Step = tuple[str, str, Callable[[], Awaitable[object]]]


def _domain_message(run: Run, name: str) -> identity_pb2.Domain:
    return identity_pb2.Domain(
        name=name,
        regions=run.some(("eu", "us", "ch")),
        default_data_class=run.rng.choice(("", "public", "internal", "confidential", "restricted", "health")),
        allowed_adapters=run.some(("openai", "anthropic")),
        zero_retention=run.rng.random() < 0.5,
    )


def update_domain(run: Run, actor: Actor) -> Step:
    name = run.rng.choice((actor.domain, CLAIMS, SALES, PLATFORM))
    mask = FieldMask(paths=run.some(("regions", "default_data_class", "allowed_adapters", "zero_retention", "display_name"), 3))
    return "domains.update", name, lambda: run.mesh.directory.update_domain(actor, _domain_message(run, name), mask)


def update_project(run: Run, actor: Actor) -> Step:
    name = f"{run.rng.choice((actor.domain, SALES))}/projects/main"
    wanted = identity_pb2.Project(
        name=name, max_output_tokens=run.rng.choice((0, 10, 5000)), allowed_models=run.some(("a", "b*", "domains/shared/*"))
    )
    mask = FieldMask(paths=["max_output_tokens", "allowed_models"])
    return "projects.update", name, lambda: run.mesh.directory.update_project(actor, wanted, mask)


def put_floor(run: Run, actor: Actor) -> Step:
    name = f"{run.rng.choice((PLATFORM, actor.domain))}/floors/{run.rng.choice(('-', 'claims', 'sales'))}"
    return "floors.put", name, lambda: run.mesh.floors.put(actor, floors_pb2.Floor(name=name))


def delete_floor(run: Run, actor: Actor) -> Step:
    name = f"{PLATFORM}/floors/{run.rng.choice(('-', 'claims'))}"
    return "floors.delete", name, lambda: run.mesh.floors.delete(actor, name)


def put_role(run: Run, actor: Actor) -> Step:
    role = _role_message(run, f"{run.rng.choice((actor.domain, SALES, PLATFORM))}/roles/r{run.rng.randint(1, 2)}")
    return "roles.put", role.name, lambda: run.mesh.rules.put_role(actor, role)


def _role_message(run: Run, name: str) -> rules_pb2.Role:
    permission = rules_pb2.Permission(actions=run.rng.choice(GRANTED), resources=run.some(("models/*", "projects/main/*", "keys"), 1))
    return rules_pb2.Role(name=name, permissions=[permission])


def _binding_message(run: Run, parent: str) -> rules_pb2.Binding:
    own = [f"{parent}/roles/r1", f"{parent}/roles/r2"]
    return rules_pb2.Binding(
        name=f"{parent}/bindings/b{run.rng.randint(1, 3)}",
        principal=run.rng.choice((*PEOPLE, BOSS, f"{SALES}/principals/ghost")),
        role=run.rng.choice(("roles/domain-admin", "roles/platform-admin", "roles/viewer", "roles/application", *own)),
        scope=run.rng.choice(("", "", "*", PLATFORM, CLAIMS, f"{parent}/projects/main")),
    )


def create_binding(run: Run, actor: Actor) -> Step:
    parent = run.rng.choice((actor.domain, actor.domain, SALES, PLATFORM))
    wanted = _binding_message(run, parent)
    return (
        "bindings.create",
        f"{parent}/bindings",
        lambda: run.mesh.rules.create_binding(actor, parent, wanted.name.rpartition("/")[2], wanted),
    )


def _some_binding(run: Run) -> rules_pb2.Binding:
    return run.rng.choice(list(run.rights.bindings.values()))


def delete_binding(run: Run, actor: Actor) -> Step:
    name = _some_binding(run).name
    return "bindings.delete", name, lambda: run.mesh.rules.delete_binding(actor, name)


def accept_binding(run: Run, actor: Actor) -> Step:
    bound = _some_binding(run)
    principal = run.rng.choice((bound.principal, bound.principal, actor.principal))
    return "bindings.accept", principal, lambda: run.mesh.rules.accept_binding(actor, bound.name, principal)


def reject_binding(run: Run, actor: Actor) -> Step:
    bound = _some_binding(run)
    return "bindings.reject", bound.principal, lambda: run.mesh.rules.reject_binding(actor, bound.name, bound.principal)


def delete_role(run: Run, actor: Actor) -> Step:
    name = f"{actor.domain}/roles/r{run.rng.randint(1, 2)}"
    return "roles.delete", name, lambda: run.mesh.rules.delete_role(actor, name)


def create_key(run: Run, actor: Actor) -> Step:
    project = f"{run.rng.choice((actor.domain, SALES))}/projects/main"
    wanted = identity_pb2.Key(principal=run.rng.choice((*PEOPLE, BOSS)))
    return "keys.create", f"{project}/keys", lambda: run.mesh.keyring.create(actor, project, wanted)


def revoke_key(run: Run, actor: Actor) -> Step:
    keys = [key.name for key in run.mesh.store.state.keys.values()] or [f"{CLAIMS}/projects/main/keys/none"]
    name = run.rng.choice(keys)
    return "keys.revoke", name, lambda: run.mesh.keyring.revoke(actor, name)


def update_principal(run: Run, actor: Actor) -> Step:
    name = run.rng.choice((*PEOPLE, BOSS, ADMIN.principal))
    wanted = identity_pb2.Principal(name=name, display_name=run.rng.choice("ab"))
    return "principals.update", name, lambda: run.mesh.directory.update_principal(actor, wanted, FieldMask(paths=["display_name"]))


def apply(run: Run, actor: Actor) -> Step:
    parent = run.rng.choice((actor.domain, actor.domain, PLATFORM))
    inside = run.rng.choice((parent, SALES, PLATFORM))
    request = rules_pb2.ApplyPolicyRequest(parent=parent)
    for part in run.rng.sample(range(6), run.rng.randint(1, 3)):
        if part == 0:
            request.domains.append(_domain_message(run, inside))
        elif part == 1:
            request.roles.append(_role_message(run, f"{inside}/roles/r1"))
        elif part == 2:
            request.bindings.append(_binding_message(run, inside))
        elif part == 3:
            request.floors.append(floors_pb2.Floor(name=f"{PLATFORM}/floors/claims"))
        elif part == 4:
            request.limits.append(ledger_pb2.Limit(name=f"{inside}/limits/l", subject=inside, metric=ledger_pb2.LIMIT_METRIC_CONCURRENCY))
        else:
            money = resources_pb2.Money(currency="USD", nanos=run.rng.randint(0, 9))
            name, subject = run.rng.choice(((f"{PLATFORM}/budgets/b", inside), (f"{inside}/projects/main/budget", "")))
            request.budgets.append(ledger_pb2.Budget(name=name, subject=subject, amount=money))
    return "policy.apply", f"{parent}/policy", lambda: run.mesh.applying.apply(actor, request)


STEPS: tuple[Callable[[Run, Actor], Step], ...] = (
    update_domain, update_domain, update_project, put_floor, delete_floor, put_role, create_binding, create_binding, delete_binding,
    accept_binding, accept_binding, reject_binding, delete_role, create_key, revoke_key, update_principal, apply, apply,
)  # fmt: skip


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


async def run_one(state: State, rng: random.Random, outcomes: Counter[str]) -> None:
    mesh = Mesh(state.copy())
    await mesh.live.refresh()
    floors = some_floors(rng)
    await mesh.applying.apply(ADMIN, rules_pb2.ApplyPolicyRequest(parent=PLATFORM, floors=floors))
    bindings = dict(mesh.live.snapshot().bindings)
    consents = {each.name: (each.principal, each.role, each.scope) for each in bindings.values()}
    run = Run(mesh, rng, floors, Rights(dict(BUILT_IN), dict(bindings), dict(consents)), outcomes=outcomes)
    for _ in range(rng.randint(1, 8)):
        for _ in range(3):
            if await run.step():
                break
    await run.check(Rights(dict(BUILT_IN), bindings, consents))


@pytest.mark.parametrize("seed", seeds())
def test_no_sequence_of_administrators_exceeds_the_floor(seed: int) -> None:
    outcomes: Counter[str] = Counter()
    many = count(60, 50_000)  # of each of the two seeds

    async def all_of_them() -> None:
        state = await base()
        for number in range(many):
            await run_one(state, rng_of(seed, str(number)), outcomes)

    asyncio.run(all_of_them())
    assert all(outcomes[kind] > many // 50 for kind in (*EFFECTS, "conflict", "admitted")), outcomes  # nothing is vacuous
