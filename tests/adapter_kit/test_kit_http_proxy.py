"""A proxy, own authorities and a certificate of ours: by setting, per endpoint, and without weakening what is checked."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llm_mesh_adapter_kit.addresses import AddressRule
from llm_mesh_adapter_kit.aiohttp_client.client import LibraryClient
from llm_mesh_adapter_kit.client.pool import tls_context
from llm_mesh_adapter_kit.connecting import AIOHTTP, Connecting
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.http import BrokenError, ForbiddenError, HttpRequest, UnreachableError
from llm_mesh_runtime.secret import Secret
from tests.adapter_kit.scripted_provider import MakeClient, Provider, Visit, provider, sized, whole
from tests.adapter_kit.test_kit_http_tls import certificate

__all__ = ("certificate",)
USER = Secret("mesh:proxy-password")


@contextlib.asynccontextmanager
async def secured(folder: Path, *, asks: bool = False) -> AsyncIterator[tuple[Provider, int]]:
    """A server with TLS that notes what it was sent; `asks`: it wants a certificate of the client."""

    async def handle(visit: Visit) -> None:
        while request := await visit.request():
            seen.requests.append(request)
            await visit.say(sized(b"ok"))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    if asks:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "cert.pem")
    async with provider(handle, context=context) as (seen, port):
        yield seen, port


async def tunnel(visit: Visit, requests: list[bytes], answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> None:
    """What a proxy does with CONNECT."""
    head = await visit.reader.readuntil(b"\r\n\r\n")
    requests.append(head)
    await visit.say(answer)
    if not answer.startswith(b"HTTP/1.1 200"):
        return
    port = int(head.split(b" ")[1].rpartition(b":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.TaskGroup() as both:
        both.create_task(_copy(visit.reader, writer))
        both.create_task(_copy(reader, visit.writer))
    visit.left.set()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65536):
            target.write(data)
    target.close()


async def test_all_goes_through_the_proxy_and_the_provider_proves_itself(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[bytes] = []
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    async with secured(certificate) as (seen, port), provider(lambda visit: tunnel(visit, requests)) as (proxied, proxy):
        connecting = Connecting(client=AIOHTTP, proxy=f"http://127.0.0.1:{proxy}", proxy_credential=USER, ca=str(certificate / "cert.pem"))
        origin = f"https://localhost:{port}"
        client = LibraryClient(origin, AddressRule(local=False), connecting.tls(tls_context), connecting)
        for _ in range(2):
            assert await whole(client, HttpRequest(f"{origin}/v1", {"authorization": "Bearer secret"}, b"{}")) == b"ok"
        await client.close()
        stranger = LibraryClient(origin, AddressRule(local=False), tls_context, connecting)
        with pytest.raises(UnreachableError, match="TLS failed"):
            await stranger.send(HttpRequest(f"{origin}/v1", {"authorization": "Bearer secret"}, b"{}"))
        await stranger.close()
        for visit in proxied.visits:
            await visit.left.wait()
    assert len(requests) == 2, "a tunnel serves again"
    basic = base64.b64encode(USER.reveal().encode())
    assert all(b"proxy-authorization: basic " + basic.lower() in head.lower() for head in requests)
    assert not any(b"secret" in head for head in requests)
    assert len(seen.requests) == 2
    assert not any(b"proxy-authorization" in request.lower() for request in seen.requests)


async def test_an_address_that_is_not_allowed_is_not_asked_of_the_proxy() -> None:
    requests: list[bytes] = []
    async with provider(lambda visit: tunnel(visit, requests)) as (_, proxy):
        connecting = Connecting(client=AIOHTTP, proxy=f"http://127.0.0.1:{proxy}")
        client = LibraryClient("https://10.0.0.1", AddressRule(local=False), tls_context, connecting)
        with pytest.raises(ForbiddenError):
            await client.send(HttpRequest("https://10.0.0.1/v1", {}))
        await client.close()
    assert requests == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(b"HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n", UnreachableError), (b"SSH-2.0\r\n\r\n", (UnreachableError, BrokenError))],
)
async def test_a_proxy_that_refuses_is_a_typed_failure(answer: bytes, expected: type[Exception]) -> None:
    async with provider(lambda visit: tunnel(visit, [], answer)) as (_, proxy):
        connecting = Connecting(client=AIOHTTP, proxy=f"http://127.0.0.1:{proxy}", proxy_credential=USER)
        client = LibraryClient("https://provider.test", AddressRule(local=False), tls_context, connecting)
        with pytest.raises(expected):
            await client.send(HttpRequest("https://provider.test/v1", {}))
        await client.close()


async def test_a_certificate_of_ours_is_shown_where_it_is_set(make_client: MakeClient, certificate: Path) -> None:
    ca = str(certificate / "cert.pem")
    async with secured(certificate, asks=True) as (seen, port):
        origin = f"https://localhost:{port}"
        for connecting in (Connecting(ca=ca, client_certificate=ca, client_key=str(certificate / "key.pem")), Connecting(ca=ca)):
            client = make_client(origin, AddressRule(local=True), connecting.tls(tls_context))
            if connecting.client_certificate:
                assert await whole(client, HttpRequest(f"{origin}/v1", {}, b"{}")) == b"ok"
            else:
                with pytest.raises((UnreachableError, BrokenError)):
                    await client.send(HttpRequest(f"{origin}/v1", {}, b"{}"))
            await client.close()
        assert len(seen.requests) == 1


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("client", {"client": "curl"}),
        ("proxy", {"proxy": "http://p:1"}),
        ("proxy", {"client": AIOHTTP, "proxy": "socks5://p:1"}),
        ("proxy", {"client": AIOHTTP, "proxy": "http://u:p@p:1"}),
        ("proxy_credential", {"proxy_credential": Secret("a:b")}),
        ("proxy_credential", {"client": AIOHTTP, "proxy": "http://p:1", "proxy_credential": Secret("password")}),
        ("client_key", {"client_key": "/x"}),
    ],
)
def test_a_setting_that_is_wrong_is_named(key: str, values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"^{key}: expected"):
        Connecting(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["ca", "client_certificate"])
def test_a_file_that_is_not_there_is_named_at_the_start(key: str) -> None:
    with pytest.raises(ValueError, match=f"^{key}: the file cannot be read"):
        Connecting(**{key: "/nowhere.pem"}).tls(tls_context)  # type: ignore[arg-type]


def test_plain_http_is_refused_where_something_of_tls_is_set_and_the_password_is_taken_out() -> None:
    connecting = Connecting(client=AIOHTTP, proxy="http://p:1", proxy_credential=USER)
    with pytest.raises(ValueError, match="base_url must be https where"):
        Endpoint(name="e", provider="E", base_url="http://127.0.0.1", local=True, connecting=connecting)
    endpoint = Endpoint(name="e", provider="E", base_url="https://e.example", connecting=connecting)
    assert endpoint.redaction.bytes_of(b"said proxy-password") == b"said ***"
