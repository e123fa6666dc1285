"""Servers prove who they are before anything is sent to them."""

from __future__ import annotations

import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llm_mesh_adapter_kit.http import HttpRequest, UnreachableError
from tests.adapter_kit.scripted_provider import Kind, Provider, Visit, chunked, provider, whole

BODY = b"x" * 300_000


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of `localhost` that nobody has signed, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=provider", "-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


@contextlib.asynccontextmanager
async def secured(certificate: Path, names: list[str | None]) -> AsyncIterator[tuple[Provider, int]]:
    """A server that notes under which name it was asked."""

    async def handle(visit: Visit) -> None:
        while await visit.request():
            await visit.say(chunked([BODY]))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    async with provider(handle, context=context) as served:
        yield served


async def test_a_server_that_is_trusted_serves_again_and_again(kind: Kind, certificate: Path) -> None:
    names: list[str | None] = []
    async with secured(certificate, names) as (seen, port):
        client = kind.client(f"https://localhost:{port}", certificate / "cert.pem")
        for _ in range(3):
            assert await whole(client, HttpRequest(f"https://localhost:{port}/v1", {}, b"y" * 200_000)) == BODY
        assert len(seen.visits) == 1
        assert seen.visits[0].writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
        await client.close()
    assert names == ["localhost"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_server_that_cannot_prove_who_it_is_gets_nothing(kind: Kind, certificate: Path, host: str) -> None:
    """Its certificate is signed by nobody, or is that of another name."""
    async with secured(certificate, []) as (seen, port):
        client = kind.client(f"https://{host}:{port}", None if host == "localhost" else certificate / "cert.pem")
        with pytest.raises(UnreachableError, match=r"TLS failed: .*certificate verify failed"):
            await client.send(HttpRequest(f"https://{host}:{port}/v1", {"authorization": "Bearer secret"}))
        await client.close()
        assert seen.requests == []


async def test_a_server_that_speaks_no_tls_is_unreachable(kind: Kind) -> None:
    async def handle(visit: Visit) -> None:
        await visit.reader.read(10)
        await visit.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with provider(handle) as (_, port):
        client = kind.client(f"https://localhost:{port}")
        with pytest.raises(UnreachableError, match="TLS failed"):
            await client.send(HttpRequest(f"https://localhost:{port}/v1", {}))
        await client.close()
