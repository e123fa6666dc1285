"""Policy's public contracts, over every link: who is let in, and how refusals look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Literal

import grpc
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor

from llm_mesh.mesh.v1 import access_pb2, resources_pb2
from llm_mesh.policy.v1 import (
    identity_pb2,
    identity_pb2_grpc,
    ledger_pb2,
    ledger_pb2_grpc,
    policy_pb2,
    policy_pb2_grpc,
    rules_pb2,
    rules_pb2_grpc,
)
from llm_mesh.registry.v1 import registry_pb2_grpc
from llm_mesh_policy.settings import Settings
from llm_mesh_policy.wiring import MIGRATIONS, service
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.testing import HostedMesh, NoSettings, host
from tests.databases import migrated
from tests.policy.conftest import TOKEN

ACCESS: Any = access_pb2.access


class Mesh:
    """Policy hosted, with the keys of its people."""

    def __init__(self, hosted: HostedMesh) -> None:
        self.hosted = hosted
        self.keys: dict[str, identity_pb2.CreateKeyResponse] = {}

    def identity(self, key: str) -> identity_pb2_grpc.IdentityServiceStub:
        return identity_pb2_grpc.IdentityServiceStub(self.hosted.application("policy", key=key))

    def rules(self, key: str) -> rules_pb2_grpc.RuleServiceStub:
        return rules_pb2_grpc.RuleServiceStub(self.hosted.application("policy", key=key))


def registry() -> Service:
    """A registry that has nothing: policy's ledger wants one to link to."""
    registration = (registry_pb2_grpc.add_RegistryServiceServicer_to_server, Nothing())
    return Service("registry", ("llm_mesh.registry.v1.RegistryService",), NoSettings, lambda _settings, _links: Servicers(registration))


class Nothing(registry_pb2_grpc.RegistryServiceServicer):
    """Answers nothing."""

    def __getattribute__(self, name: str) -> Any:
        return super().__getattribute__(name) if name.startswith("_") else unanswered


async def unanswered(request: Any, context: Any) -> None:
    del request
    await context.abort(grpc.StatusCode.UNIMPLEMENTED)


def wanted() -> rules_pb2.ApplyPolicyRequest:
    request = rules_pb2.ApplyPolicyRequest(parent="domains/platform")
    for domain in ("claims", "sales"):
        name = f"domains/{domain}"
        request.domains.add(name=name)
        request.projects.add(name=f"{name}/projects/triage")
        request.principals.add(name=f"{name}/principals/owner")
        request.bindings.add(name=f"{name}/bindings/owner", principal=f"{name}/principals/owner", role="roles/domain-admin")
    return request


@pytest.fixture(params=["local", "grpc"])
async def mesh(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Mesh]:
    link: Literal["local", "grpc"] = request.param
    url = f"sqlite:///{tmp_path}/policy.db"
    if link == "grpc":
        database = Database(url, name="policy")
        await migrated(database, MIGRATIONS)
        await database.close()
    settings = Settings(database_url=Secret(url), key_pepper=Secret("a pepper of tests, 32 bytes long"), bootstrap_token=Secret(TOKEN))
    async with host(registry(), service, link=link, settings={"policy": settings}, data_dir=tmp_path) as hosted:
        mesh = Mesh(hosted)
        admin = await mesh.identity(TOKEN).Bootstrap(identity_pb2.BootstrapRequest())
        mesh.keys["admin"] = identity_pb2.CreateKeyResponse(key=admin.key, secret=admin.secret)
        await mesh.rules(admin.secret).ApplyPolicy(wanted())
        for domain in ("claims", "sales"):
            asked = identity_pb2.CreateKeyRequest(parent=f"domains/{domain}/projects/triage")
            asked.key.principal = f"domains/{domain}/principals/owner"
            mesh.keys[domain] = await mesh.identity(admin.secret).CreateKey(asked)
        yield mesh


async def failure(call: Any) -> tuple[grpc.StatusCode, str, str]:
    """Status, reason and named field of a refused call."""
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await call
    error = from_rpc_error(failed.value, peer="policy")
    return error.code, error.reason_name, error.field


def methods(level: int) -> Iterator[MethodDescriptor]:
    for contract in (policy_pb2, identity_pb2, rules_pb2, ledger_pb2):
        for described in contract.DESCRIPTOR.services_by_name.values():
            yield from (method for method in described.methods if method.GetOptions().Extensions[ACCESS].level == level)


