"""One address leads to the whole mesh, and whatever a caller claims there, it opens nothing that is not public."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.gateway.v1.gateway_pb2_grpc import GatewayServiceStub
from llm_mesh.policy.v1 import identity_pb2
from llm_mesh.policy.v1.identity_pb2_grpc import IdentityServiceStub
from tests.proofs.every_rpc import Rpc, every_rpc
from tests.proofs.refusals import refusal, refused
from tests.proofs.stand import Stand, bearer, provider, stand

RPCS = every_rpc()
PUBLIC = [rpc for rpc in RPCS if rpc.public]
MESH = [rpc for rpc in RPCS if not rpc.public]
CLAIMS = (
    ("llm-mesh-caller", "gateway"),
    ("llm-mesh-service-token", "gateway:policy:1:00"),
    ("x-llm-mesh-adapter", "openai"),
)
CODES = grpc.StatusCode


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder: Path = tmp_path_factory.mktemp("one-address")
    with provider(folder) as simulator, stand(folder, simulator) as made:
        yield made


@pytest.fixture(scope="module")
def address(mesh: Stand) -> Iterator[Any]:
    """The one address: the public listener of the gateway, whatever runs where."""
    with grpc.insecure_channel(mesh.mesh.grpc) as channel:
        yield channel


def test_no_method_for_services_is_there(mesh: Stand, address: Any) -> None:
    there = []
    for rpc in MESH:
        for metadata in ((), mesh.user, mesh.admin, (*CLAIMS, *mesh.admin), CLAIMS):
            told = refused(lambda rpc=rpc, metadata=metadata: rpc.call(address, metadata))  # type: ignore[misc]  # the usual default binds it
            if told.code is not CODES.UNIMPLEMENTED:
                there.append((rpc.path, told))
    assert there == []


def test_every_public_method_is_there_and_asks_for_a_credential(mesh: Stand, address: Any) -> None:
    odd = []
    for rpc in PUBLIC:
        for metadata in ((), CLAIMS, bearer("mk_" + "q" * 16 + "_" + "z" * 43), (("authorization", mesh.mesh.admin_key),)):
            told = refused(lambda rpc=rpc, metadata=metadata: rpc.call(address, metadata))  # type: ignore[misc]  # see above
            if told.code is not CODES.UNAUTHENTICATED:
                odd.append((rpc.path, metadata[:1], told))
    assert odd == []


def test_what_an_application_may_not_do_it_may_not_do_there(mesh: Stand, address: Any) -> None:
    """The answer to each method is the one that the service itself gives, claims or none."""

    def outcome(rpc: Rpc, channel: Any, metadata: tuple[tuple[str, str], ...]) -> tuple[str, str, str]:
        try:
            answer = rpc.call(channel, metadata)
            if rpc.server_streams:
                next(answer)
        except grpc.RpcError as error:
            told = refusal(error)
            return str(told.code), told.reason, told.domain
        return "OK", "", ""

    asked = [rpc for rpc in PUBLIC if rpc.service != "gateway"]
    differing = {
        rpc.path: told
        for rpc in asked
        if len(
            told := {outcome(rpc, mesh.channel, mesh.user), outcome(rpc, address, mesh.user), outcome(rpc, address, (*CLAIMS, *mesh.user))}
        )
        > 1
    }
    assert differing == {}


def test_a_revoked_key_is_of_no_use_there(mesh: Stand, address: Any) -> None:
    made = mesh.new_key("domains/platform/projects/admin", "domains/platform/principals/admin")
    stub: Any = IdentityServiceStub(address)
    assert stub.WhoAmI(identity_pb2.WhoAmIRequest(), metadata=bearer(made.secret)).caller.key == made.key.name
    mesh.revoke(made.key)
    told = refused(lambda: stub.WhoAmI(identity_pb2.WhoAmIRequest(), metadata=bearer(made.secret)))
    assert told.code is CODES.UNAUTHENTICATED


def test_only_who_administers_the_platform_learns_which_services_there_are(mesh: Stand, address: Any) -> None:
    stub: Any = GatewayServiceStub(address)
    request = gateway_pb2.CheckServicesRequest()
    services = {each.service: each.state for each in stub.CheckServices(request, metadata=mesh.admin).services}
    assert services.keys() >= {"gateway", "policy", "router", "adapter/openai", "adapter/anthropic"}
    assert set(services.values()) == {gateway_pb2.SERVICE_STATE_SERVING}
    assert refused(lambda: stub.CheckServices(request, metadata=mesh.user)).code is CODES.PERMISSION_DENIED
