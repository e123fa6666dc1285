"""Every RPC of every contract refuses whom it must: PUBLIC ones bad credentials, MESH ones every key."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from llm_mesh.policy.v1 import identity_pb2, rules_pb2
from llm_mesh.policy.v1.identity_pb2_grpc import IdentityServiceStub
from llm_mesh.policy.v1.rules_pb2_grpc import RuleServiceStub
from llm_mesh_runtime.testing import HostedMesh
from tests.proofs.every_rpc import Rpc, every_rpc
from tests.proofs.refusals import Refusal, refusal, refused
from tests.proofs.separately import separate
from tests.proofs.stand import PATIENCE, PROJECT, Stand, bearer, provider, stand

RPCS = every_rpc()
PUBLIC = [rpc for rpc in RPCS if rpc.public]
MESH = [rpc for rpc in RPCS if not rpc.public]
FOREIGN = "domains/foreign"


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """An embedded mesh with a second domain, whose administrator is the foreigner."""
    folder: Path = tmp_path_factory.mktemp("rpcs")
    with provider(folder) as simulator, stand(folder, simulator) as made:
        made.apply_policy(**foreign_domain())
        yield made


def foreign_domain() -> dict[str, Any]:
    """Another domain, and who rules it."""
    ruler = f"{FOREIGN}/principals/ruler"
    return {
        "domains": [identity_pb2.Domain(name=FOREIGN)],
        "projects": [identity_pb2.Project(name=f"{FOREIGN}/projects/theirs")],
        "principals": [identity_pb2.Principal(name=ruler)],
        "bindings": [rules_pb2.Binding(name=f"{FOREIGN}/bindings/ruler", principal=ruler, role="roles/domain-admin")],
    }


@pytest.fixture(scope="module")
def foreign(mesh: Stand) -> str:
    """The key of another domain's administrator."""
    return mesh.new_key(f"{FOREIGN}/projects/theirs", f"{FOREIGN}/principals/ruler").secret


@pytest.fixture(scope="module")
def revoked(mesh: Stand) -> str:
    """An administrator's key that was valid a moment ago."""
    made = mesh.new_key("domains/platform/projects/admin", "domains/platform/principals/admin")
    stub: Any = IdentityServiceStub(mesh.channel)
    assert stub.WhoAmI(identity_pb2.WhoAmIRequest(), metadata=bearer(made.secret)).caller.principal == made.key.principal
    mesh.revoke(made.key)
    return made.secret


def unauthenticated(told: Refusal) -> bool:
    return told.code is grpc.StatusCode.UNAUTHENTICATED and told.reasons == 1


def garbled(key: str) -> list[tuple[tuple[str, str], ...]]:
    """The key of an administrator, damaged in every way that a client may think of; and a key as another mesh makes them."""
    last = "0" if key[-1] != "0" else "1"
    another = f"mk_{'q' * 16}_{'z' * 43}"
    basic = base64.b64encode(f"{key}:".encode()).decode()
    return [
        *(bearer(text) for text in (key[:-1] + last, key[:-1], key + "0", key.upper(), key.replace("_", "-"), another, "mk_", "x" * 5000)),
        (("authorization", ""),),
        (("authorization", "Bearer"),),
        (("authorization", key),),
        (("authorization", f"Basic {basic}"),),
    ]


def test_there_are_contracts_of_both_levels() -> None:
    assert len(PUBLIC) > 60
    assert {rpc.path.rpartition("/")[2] for rpc in MESH} > {"Admit", "Reserve", "Settle", "Release", "Plan", "Ingest", "Generate"}


@pytest.mark.parametrize("rpc", PUBLIC, ids=lambda rpc: rpc.path)
def test_a_public_rpc_refuses_a_missing_a_garbled_a_revoked_and_a_foreign_credential(
    mesh: Stand, foreign: str, revoked: str, rpc: Rpc
) -> None:
    assert unauthenticated(refused(lambda: rpc.call(mesh.channel, ())))
    damaged = garbled(mesh.mesh.admin_key)
    for metadata in [*random.Random(rpc.path).sample(damaged, 3), bearer(revoked)]:  # noqa: S311 (three of them suffice for each)
        told = refused(lambda metadata=metadata: rpc.call(mesh.channel, metadata))  # type: ignore[misc]  # the usual default binds it
        assert unauthenticated(told), (metadata, told)
    if rpc.of_a_domain:
        told = refused(lambda: rpc.call(mesh.channel, bearer(foreign)))
        assert told.code in {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.NOT_FOUND}, told
    else:
        told = refused(lambda: rpc.call(mesh.channel, (*bearer(foreign), ("x-llm-mesh-project", PROJECT))))
        assert told.code in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNAUTHENTICATED}, told