def path_of(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


async def called(channel: Any, method: MethodDescriptor, request: bytes = b"") -> None:
    """Calls a method by its descriptor, and reads its first answer."""
    answer = message_factory.GetMessageClass(method.output_type)
    serialise, parse = (lambda raw: raw), answer.FromString
    if method.client_streaming:
        call = channel.stream_stream(path_of(method), serialise, parse)(iter([request]))
        await anext(aiter(call))
    elif method.server_streaming:
        call = channel.unary_stream(path_of(method), serialise, parse)(request)
        await anext(aiter(call))
    else:
        await channel.unary_unary(path_of(method), serialise, parse)(request)


async def test_every_public_method_refuses_what_is_no_valid_key(mesh: Mesh) -> None:
    revoked = mesh.keys["sales"]
    await mesh.identity(mesh.keys["admin"].secret).RevokeKey(identity_pb2.RevokeKeyRequest(name=revoked.key.name))
    for method in methods(access_pb2.ACCESS_LEVEL_PUBLIC):
        expected = "INVALID_BOOTSTRAP_TOKEN" if method.name == "Bootstrap" else "INVALID_CREDENTIAL"
        code, reason, _ = await failure(called(mesh.hosted.application("policy"), method))
        assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, "MISSING_CREDENTIAL"), method.name
        for credential in ("mk_garbled", "mk_" + "0" * 16 + "_" + "a" * 43, revoked.secret, "mb_" + "x" * 40):
            code, reason, _ = await failure(called(mesh.hosted.application("policy", key=credential), method))
            assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, expected), method.name


async def test_every_mesh_method_is_absent_from_the_public_listener_and_refuses_a_platform_admin(mesh: Mesh) -> None:
    key = mesh.keys["admin"].secret
    for method in methods(access_pb2.ACCESS_LEVEL_MESH):
        code, _, _ = await failure(called(mesh.hosted.application("policy", key=key), method))
        assert code is grpc.StatusCode.UNIMPLEMENTED, method.name
        if not method.client_streaming:
            stub: Any = mesh.hosted.channel("policy", caller="gateway").unary_unary(path_of(method))
            code, reason, _ = await failure(stub(b"", metadata=(("authorization", f"Bearer {key}"),)))
            assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "MESH_ONLY"), method.name


async def test_a_foreign_key_learns_nothing(mesh: Mesh) -> None:
    foreign = mesh.identity(mesh.keys["sales"].secret)
    there = identity_pb2.GetProjectRequest(name="domains/claims/projects/triage")
    absent = identity_pb2.GetProjectRequest(name="domains/claims/projects/none")
    assert await failure(foreign.GetProject(there)) == await failure(foreign.GetProject(absent))
    own = mesh.identity(mesh.keys["claims"].secret)
    assert (await own.GetProject(there)).project.name == there.name
    assert (await failure(own.GetProject(absent)))[:2] == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")


async def test_a_caller_learns_who_it_is(mesh: Mesh) -> None:
    caller = (await mesh.identity(mesh.keys["claims"].secret).WhoAmI(identity_pb2.WhoAmIRequest())).caller
    assert (caller.principal, caller.project) == ("domains/claims/principals/owner", "domains/claims/projects/triage")
    assert list(caller.roles) == ["roles/domain-admin"]


async def test_a_revoked_key_ends_at_once_though_it_was_cached(mesh: Mesh) -> None:
    victim = mesh.identity(mesh.keys["claims"].secret)
    for _ in range(3):
        await victim.WhoAmI(identity_pb2.WhoAmIRequest())
    revoked = await mesh.identity(mesh.keys["admin"].secret).RevokeKey(identity_pb2.RevokeKeyRequest(name=mesh.keys["claims"].key.name))
    watch = policy_pb2_grpc.PolicyServiceStub(mesh.hosted.channel("policy", caller="gateway")).WatchRevision(
        policy_pb2.WatchRevisionRequest()
    )
    assert (await anext(aiter(watch))).revision >= revoked.revision
    watch.cancel()
    async with asyncio.timeout(1):
        code, reason, _ = await failure(victim.WhoAmI(identity_pb2.WhoAmIRequest()))
    assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, "INVALID_CREDENTIAL")


