"""One sequence of what administrators of domains do, and what an oracle that was written from the contracts holds of it."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from llm_mesh.policy.v1 import floors_pb2, rules_pb2
from llm_mesh_policy.domain.actor import Actor
from llm_mesh_policy.rules.domain.roles import BUILT_IN
from llm_mesh_runtime.errors import MeshError
from tests.policy.floor_oracle import PLATFORM, TARGETS, Rights, admitted, domain_of, within
from tests.policy.floor_steps import STEPS
from tests.policy.floor_world import (
    ACTORS,
    ADMIN,
    BOSS,
    CLAIMS,
    EFFECTS,
    PEOPLE,
    PROBES,
    SALES,
    Mesh,
    base,
    constraints,
    some_floors,
)
from tests.policy.memory_identity import Place, State
from tests.proofs.proof import rng_of


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


def run_all(seed: int, numbers: Iterable[int]) -> Counter[str]:
    """Run the sequences of these numbers. Tells how often each kind of outcome came about."""
    outcomes: Counter[str] = Counter()

    async def each_of_them() -> None:
        state = await base()
        for number in numbers:
            await run_one(state, rng_of(seed, str(number)), outcomes)

    asyncio.run(each_of_them())
    return outcomes


def check_nothing_is_vacuous(outcomes: Counter[str], sequences: int) -> None:
    """Each kind of outcome must have come about."""
    assert all(outcomes[kind] > sequences // 50 for kind in (*EFFECTS, "conflict", "admitted")), outcomes
