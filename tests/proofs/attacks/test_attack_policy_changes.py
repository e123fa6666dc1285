"""Policy's own administrative changes have the record that those of other services have: who, what, why, and digests that follow on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import floors_pb2, identity_pb2, identity_pb2_grpc, ledger_pb2, ledger_pb2_grpc, rules_pb2, rules_pb2_grpc
from tests.proofs.every_rpc import every_rpc
from tests.proofs.stand import Stand, bearer, provider, stand

READING = ("Get", "List", "Explain", "Export", "WhoAmI")
ELSEWHERE = {"Bootstrap", "ReconcileLedgerEntry"}
"""Made once per token, and of an entry that is an estimate: `tests/policy` has them."""
STUBS: dict[str, Callable[[Any], Any]] = {
    "IdentityService": identity_pb2_grpc.IdentityServiceStub,
    "RuleService": rules_pb2_grpc.RuleServiceStub,
    "LedgerService": ledger_pb2_grpc.LedgerServiceStub,
}
HOME, GUEST = "domains/home", "domains/guest"
PROJECT, PRINCIPAL, ROLE = f"{HOME}/projects/main", f"{HOME}/principals/ana", f"{HOME}/roles/reader"
BINDING, FOREIGN, FLOOR = f"{HOME}/bindings/reader", f"{GUEST}/bindings/ana", "domains/platform/floors/home"
OWNER = f"{GUEST}/principals/owner"
BUDGET, LIMIT = f"{PROJECT}/budget", f"{HOME}/limits/requests"
WHY = "ticket 4712"
REQUESTS = itertools.count()


def mutating() -> set[str]:
    paths = [rpc.path for rpc in every_rpc() if rpc.public and rpc.path.startswith("/llm_mesh.policy.v1.")]
    return {path.rpartition("/")[2] for path in paths if not path.rpartition("/")[2].startswith(READING)} - ELSEWHERE


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder: Path = tmp_path_factory.mktemp("policy-changes")
    with provider(folder) as simulator, stand(folder, simulator) as made:
        made.apply_policy(
            domains=[identity_pb2.Domain(name=GUEST)],
            projects=[identity_pb2.Project(name=f"{GUEST}/projects/main")],
            principals=[identity_pb2.Principal(name=OWNER)],
            bindings=[rules_pb2.Binding(name=f"{GUEST}/bindings/owner", principal=OWNER, role="roles/domain-admin")],
        )
        yield made


def budget(nanos: int) -> ledger_pb2.Budget:
    return ledger_pb2.Budget(name=BUDGET, amount=resources_pb2.Money(currency="USD", nanos=nanos), period=ledger_pb2.BUDGET_PERIOD_TOTAL)


def limit(amount: int) -> ledger_pb2.Limit:
    made = ledger_pb2.Limit(name=LIMIT, subject=PROJECT, metric=ledger_pb2.LIMIT_METRIC_REQUESTS, amount=amount)
    made.window.FromSeconds(60)
    return made


def role(*actions: str) -> rules_pb2.Role:
    return rules_pb2.Role(name=ROLE, permissions=[rules_pb2.Permission(actions=actions)])


def foreign() -> rules_pb2.CreateBindingRequest:
    return rules_pb2.CreateBindingRequest(
        parent=GUEST, binding_id="ana", binding=rules_pb2.Binding(principal=PRINCIPAL, role="roles/viewer")
    )


class Keys:
    """The key that the steps make, whose name the mesh chooses."""

    name = ""


Step = tuple[str, str, Callable[[], Any], str]
"""Service, method, request, and what it changes: the resource with `+` (creates), `~` (updates) or `-` (deletes) before it."""
STEPS: list[Step] = [
    ("IdentityService", "CreateDomain", lambda: identity_pb2.CreateDomainRequest(domain_id="home"), f"+{HOME}"),
    ("IdentityService", "UpdateDomain", lambda: identity_pb2.UpdateDomainRequest(
        domain=identity_pb2.Domain(name=HOME, display_name="Home"), update_mask=FieldMask(paths=["display_name"])), f"~{HOME}"),
    ("IdentityService", "CreateProject", lambda: identity_pb2.CreateProjectRequest(parent=HOME, project_id="main"), f"+{PROJECT}"),
    ("IdentityService", "UpdateProject", lambda: identity_pb2.UpdateProjectRequest(
        project=identity_pb2.Project(name=PROJECT, max_output_tokens=9), update_mask=FieldMask(paths=["max_output_tokens"])),
        f"~{PROJECT}"),
    ("IdentityService", "CreatePrincipal", lambda: identity_pb2.CreatePrincipalRequest(parent=HOME, principal_id="ana"), f"+{PRINCIPAL}"),
    ("IdentityService", "UpdatePrincipal", lambda: identity_pb2.UpdatePrincipalRequest(
        principal=identity_pb2.Principal(name=PRINCIPAL, display_name="Ana"), update_mask=FieldMask(paths=["display_name"])),
        f"~{PRINCIPAL}"),
    ("RuleService", "PutRole", lambda: rules_pb2.PutRoleRequest(role=role("models.get")), f"+{ROLE}"),
    ("RuleService", "PutRole", lambda: rules_pb2.PutRoleRequest(role=role("models.get", "models.list")), f"~{ROLE}"),
    ("RuleService", "CreateBinding", lambda: rules_pb2.CreateBindingRequest(
        parent=HOME, binding_id="reader", binding=rules_pb2.Binding(principal=PRINCIPAL, role=ROLE)), f"+{BINDING}"),
    ("RuleService", "DeleteBinding", lambda: rules_pb2.DeleteBindingRequest(name=BINDING), f"-{BINDING}"),
    ("RuleService", "DeleteRole", lambda: rules_pb2.DeleteRoleRequest(name=ROLE), f"-{ROLE}"),
    ("RuleService", "CreateBinding", foreign, f"+{FOREIGN}"),
    ("RuleService", "AcceptBinding", lambda: rules_pb2.AcceptBindingRequest(name=FOREIGN, principal=PRINCIPAL), f"~{FOREIGN}"),
    ("RuleService", "RejectBinding", lambda: rules_pb2.RejectBindingRequest(name=FOREIGN, principal=PRINCIPAL), f"-{FOREIGN}"),
    ("RuleService", "PutFloor", lambda: rules_pb2.PutFloorRequest(floor=floors_pb2.Floor(name=FLOOR, regions=["eu"])), f"+{FLOOR}"),
    ("RuleService", "PutFloor", lambda: rules_pb2.PutFloorRequest(floor=floors_pb2.Floor(name=FLOOR, regions=["us"])), f"~{FLOOR}"),
    ("RuleService", "DeleteFloor", lambda: rules_pb2.DeleteFloorRequest(name=FLOOR), f"-{FLOOR}"),
    ("LedgerService", "PutBudget", lambda: ledger_pb2.PutBudgetRequest(budget=budget(5)), f"+{BUDGET}"),
    ("LedgerService", "PutBudget", lambda: ledger_pb2.PutBudgetRequest(budget=budget(6)), f"~{BUDGET}"),
    ("RuleService", "ApplyPolicy", lambda: rules_pb2.ApplyPolicyRequest(parent=HOME, budgets=[budget(7)]), f"~{BUDGET}"),
    ("LedgerService", "DeleteBudget", lambda: ledger_pb2.DeleteBudgetRequest(name=BUDGET), f"-{BUDGET}"),
    ("LedgerService", "PutLimit", lambda: ledger_pb2.PutLimitRequest(limit=limit(5)), f"+{LIMIT}"),
    ("RuleService", "ApplyPolicy", lambda: rules_pb2.ApplyPolicyRequest(parent=HOME, limits=[limit(6)]), f"~{LIMIT}"),
    ("LedgerService", "DeleteLimit", lambda: ledger_pb2.DeleteLimitRequest(name=LIMIT), f"-{LIMIT}"),
    ("RuleService", "ApplyPolicy", lambda: rules_pb2.ApplyPolicyRequest(
        parent=HOME, principals=[identity_pb2.Principal(name=PRINCIPAL, display_name="Anna")]), f"~{PRINCIPAL}"),
    ("IdentityService", "CreateKey", lambda: identity_pb2.CreateKeyRequest(
        parent=PROJECT, key=identity_pb2.Key(principal=PRINCIPAL)), "+KEY"),
    ("IdentityService", "RotateKey", lambda: identity_pb2.RotateKeyRequest(name=Keys.name), "~KEY"),
    ("IdentityService", "RevokeKey", lambda: identity_pb2.RevokeKeyRequest(name=Keys.name), "~KEY"),
]  # fmt: skip


def test_the_steps_are_all_methods_that_change_something() -> None:
    assert {method for _, method, _, _ in STEPS} == mutating()


def test_each_change_has_who_why_and_digests_that_follow_on(mesh: Stand) -> None:
    digests: dict[str, bytes] = {}
    owner = mesh.new_key(f"{GUEST}/projects/main", OWNER).secret
    rules: Any = rules_pb2_grpc.RuleServiceStub(mesh.channel)
    for service, method, request, expected in STEPS:
        request_id = f"policy-change-{next(REQUESTS)}"
        guest = method == "CreateBinding" and expected.endswith(FOREIGN)  # what the platform itself gives needs no consent
        who = bearer(owner) if guest else mesh.admin
        metadata = (*who, ("x-request-id", request_id), ("x-llm-mesh-reason", WHY))
        answer = getattr(STUBS[service](mesh.channel), method)(request(), metadata=metadata, timeout=20)
        if method == "CreateKey":
            Keys.name = answer.key.name
        sign, resource = expected[0], Keys.name if expected[1:] == "KEY" else expected[1:]
        listed = rules_pb2.ListAuditRecordsRequest(parent="domains/-", request_id=request_id)
        records = rules.ListAuditRecords(listed, metadata=mesh.admin).records
        of_resource = [record for record in records if record.resource == resource]
        assert len(of_resource) == 1, (method, resource, [record.resource for record in records])
        [record] = of_resource
        principal = OWNER if guest else "domains/platform/principals/admin"
        assert (record.source, record.allowed, record.reason, record.principal) == ("", True, WHY, principal)
        found = "~" if record.before_digest and record.after_digest else "+" if record.after_digest else "-" if record.before_digest else ""
        assert found == sign, (method, resource)
        assert record.before_digest == digests.get(resource, b""), (method, resource)
        assert record.before_digest != record.after_digest, (method, resource)
        digests[resource] = record.after_digest


def test_the_trail_with_digests_can_be_verified(mesh: Stand) -> None:
    verified = mesh.mesh.cli("audit", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
