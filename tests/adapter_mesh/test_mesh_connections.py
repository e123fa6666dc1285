"""The connection to another mesh: certificates, addresses, deadlines, cancellation, and a mesh that goes and comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from llm_mesh.gateway.v1 import gateway_pb2_grpc
from llm_mesh_adapter_mesh.provider.endpoints import configured
from llm_mesh_adapter_mesh.settings import Settings
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.secret import Secret
from tests.adapter_kit.certificates import authority, signed
from tests.adapter_mesh.other_mesh import OtherMesh, at, linked


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, a server's certificate, a client's; and a stranger's."""
    folder = tmp_path_factory.mktemp("certificates")
    ours, theirs = authority(folder, "ours"), authority(folder, "theirs")
    signed(folder, "server", ours, "mesh.hq.example")
    signed(folder, "client", ours, "claims.example")
    signed(folder, "stranger", theirs, "claims.example")
    return folder


@asynccontextmanager
async def secured(files: Path, port: int = 0) -> AsyncIterator[tuple[OtherMesh, int]]:
    """Another mesh that demands certificates of its clients."""
    other = OtherMesh()
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    gateway_pb2_grpc.add_GatewayServiceServicer_to_server(other, server)
    pair = (files / "server.pem").read_bytes()
    credentials = grpc.ssl_server_credentials([(pair, pair)], (files / "ours.pem").read_bytes(), require_client_auth=True)
    bound = server.add_secure_port(f"127.0.0.1:{port}", credentials)
    await server.start()
    try:
        yield other, bound
    finally:
        await server.stop(None)


def endpoint(files: Path, port: int, client: str = "client", **more: Any) -> dict[str, Any]:
    return {
        "base_url": f"https://127.0.0.1:{port}",
        "local": True,
        "server_name": "mesh.hq.example",
        "authorities": str(files / "ours.pem"),
        "client_certificate": str(files / f"{client}.pem"),
        **more,
    }


async def reason_of(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return from_rpc_error(raised.value).reason_name


async def test_a_client_certificate_opens_the_other_mesh_and_a_strangers_does_not(files: Path) -> None:
    async with secured(files) as (other, port):
        async with at(endpoint(files, port), other) as made:
            await made.stub.Generate(made.granted("Generate"), timeout=20)
            assert "authorization" not in other.metadata[-1]
        async with at(endpoint(files, port, "stranger"), other) as made:
            assert await reason_of(made.stub.Generate(made.granted("Generate"), timeout=20)) in {"PROVIDER_UNREACHABLE", "PROVIDER_RESET"}
        assert len(other.asked) == 1


async def test_a_server_of_another_name_gets_nothing(files: Path) -> None:
    async with secured(files) as (other, port), at(endpoint(files, port, server_name="mesh.evil.example"), other) as made:
        assert await reason_of(made.stub.Generate(made.granted("Generate"), timeout=20)) == "PROVIDER_UNREACHABLE"
        assert not other.asked


async def test_a_mesh_that_stops_and_comes_back_answers_again(files: Path) -> None:
    async with secured(files) as (other, port), at(endpoint(files, port), other) as made:
        await made.stub.Generate(made.granted("Generate"), timeout=20)
        restarted = port
    async with at(endpoint(files, restarted), OtherMesh()) as made:
        assert await reason_of(made.stub.Generate(made.granted("Generate"), timeout=20)) == "PROVIDER_UNREACHABLE"
        async with secured(files, restarted) as (other, _):
            async with asyncio.timeout(20):
                while not other.asked:
                    try:
                        await made.stub.Generate(made.granted("Generate"), timeout=20)
                    except grpc.aio.AioRpcError as error:
                        assert from_rpc_error(error).reason_name in {"PROVIDER_UNREACHABLE", "BREAKER_OPEN"}  # noqa: PT017


async def test_addresses_are_checked_before_anything_is_dialled() -> None:
    other = OtherMesh()
    async with at({"base_url": "https://127.0.0.1:1", "credential": "key"}, other) as made:
        assert await reason_of(made.stub.Generate(made.granted("Generate"), timeout=20)) == "ADDRESS_NOT_ALLOWED"


@pytest.mark.parametrize("rpc", ["Generate", "GenerateStream"])
async def test_a_caller_who_leaves_cancels_the_call_there(rpc: str) -> None:
    async with linked(OtherMesh(silent=asyncio.Event())) as made:
        call = getattr(made.stub, rpc)(made.granted(rpc), timeout=20)
        waiting = asyncio.ensure_future(call if rpc == "Generate" else _read(call))
        await made.other.begun.wait()
        call.cancel()
        async with asyncio.timeout(5):
            await made.other.cancelled.wait()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def _read(call: Any) -> None:
    async for _ in call:
        pass


async def test_limits_of_the_attempt_end_it() -> None:
    async with linked(OtherMesh(silent=asyncio.Event())) as made:
        request = made.granted("Generate")
        request.attempt.limits.total.FromMilliseconds(50)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await made.stub.Generate(request, timeout=20)
        failure = from_rpc_error(raised.value)
        assert (failure.reason_name, failure.metadata["phase"]) == ("PROVIDER_TIMEOUT", "total")
        assert made.other.remaining[-1] <= 0.05


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ({"base_url": "https://hq.example:50051"}, "credential"),
        ({"base_url": "https://hq.example/v1", "credential": "key"}, "base_url"),
        ({"base_url": "https://hq.example", "credential": "none"}, "credential"),
        ({"base_url": "https://hq.example", "credential": "key", "proxy": "http://p:1"}, "proxy"),
        ({"base_url": "https://hq.example", "credential": "key", "http2": True}, "http2"),
        ({"base_url": "https://hq.example", "credential": "key", "typo": 1}, "typo"),
        ({"base_url": "http://hq.example", "credential": "key"}, "base_url"),
        ({"credential": "key"}, "base_url"),
    ],
)
def test_a_wrong_setting_names_its_key(setting: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        configured(Settings(endpoints={"hq": json.dumps(setting)}, credentials={"key": Secret("mk_x")}))
