"""Providers over gRPC with TLS: own authorities, certificates of clients, and servers that are not who they should be."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from llm_mesh_adapter_kit.addresses import AddressRule
from llm_mesh_adapter_kit.http import BrokenError, HttpRequest, UnreachableError
from llm_mesh_adapter_kit.rpc.client import RpcClient
from llm_mesh_adapter_kit.rpc.framing import framed
from llm_mesh_adapter_kit.rpc.settings import rpc_transport
from llm_mesh_adapter_kit.transport.settings import TransportSettings
from tests.adapter_kit.certificates import authority, signed

PATH = "/engine.Engine/Generate"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two authorities; servers and clients of the first, and a client of the second."""
    folder = tmp_path_factory.mktemp("certificates")
    ours, theirs = authority(folder, "ours"), authority(folder, "theirs")
    signed(folder, "server", ours, "localhost")
    signed(folder, "misnamed", ours, "other.example")
    signed(folder, "client", ours, "claims.example")
    signed(folder, "stranger", theirs, "claims.example")
    return folder


@asynccontextmanager
async def secured(files: Path, name: str = "server", *, clients: bool = False) -> AsyncIterator[str]:
    """The origin of a server that says who called it. `clients`: they must have certificates."""

    async def answer(request: bytes, context: Any) -> AsyncIterator[bytes]:
        names = context.auth_context().get("x509_common_name", [b"nobody"])
        yield request + b" by " + names[0]

    server = grpc.aio.server()
    handlers: dict[str, Any] = {"Generate": grpc.unary_stream_rpc_method_handler(answer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("engine.Engine", handlers),))
    pair = (files / f"{name}.pem").read_bytes()
    root = (files / "ours.pem").read_bytes() if clients else None
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(pair, pair)], root, require_client_auth=clients))
    await server.start()
    try:
        yield f"https://localhost:{port}"
    finally:
        await server.stop(None)


async def answer_of(origin: str, **settings: str) -> bytes:
    transport = rpc_transport(TransportSettings(**settings))  # type: ignore[arg-type]
    client = RpcClient(origin, AddressRule(local=True), transport, lambda _path, _message: None)
    try:
        request = HttpRequest(origin + PATH, {}, framed(b"asked"), connect_timeout=5.0, deadline=time.monotonic() + 20)
        return await (await client.send(request)).read(time.monotonic() + 20)
    finally:
        await client.close()


async def test_a_server_of_the_named_authority_answers(files: Path) -> None:
    async with secured(files) as origin:
        assert await answer_of(origin, authorities=str(files / "ours.pem")) == framed(b"asked by nobody")


@pytest.mark.parametrize("authorities", ["theirs.pem", ""])
async def test_a_server_of_another_authority_gets_nothing(files: Path, authorities: str) -> None:
    async with secured(files) as origin:
        with pytest.raises(UnreachableError):
            await answer_of(origin, **({"authorities": str(files / authorities)} if authorities else {}))


async def test_a_server_with_a_certificate_of_another_name_gets_nothing(files: Path) -> None:
    async with secured(files, "misnamed") as origin:
        with pytest.raises(UnreachableError):
            await answer_of(origin, authorities=str(files / "ours.pem"))


@pytest.mark.parametrize("key", [{}, {"client_key": "client.key"}])
async def test_a_client_proves_who_it_is(files: Path, key: dict[str, str]) -> None:
    more = {name: str(files / path) for name, path in key.items()}
    async with secured(files, clients=True) as origin:
        answer = await answer_of(origin, authorities=str(files / "ours.pem"), client_certificate=str(files / "client.pem"), **more)
    assert answer == framed(b"asked by client")


@pytest.mark.parametrize("certificate", ["", "stranger.pem"])
async def test_a_client_that_cannot_prove_who_it_is_is_not_answered(files: Path, certificate: str) -> None:
    more = {"client_certificate": str(files / certificate)} if certificate else {}
    async with secured(files, clients=True) as origin:
        with pytest.raises((UnreachableError, BrokenError)):
            await answer_of(origin, authorities=str(files / "ours.pem"), **more)


async def test_a_file_that_is_not_there_is_named_by_what_is_wrong(files: Path) -> None:
    async with secured(files) as origin:
        with pytest.raises(UnreachableError, match="a file of its certificates cannot be read"):
            await answer_of(origin, authorities=str(files / "absent.pem"))