def test_every_damage_to_a_key_is_refused(mesh: Stand) -> None:
    (who,) = [rpc for rpc in PUBLIC if rpc.path.endswith("/WhoAmI")]
    for metadata in garbled(mesh.mesh.admin_key):
        assert unauthenticated(refused(lambda metadata=metadata: who.call(mesh.channel, metadata))), metadata  # type: ignore[misc]


@pytest.mark.parametrize("rpc", MESH, ids=lambda rpc: rpc.path)
def test_a_mesh_rpc_is_absent_from_the_public_listener(mesh: Stand, rpc: Rpc) -> None:
    for metadata in ((), mesh.user, mesh.admin, (("llm-mesh-caller", "gateway"), *mesh.admin)):
        told = refused(lambda metadata=metadata: rpc.call(mesh.channel, metadata))  # type: ignore[misc]
        assert told.code is grpc.StatusCode.UNIMPLEMENTED, told


async def test_a_service_alone_refuses_every_key_at_its_mesh_listener_and_has_no_mesh_rpc_at_its_public_one(tmp_path: Path) -> None:
    async with separate(tmp_path) as (alone, admin):
        for rpc in MESH:
            told = await awaited(rpc, alone.channel(rpc.service), bearer(admin))
            assert (told.code, told.reason) == (grpc.StatusCode.PERMISSION_DENIED, "MESH_ONLY"), (rpc.path, told)
            told = await awaited(rpc, alone.application(rpc.service, key=admin))
            assert told.code is grpc.StatusCode.UNIMPLEMENTED, (rpc.path, told)


async def test_a_service_alone_refuses_bad_credentials_at_its_public_listener(tmp_path: Path) -> None:
    async with separate(tmp_path) as (alone, admin):
        stranger = await foreigner(alone, admin)
        for rpc in PUBLIC:
            assert unauthenticated(await awaited(rpc, alone.application(rpc.service))), rpc.path
            assert unauthenticated(await awaited(rpc, alone.application(rpc.service, key=admin[:-1]))), rpc.path
            if rpc.of_a_domain:
                told = await awaited(rpc, alone.application(rpc.service, key=stranger))
                assert told.code in {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.NOT_FOUND}, (rpc.path, told)


async def foreigner(alone: HostedMesh, admin: str) -> str:
    """The key of another domain's administrator."""
    channel = alone.application("policy", key=admin)
    await RuleServiceStub(channel).ApplyPolicy(rules_pb2.ApplyPolicyRequest(parent="domains/platform", **foreign_domain()))
    wanted = identity_pb2.Key(principal=f"{FOREIGN}/principals/ruler")
    made = await IdentityServiceStub(channel).CreateKey(identity_pb2.CreateKeyRequest(parent=f"{FOREIGN}/projects/theirs", key=wanted))
    return made.secret


async def awaited(rpc: Rpc, channel: Any, metadata: tuple[tuple[str, str], ...] = ()) -> Refusal:
    """The refusal of a call of asyncio, once its service can be reached: they start one after the other."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    told = await _told(rpc, channel, metadata)
    while told.code is grpc.StatusCode.UNAVAILABLE and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.05)
        told = await _told(rpc, channel, metadata)
    return told


async def _told(rpc: Rpc, channel: Any, metadata: tuple[tuple[str, str], ...]) -> Refusal:
    call = rpc.call(channel, metadata)
    try:
        answer: Any = [message async for message in call] if rpc.server_streams else await call
    except grpc.aio.AioRpcError as error:
        return refusal(error)
    finally:
        call.cancel()
    raise AssertionError(f"{rpc.path} answered: {answer}")
