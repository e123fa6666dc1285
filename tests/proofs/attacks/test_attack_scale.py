"""What one domain's administrator creates, applies and binds holds nobody else up, and has an end."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest

from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc, ledger_pb2, rules_pb2, rules_pb2_grpc
from tests.proofs.load import chat_body
from tests.proofs.proof import FULL
from tests.proofs.refusals import refused
from tests.proofs.stand import PATIENCE, Stand, bearer, model, provider, stand, until

ATTACKER = "domains/attacker"
BINDINGS = 12_000 if os.environ.get(FULL) else 2_000
PER_CALL = 500


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A mesh with another domain, whose administrator attacks."""
    folder = tmp_path_factory.mktemp("scale")
    with provider(folder) as simulator, stand(folder, simulator, {"LLM_MESH_POLICY_MOST_PRINCIPALS": "20000"}) as made:
        made.put_models([model("bystander", "sim-echo")])
        made.apply_policy(
            domains=[identity_pb2.Domain(name=ATTACKER)],
            projects=[identity_pb2.Project(name=f"{ATTACKER}/projects/main")],
            principals=[identity_pb2.Principal(name=f"{ATTACKER}/principals/owner")],
            bindings=[
                rules_pb2.Binding(name=f"{ATTACKER}/bindings/owner", principal=f"{ATTACKER}/principals/owner", role="roles/domain-admin")
            ],
        )
        yield made


@pytest.fixture(scope="module")
def owner(mesh: Stand) -> tuple[tuple[str, str], ...]:
    """The attacker's credential."""
    return bearer(mesh.new_key(f"{ATTACKER}/projects/main", f"{ATTACKER}/principals/owner").secret)


@dataclass
class Bystander:
    """Another tenant's requests, one after the other."""

    mesh: Stand
    seconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def ask(self) -> None:
        """One request."""
        begun = time.perf_counter()
        answer = self.mesh.ask(chat_body("bystander", "hello"))
        self.seconds.append(time.perf_counter() - begun)
        if answer.status != 200:
            self.failed.append(f"{answer.status} {answer.body!r}")

    def p99(self) -> float:
        """Of its requests."""
        return statistics.quantiles(self.seconds, n=100)[-1] if len(self.seconds) > 1 else 0.0


@contextmanager
def beside(mesh: Stand) -> Iterator[Bystander]:
    """Another tenant asks all the while; afterwards none of its requests has failed."""
    bystander, ended = Bystander(mesh), threading.Event()

    def run() -> None:
        while not ended.is_set():
            bystander.ask()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield bystander
    finally:
        ended.set()
        thread.join(PATIENCE)
    assert not bystander.failed, bystander.failed[:3]
    assert bystander.seconds


def alone(mesh: Stand) -> Bystander:
    """The same tenant without anybody beside it."""
    bystander = Bystander(mesh)
    for _ in range(200):
        bystander.ask()
    return bystander


def apply(mesh: Stand, owner: Any, **wanted: Any) -> rules_pb2.ApplyPolicyResponse:
    stub: Any = rules_pb2_grpc.RuleServiceStub(mesh.channel)
    answer: rules_pb2.ApplyPolicyResponse = stub.ApplyPolicy(
        rules_pb2.ApplyPolicyRequest(parent=ATTACKER, **wanted), metadata=owner, timeout=PATIENCE
    )
    return answer


def people(start: int) -> list[identity_pb2.Principal]:
    return [identity_pb2.Principal(name=f"{ATTACKER}/principals/p{number}") for number in range(start, start + PER_CALL)]


def given(start: int) -> list[rules_pb2.Binding]:
    return [
        rules_pb2.Binding(name=f"{ATTACKER}/bindings/b{number}", principal=f"{ATTACKER}/principals/p{number}", role="roles/application")
        for number in range(start, start + PER_CALL)
    ]


def test_thousands_of_bindings_hold_nobody_up_and_one_more_is_as_quick_as_the_first(mesh: Stand, owner: Any) -> None:
    before = alone(mesh)
    stub: Any = rules_pb2_grpc.RuleServiceStub(mesh.channel)
    with beside(mesh) as bystander:
        for start in range(0, BINDINGS, PER_CALL):
            assert len(apply(mesh, owner, principals=people(start)).changes) == PER_CALL
            apply(mesh, owner, bindings=given(start))
    taken = []
    for number in range(10):
        wanted = rules_pb2.CreateBindingRequest(parent=ATTACKER, binding_id=f"one-more-{number}")
        wanted.binding.principal, wanted.binding.role = f"{ATTACKER}/principals/p{number}", "roles/viewer"
        begun = time.perf_counter()
        revision = stub.CreateBinding(wanted, metadata=owner, timeout=PATIENCE).revision
        taken.append(time.perf_counter() - begun)
        assert revision
    print(
        f"another tenant's p99: alone {before.p99() * 1e3:.0f} ms, beside {BINDINGS} bindings {bystander.p99() * 1e3:.0f} ms "
        f"({bystander.p99() / before.p99():.1f} times, {len(bystander.seconds)} requests); one more binding: {max(taken) * 1e3:.0f} ms"
    )


