"""Adapters share one contract: at the public listener of an embedded mesh the caller names the one that is meant."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2, adapter_pb2_grpc
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.testing import HostedMesh, NoSettings, host


class Adapter(adapter_pb2_grpc.AdapterServiceServicer):
    def __init__(self, name: str) -> None:
        self.name = name

    async def ListEndpoints(self, request: adapter_pb2.ListEndpointsRequest, context: object) -> adapter_pb2.ListEndpointsResponse:
        return adapter_pb2.ListEndpointsResponse(endpoints=[adapter_pb2.Endpoint(name=self.name)])


def adapter(name: str) -> Service:
    registration = (adapter_pb2_grpc.add_AdapterServiceServicer_to_server, Adapter(name))
    return Service(
        f"adapter/{name}", ("llm_mesh.adapter.v1.AdapterService",), NoSettings, lambda _settings, _links: Servicers(registration)
    )


@pytest.fixture
async def mesh() -> AsyncIterator[HostedMesh]:
    async with host(adapter("one"), adapter("two")) as hosted:
        yield hosted


def stub(mesh: HostedMesh, *metadata: tuple[str, str], key: str = "mk_ana") -> adapter_pb2_grpc.AdapterServiceStub:
    return adapter_pb2_grpc.AdapterServiceStub(mesh.application("adapter/one", key=key, metadata=metadata))


@pytest.mark.parametrize("name", ["one", "two"])
async def test_the_named_adapter_answers(mesh: HostedMesh, name: str) -> None:
    answer = await stub(mesh, ("x-llm-mesh-adapter", name)).ListEndpoints(adapter_pb2.ListEndpointsRequest())
    assert [endpoint.name for endpoint in answer.endpoints] == [name]


@pytest.mark.parametrize("metadata", [(), (("x-llm-mesh-adapter", "three"),)])
async def test_who_names_none_is_told_which_there_are(mesh: HostedMesh, metadata: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub(mesh, *metadata).ListEndpoints(adapter_pb2.ListEndpointsRequest())
    error = from_rpc_error(refused.value)
    assert (error.reason_name, error.field) == ("INVALID_FIELD", "x-llm-mesh-adapter")
    assert "one, two" in error.message


async def test_naming_an_adapter_needs_a_credential_all_the_same(mesh: HostedMesh) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub(mesh, ("x-llm-mesh-adapter", "one"), key="").ListEndpoints(adapter_pb2.ListEndpointsRequest())
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_methods_of_the_mesh_stay_absent(mesh: HostedMesh) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub(mesh, ("x-llm-mesh-adapter", "one")).Generate(adapter_pb2.GenerateRequest())
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_the_only_adapter_need_not_be_named() -> None:
    async with host(adapter("one")) as mesh:
        answer = await stub(mesh).ListEndpoints(adapter_pb2.ListEndpointsRequest())
        assert [endpoint.name for endpoint in answer.endpoints] == ["one"]


@pytest.mark.parametrize("metadata", [(), (("x-llm-mesh-adapter", "three"),)])
async def test_a_stranger_is_not_told_which_adapters_there_are(mesh: HostedMesh, metadata: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub(mesh, *metadata, key="").ListEndpoints(adapter_pb2.ListEndpointsRequest())
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert from_rpc_error(refused.value).reason_name == "MISSING_CREDENTIAL"