async def test_a_bootstrap_token_works_once(mesh: Mesh) -> None:
    code, reason, _ = await failure(mesh.identity(TOKEN).Bootstrap(identity_pb2.BootstrapRequest()))
    assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, "INVALID_BOOTSTRAP_TOKEN")
    assert (await failure(mesh.identity(TOKEN).WhoAmI(identity_pb2.WhoAmIRequest())))[1] == "INVALID_CREDENTIAL"


async def test_wrong_fields_are_named(mesh: Mesh) -> None:
    admin = mesh.identity(mesh.keys["admin"].secret)
    refused = await failure(admin.CreateProject(identity_pb2.CreateProjectRequest(parent="domains/claims", project_id="No")))
    assert refused == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", "project_id")
    page = await admin.ListDomains(identity_pb2.ListDomainsRequest(page_size=1))
    asked = identity_pb2.ListProjectsRequest(parent="domains/claims", page_token=page.next_page_token)
    assert await failure(admin.ListProjects(asked)) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", "page_token")
    size = identity_pb2.ListDomainsRequest(page_size=1001)
    assert await failure(admin.ListDomains(size)) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", "page_size")
    path = "/llm_mesh.policy.v1.IdentityService/CreateDomain"
    raw: Any = mesh.hosted.application("policy", key=mesh.keys["admin"].secret).unary_unary(path)
    assert (await failure(raw(b"\x0a\x05abc")))[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE")
    assert (await failure(raw(b"\x0a\x02\xff\xfe")))[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE")


async def test_a_service_asks_authorize_for_what_an_application_sent(mesh: Mesh) -> None:
    policy = policy_pb2_grpc.PolicyServiceStub(mesh.hosted.channel("policy", caller="gateway"))
    asked = policy_pb2.AuthorizeRequest(
        credential=mesh.keys["claims"].secret, method="/m", resource="models/gpt-4.1", action="models.generate"
    )
    answer = await policy.Authorize(asked)
    assert answer.caller.project == "domains/claims/projects/triage"
    asked.action = "domains.create"
    assert (await failure(policy.Authorize(asked)))[:2] == (grpc.StatusCode.PERMISSION_DENIED, "ACTION_DENIED")


async def test_every_method_of_the_rules_answers(mesh: Mesh) -> None:
    rules = mesh.rules(mesh.keys["claims"].secret)
    role = rules_pb2.Role(name="domains/claims/roles/r", permissions=[rules_pb2.Permission(actions=["models.get"])])
    assert (await rules.PutRole(rules_pb2.PutRoleRequest(role=role))).revision
    binding = rules_pb2.Binding(principal="domains/claims/principals/owner", role=role.name)
    created = await rules.CreateBinding(rules_pb2.CreateBindingRequest(parent="domains/claims", binding=binding))
    listed = await rules.ListBindings(rules_pb2.ListBindingsRequest(parent="domains/claims"))
    assert created.binding in listed.bindings
    assert role.name in [found.name for found in (await rules.ListRoles(rules_pb2.ListRolesRequest(parent="domains/claims"))).roles]
    asked = rules_pb2.ExplainRequest(parent="domains/claims", principal=binding.principal, action="models.get", resource="models/m")
    assert created.binding in [ground.binding for ground in (await rules.Explain(asked)).grounds]
    assert (await failure(rules.DeleteRole(rules_pb2.DeleteRoleRequest(name=role.name))))[1] == "IN_USE"
    await rules.DeleteBinding(rules_pb2.DeleteBindingRequest(name=created.binding.name))
    assert (await rules.DeleteRole(rules_pb2.DeleteRoleRequest(name=role.name))).revision
    records = await rules.ListAuditRecords(rules_pb2.ListAuditRecordsRequest(parent="domains/claims", page_size=4))
    assert [record.action for record in records.records] == ["roles.delete", "bindings.delete", "bindings.create", "roles.put"]


async def test_every_method_of_identity_answers(mesh: Mesh) -> None:
    identity = mesh.identity(mesh.keys["admin"].secret)
    domain = (await identity.CreateDomain(identity_pb2.CreateDomainRequest(domain_id="new"))).domain
    assert (await identity.GetDomain(identity_pb2.GetDomainRequest(name=domain.name))).domain == domain
    domain.display_name = "New"
    assert (await identity.UpdateDomain(identity_pb2.UpdateDomainRequest(domain=domain))).domain.display_name == "New"
    project = (await identity.CreateProject(identity_pb2.CreateProjectRequest(parent=domain.name, project_id="p"))).project
    project.max_output_tokens = 7
    assert (await identity.UpdateProject(identity_pb2.UpdateProjectRequest(project=project))).project.max_output_tokens == 7
    asked = identity_pb2.CreatePrincipalRequest(parent=domain.name, principal_id="ana")
    principal = (await identity.CreatePrincipal(asked)).principal
    listed = await identity.ListPrincipals(identity_pb2.ListPrincipalsRequest(parent=domain.name))
    assert list(listed.principals) == [principal]
    made = await identity.CreateKey(identity_pb2.CreateKeyRequest(parent=project.name, key=identity_pb2.Key(principal=principal.name)))
    assert (await identity.GetKey(identity_pb2.GetKeyRequest(name=made.key.name))).key == made.key
    rotated = await identity.RotateKey(identity_pb2.RotateKeyRequest(name=made.key.name))
    assert rotated.secret != made.secret
    assert rotated.key.previous_expire_time.seconds - rotated.key.create_time.seconds in range(86399, 86500)
    keys = await identity.ListKeys(identity_pb2.ListKeysRequest(parent=f"{domain.name}/projects/-"))
    assert [key.name for key in keys.keys] == [made.key.name]
    principal.disabled = True
    assert (await identity.UpdatePrincipal(identity_pb2.UpdatePrincipalRequest(principal=principal))).principal.disabled
    assert (await failure(mesh.identity(rotated.secret).WhoAmI(identity_pb2.WhoAmIRequest())))[1] == "INVALID_CREDENTIAL"


async def test_budgets_and_limits_are_applied_with_everything_else_or_not_at_all(mesh: Mesh) -> None:
    rules = mesh.rules(mesh.keys["admin"].secret)
    ledger = ledger_pb2_grpc.LedgerServiceStub(mesh.hosted.application("policy", key=mesh.keys["admin"].secret))
    request = rules_pb2.ApplyPolicyRequest(parent="domains/platform", dry_run=True)
    request.domains.add(name="domains/house")
    request.projects.add(name="domains/house/projects/p")
    request.budgets.add(name="domains/house/projects/p/budget", amount=resources_pb2.Money(currency="USD", nanos=5_000_000_000))
    limit = request.limits.add(name="domains/house/limits/l", subject="domains/house", metric=ledger_pb2.LIMIT_METRIC_REQUESTS, amount=9)
    limit.window.seconds = 60
    budget = ledger_pb2.GetBudgetRequest(name="domains/house/projects/p/budget")

    assert {change.action for change in (await rules.ApplyPolicy(request)).changes} == {resources_pb2.CHANGE_ACTION_CREATE}
    assert (await failure(ledger.GetBudget(budget)))[1] == "NOT_FOUND"

    request.dry_run = False
    limit.amount = -1
    assert (await failure(rules.ApplyPolicy(request)))[1:] == ("INVALID_FIELD", "limits[0].amount")
    assert (await failure(ledger.GetBudget(budget)))[1] == "NOT_FOUND"
    assert (await failure(mesh.identity(mesh.keys["admin"].secret).GetDomain(identity_pb2.GetDomainRequest(name="domains/house"))))[
        1
    ] == "NOT_FOUND"

    limit.amount = 9
    assert (await rules.ApplyPolicy(request)).revision
    assert (await ledger.GetBudget(budget)).budget.amount.nanos == 5_000_000_000
    again = await rules.ApplyPolicy(request)
    assert ({change.action for change in again.changes}, again.revision) == ({resources_pb2.CHANGE_ACTION_NONE}, 0)

    stray = rules_pb2.ApplyPolicyRequest(parent="domains/platform")
    stray.budgets.add(name="domains/house/projects/none/budget").amount.nanos = 1
    assert (await failure(rules.ApplyPolicy(stray)))[1:] == ("INVALID_FIELD", "budgets[0].name")


async def test_changes_at_the_same_time_all_succeed(mesh: Mesh) -> None:
    identity = mesh.identity(mesh.keys["admin"].secret)
    asked = identity_pb2.CreateKeyRequest(parent="domains/claims/projects/triage")
    asked.key.principal = "domains/claims/principals/owner"
    made = await asyncio.gather(*(identity.CreateKey(asked) for _ in range(40)))
    assert len({each.key.name for each in made}) == 40