def test_what_was_bound_counts_at_once_and_what_was_taken_ends_at_once(mesh: Stand, owner: Any) -> None:
    identity: Any = identity_pb2_grpc.IdentityServiceStub(mesh.channel)
    stub: Any = rules_pb2_grpc.RuleServiceStub(mesh.channel)
    person = f"{ATTACKER}/principals/late"
    apply(mesh, owner, principals=[identity_pb2.Principal(name=person)])
    key = identity.CreateKey(
        identity_pb2.CreateKeyRequest(parent=f"{ATTACKER}/projects/main", key=identity_pb2.Key(principal=person)), metadata=owner
    ).secret
    listing = rules_pb2.ListBindingsRequest(parent=ATTACKER, page_size=1)
    for number in range(5):
        denied = refused(lambda: stub.ListBindings(listing, metadata=bearer(key)))
        assert denied.reason == "ACTION_DENIED"
        apply(
            mesh,
            owner,
            bindings=[rules_pb2.Binding(name=f"{ATTACKER}/bindings/late-{number}", principal=person, role="roles/domain-admin")],
        )
        assert stub.ListBindings(listing, metadata=bearer(key)).bindings
        stub.DeleteBinding(rules_pb2.DeleteBindingRequest(name=f"{ATTACKER}/bindings/late-{number}"), metadata=owner)


def test_a_call_of_4000_entries_is_refused_at_once(mesh: Stand, owner: Any) -> None:
    many = [
        rules_pb2.Binding(name=f"{ATTACKER}/bindings/n{n}", principal=f"{ATTACKER}/principals/owner", role="roles/viewer")
        for n in range(4000)
    ]
    with beside(mesh):
        told = refused(lambda: apply(mesh, owner, bindings=many))
    assert (told.code, told.reason, told.field) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", "bindings")
    assert "500" in told.message


def test_calls_of_the_largest_size_at_full_rate_hold_nobody_up(mesh: Stand, owner: Any) -> None:
    before, ended = alone(mesh), threading.Event()
    done: list[int] = []

    def attack(number: int) -> None:
        turn = 0
        while not ended.is_set():
            turn += 1
            changed = [
                identity_pb2.Principal(name=f"{ATTACKER}/principals/q{number}-{each}", display_name=f"{turn}") for each in range(PER_CALL)
            ]
            done.append(len(apply(mesh, owner, principals=changed).changes))

    threads = [threading.Thread(target=attack, args=(number,), daemon=True) for number in range(4)]
    with beside(mesh) as bystander:
        for thread in threads:
            thread.start()
        time.sleep(6)
        ended.set()
        for thread in threads:
            thread.join(PATIENCE)
    assert done
    print(
        f"another tenant's p99: alone {before.p99() * 1e3:.0f} ms, beside {len(done)} calls of {PER_CALL} entries "
        f"{bystander.p99() * 1e3:.0f} ms ({bystander.p99() / before.p99():.1f} times, {len(bystander.seconds)} requests)"
    )


def test_a_role_of_a_million_rules_is_refused(mesh: Stand, owner: Any) -> None:
    permission = rules_pb2.Permission(
        actions=[f"models.x{chr(97 + number % 26)}{chr(97 + number // 26)}" for number in range(64)],
        resources=[f"models/m{number}" for number in range(64)],
    )
    role = rules_pb2.Role(name=f"{ATTACKER}/roles/bomb", permissions=[permission] * 256)
    with beside(mesh):
        told = refused(lambda: apply(mesh, owner, roles=[role]))
    assert (told.code, told.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert told.field == "roles[0].permissions"


def test_limits_take_longer_and_are_fewer(mesh: Stand, owner: Any) -> None:
    limits = [
        ledger_pb2.Limit(
            name=f"{ATTACKER}/limits/l{number}", subject=ATTACKER, metric=ledger_pb2.LIMIT_METRIC_CONCURRENCY, amount=1_000 + number
        )
        for number in range(101)
    ]
    told = refused(lambda: apply(mesh, owner, limits=limits))
    assert (told.reason, told.field) == ("INVALID_FIELD", "limits")
    with beside(mesh) as bystander:
        apply(mesh, owner, limits=limits[:100])
    until(lambda: bystander.seconds, "the other tenant was served")
