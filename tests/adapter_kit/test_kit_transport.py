"""What only the client over a library has: proxies, client certificates, own authorities, and what it must not give away."""

from __future__ import annotations

import asyncio
import base64
import logging
import ssl
import time
from pathlib import Path

import pytest

from llm_mesh_adapter_kit.addresses import AddressRule
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.http import BrokenError, ForbiddenError, HttpRequest, UnreachableError
from llm_mesh_adapter_kit.transport import settings
from llm_mesh_adapter_kit.transport.settings import TransportSettings
from llm_mesh_runtime.secret import Secret
from tests.adapter_kit.certificates import authority, signed
from tests.adapter_kit.http2_provider import OK, Http2Visit, http2_provider
from tests.adapter_kit.scripted_provider import Kind, Visit, answering, asking, provider, sized, whole
from tests.adapter_kit.tunnel_proxy import tunnel_proxy

LIBRARY = Kind("library")
ALLOWED = AddressRule(local=False, extra=["127.0.0.0/8"])
KEY = {"authorization": "Bearer sk-a-key-that-nobody-sees"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`ours.pem` and `other.pem`, two authorities; `server.pem` and `mesh.pem`, signed by the first, `stranger.pem` by the other."""
    folder = tmp_path_factory.mktemp("authorities")
    ours, other = authority(folder, "ours"), authority(folder, "other")
    signed(folder, "server", ours)
    signed(folder, "mesh", ours, "mesh.test")
    signed(folder, "stranger", other)
    return folder


async def handle_http2(visit: Http2Visit) -> None:
    while stream := await visit.request():
        visit.answer(stream, b"over HTTP/2")


def to(port: int, method: str = "POST", host: str = "localhost", *, limit: float = 20.0) -> HttpRequest:
    body = b"{}" if method == "POST" else b""
    return HttpRequest(f"https://{host}:{port}/v1/x", KEY, body, method, deadline=time.monotonic() + limit)


# Proxies.


@pytest.mark.parametrize("http2", [False, True])
async def test_requests_go_through_a_tunnel_that_the_proxy_cannot_look_into(files: Path, http2: bool) -> None:  # noqa: FBT001
    proxy_credential = Secret("mesh:a-password")
    async with http2_provider(handle_http2, files / "server.pem") as (_, newer), tunnel_proxy() as (proxy, address):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files / "server.pem")
        async with provider(answering(sized(b"1"), sized(b"2")), context=context) as (_, older):
            port = newer if http2 else older
            client = LIBRARY.client(
                f"https://localhost:{port}", files / "ours.pem", ALLOWED, proxy=address, proxy_credential=proxy_credential, http2=http2
            )
            answers = [await whole(client, to(port)) for _ in range(2)]
            await client.close()
    assert answers == ([b"over HTTP/2"] * 2 if http2 else [b"1", b"2"])
    assert len(proxy.heads) == 1, "a tunnel serves again"
    assert proxy.heads[0].startswith(b"CONNECT localhost:%d HTTP/1.1\r\n" % port)
    assert b"Basic " + base64.b64encode(b"mesh:a-password") in proxy.heads[0]
    assert b"sk-a-key" not in proxy.heads[0]


async def test_a_proxy_resolves_the_name_and_its_own_address_is_the_one_that_must_be_allowed(files: Path) -> None:
    async with http2_provider(handle_http2, files / "server.pem") as (_, port), tunnel_proxy() as (proxy, address):
        refused = LIBRARY.client(f"https://localhost:{port}", files / "ours.pem", AddressRule(local=False), proxy=address)
        with pytest.raises(ForbiddenError, match=r"127\.0\.0\.1"):
            await refused.send(to(port))
        await refused.close()
        assert proxy.heads == []


@pytest.mark.parametrize("host", ["169.254.169.254", "0xa9fea9fe", "2852039166", "[fe80::1]", "10.0.0.1"])
async def test_an_address_that_is_not_allowed_is_not_reached_through_a_proxy_either(host: str) -> None:
    async with tunnel_proxy() as (proxy, address):
        client = LIBRARY.client(f"http://{host}", rule=ALLOWED, proxy=address)
        with pytest.raises(ForbiddenError):
            await client.send(HttpRequest(f"http://{host}/latest/meta-data", {}, method="GET"))
        await client.close()
        assert proxy.heads == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n", "it answered 407"),
        (b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", "it answered 302"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "gave no tunnel"),
        (b"HTTP/1.1 200 OK\r\n\r\nno TLS", "TLS failed"),
        (b"HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n" * 10_000, "gave no tunnel"),
    ],
)
async def test_a_proxy_that_gives_no_tunnel_gets_nothing(answer: bytes, why: str) -> None:
    async with tunnel_proxy(answer) as (_, address):
        client = LIBRARY.client("https://localhost:1", rule=ALLOWED, proxy=address)
        with pytest.raises(UnreachableError, match=why):
            await client.send(to(1))
        await client.close()


# Authorities and client certificates.


async def mutual(files: Path, **transport: object) -> bytes | str:
    """What a server answers that wants a certificate of the authority `ours`; or why there was no answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files / "server.pem")
    context.load_verify_locations(files / "ours.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    async with provider(answering(sized(b"welcome")), context=context) as (seen, port):
        client = LIBRARY.client(f"https://localhost:{port}", **transport)  # type: ignore[arg-type]
        try:
            return await whole(client, to(port))
        except (UnreachableError, BrokenError) as error:
            assert seen.requests == []
            return str(error)
        finally:
            await client.close()


async def test_a_client_certificate_of_the_right_authority_opens_the_door(files: Path) -> None:
    ours = files / "ours.pem"
    assert await mutual(files, authorities=ours, client_certificate=str(files / "mesh.pem")) == b"welcome"
    key = str(files / "mesh.key")
    assert await mutual(files, authorities=ours, client_certificate=str(files / "mesh.crt"), client_key=key) == b"welcome"


async def test_no_certificate_or_a_strangers_gets_nothing(files: Path) -> None:
    for transport in ({}, {"client_certificate": str(files / "stranger.pem")}):
        assert isinstance(await mutual(files, authorities=files / "ours.pem", **transport), str)


async def test_only_the_own_authorities_are_trusted(files: Path) -> None:
    assert "certificate verify failed" in str(await mutual(files, authorities=files / "other.pem"))
    assert "certificate verify failed" in str(await mutual(files, http2=True)), "the system knows none of them"


@pytest.mark.parametrize(
    ("content", "why"), [(None, "cannot be read: No such file"), (b"no certificate", "cannot be used"), (b"", "cannot be used")]
)
async def test_a_file_that_cannot_be_used_is_named_by_its_fault_and_nothing_is_sent(
    files: Path, tmp_path: Path, content: bytes | None, why: str
) -> None:
    path = tmp_path / "mesh.pem"
    if content is not None:
        path.write_bytes(content)
    assert why in str(await mutual(files, authorities=files / "ours.pem", client_certificate=str(path)))


async def test_an_encrypted_key_asks_nobody_for_its_password(files: Path, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        "openssl", "pkey", "-in", str(files / "mesh.key"), "-aes256", "-passout", "pass:x", "-out", str(tmp_path / "mesh.key")
    )
    assert await process.wait() == 0
    certificate, key = str(files / "mesh.crt"), str(tmp_path / "mesh.key")
    assert "encrypted" in str(await mutual(files, authorities=files / "ours.pem", client_certificate=certificate, client_key=key))


# HTTP/2.


@pytest.mark.parametrize("pieces", [[b"", b"whole"], [b"wh", b"", b"ole"], [b"wh", b"ole", b""]])
async def test_an_empty_frame_is_not_the_end_of_an_answer(files: Path, pieces: list[bytes]) -> None:
    async def handle(visit: Http2Visit) -> None:
        while stream := await visit.request():
            visit.h2.send_headers(stream, OK)
            for piece in pieces:
                visit.h2.send_data(stream, piece)
                visit.flush()
            visit.h2.end_stream(stream)
            visit.flush()

    async with http2_provider(handle, files / "server.pem") as (_, port):
        client = LIBRARY.client(f"https://localhost:{port}", files / "ours.pem", http2=True)
        assert [await whole(client, to(port)) for _ in range(2)] == [b"whole"] * 2
        await client.close()


async def test_http2_answers_one_request_after_the_other_on_one_connection(files: Path) -> None:
    async with http2_provider(handle_http2, files / "server.pem") as (visits, port):
        client = LIBRARY.client(f"https://localhost:{port}", files / "ours.pem", http2=True)
        assert [await whole(client, to(port)) for _ in range(3)] == [b"over HTTP/2"] * 3
        await client.close()
    assert len(visits) == 1
    assert visits[0].headers[0] == {
        ":method": "POST",
        ":authority": f"localhost:{port}",
        ":scheme": "https",
        ":path": "/v1/x",
        "accept-encoding": "identity",
        "user-agent": "llm-mesh",
        **KEY,
        "content-length": "2",
    }


@pytest.mark.parametrize("phase", ["head", "body"])
async def test_whoever_is_cancelled_closes_the_connection_and_the_request_beside_it_goes_on(files: Path, phase: str) -> None:
    """Another request of the same client has a connection of its own: it is neither held up nor broken."""
    stop, begun = asyncio.Event(), asyncio.Event()

    async def handle(visit: Http2Visit) -> None:
        stream = await visit.request()
        if len(visits) == 1:
            if phase == "body":
                visit.h2.send_headers(stream, OK)
                visit.h2.send_data(stream, b"a")
                visit.flush()
            begun.set()
            await visit.request()
        else:
            await stop.wait()
            visit.answer(stream, b"mine")

    async with http2_provider(handle, files / "server.pem") as (visits, port):
        client = LIBRARY.client(f"https://localhost:{port}", files / "ours.pem", http2=True)
        leaves = asyncio.ensure_future(whole(client, to(port)))
        async with asyncio.timeout(20):
            await begun.wait()
        stays = asyncio.ensure_future(whole(client, to(port)))
        leaves.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaves
        async with asyncio.timeout(20):
            await visits[0].left.wait()
        stop.set()
        assert await stays == b"mine"
        await client.close()


@pytest.mark.parametrize("again", [True, False])
async def test_a_stream_that_the_server_did_not_begin_is_sent_again_or_counts_as_not_sent(files: Path, again: bool) -> None:  # noqa: FBT001
    """REFUSED_STREAM: on a connection that was kept the request goes to another, on a new one nothing was sent."""

    async def handle(visit: Http2Visit) -> None:
        if again and len(visits) == 1:
            visit.answer(await visit.request(), b"1")
        if not again or len(visits) == 1:
            visit.h2.reset_stream(await visit.request(), 7)
            visit.flush()
            await visit.request()
        else:
            visit.answer(await visit.request(), b"2")

    async with http2_provider(handle, files / "server.pem") as (visits, port):
        client = LIBRARY.client(f"https://localhost:{port}", files / "ours.pem", http2=True)
        if again:
            assert [await whole(client, to(port)) for _ in range(2)] == [b"1", b"2"]
        else:
            with pytest.raises(UnreachableError, match="takes no request"):
                await whole(client, to(port))
        await client.close()


HOSTILE_FRAMES = {
    "no frames without end": b"HTTP/1.1 200 OK\r\n\r\n" * 100,
    "a reset": b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x02",
    "an end": b"",
    "pings without end": b"\0\0\x08\x06\0\0\0\0\0" + b"x" * 8,
    "headers without end": b"\0\0\x01\x09\0\0\0\0\x01\x88",
    "a frame without end": b"\xff\xff\xff\0\0\0\0\0\x01",
    "a head that unpacks to megabytes": b"\0\x10\x04\x01\x04\0\0\0\x01" + b"\x40\x01a\x7f\xa1\x1e" + b"y" * 4000 + b"\xbe" * 94,
}


@pytest.mark.parametrize("name", HOSTILE_FRAMES)
async def test_hostile_frames_break_the_answer_and_close_the_connection(files: Path, name: str) -> None:
    async def handle(visit: Http2Visit) -> None:
        await visit.request()
        said = HOSTILE_FRAMES[name]
        try:
            for _ in range(20_000 if "without end" in name else bool(said)):
                visit.writer.write(said)
                await visit.writer.drain()
            if name != "an end":
                await visit.reader.read()
        finally:
            visit.left.set()

    async with http2_provider(handle, files / "server.pem") as (visits, port):
        client = LIBRARY.client(f"https://localhost:{port}", files / "ours.pem", http2=True)
        with pytest.raises(BrokenError):
            await whole(client, to(port))
        async with asyncio.timeout(20):
            await visits[0].left.wait()
        await client.close()


async def test_a_stream_of_http2_has_its_deadline(files: Path) -> None:
    async def handle(visit: Http2Visit) -> None:
        stream = await visit.request()
        visit.h2.send_headers(stream, OK)
        visit.h2.send_data(stream, b"begin")
        visit.flush()
        await visit.request()

    async with http2_provider(handle, files / "server.pem") as (visits, port):
        client = LIBRARY.client(f"https://localhost:{port}", files / "ours.pem", http2=True)
        answer = await client.send(to(port))
        assert await answer.read() == b"begin"
        with pytest.raises(TimeoutError):
            await answer.read(time.monotonic() + 0.05)
        async with asyncio.timeout(20):
            await visits[0].left.wait()
        await client.close()


# What nobody may see, and what settings say.


async def test_no_log_has_a_credential_at_whatever_level(files: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with http2_provider(handle_http2, files / "server.pem") as (_, port), tunnel_proxy() as (_, address):
        client = LIBRARY.client(
            f"https://localhost:{port}", files / "ours.pem", ALLOWED, http2=True, proxy=address, proxy_credential=Secret("mesh:a-password")
        )
        assert await whole(client, to(port)) == b"over HTTP/2"
        await client.close()
    told = "\n".join(record.getMessage() for record in caplog.records)
    hidden = ["sk-a-key", "a-password", base64.b64encode(b"mesh:a-password").decode(), "authorization"]
    assert [each for each in hidden if each in told] == []


@pytest.mark.parametrize(
    ("transport", "why"),
    [
        ({"proxy": "https://proxy:1"}, "proxy: must be the address of an HTTP proxy"),
        ({"proxy": "http://me:secret@proxy:1"}, "proxy: must have no user"),
        ({"proxy": "http://proxy:1", "proxy_credential": Secret("no-colon")}, "proxy_credential: .* a colon"),
        ({"proxy_credential": Secret("a:b")}, "proxy_credential: there is no proxy"),
        ({"client_key": "key.pem"}, "client_key: there is no client_certificate"),
    ],
)
def test_settings_that_contradict_each_other_are_named(transport: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=rf"endpoint x: {why}") as caught:
        Endpoint(name="x", provider="X", base_url="https://x.test/v1", transport=TransportSettings(**transport))  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("key", ["http2", "client_certificate", "authorities"])
def test_what_needs_tls_needs_https(key: str) -> None:
    value: object = True if key == "http2" else "file.pem"
    with pytest.raises(ValueError, match=f"{key}: base_url must be https"):
        Endpoint(name="x", provider="X", base_url="http://127.0.0.1:1", local=True, transport=TransportSettings(**{key: value}))  # type: ignore[arg-type]


def test_a_setting_that_needs_the_library_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_NEEDS", ("a_library_that_is_not_there",))
    settings.installed.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"endpoint x: http2: .* extra llm-mesh-adapter-kit\[transport\]"):
            Endpoint(name="x", provider="X", base_url="https://x.test/v1", transport=TransportSettings(http2=True))
        Endpoint(name="x", provider="X", base_url="https://x.test/v1")
    finally:
        settings.installed.cache_clear()


async def test_an_answer_that_is_not_read_to_its_end_is_left_without_a_trace() -> None:
    async def handle(visit: Visit) -> None:
        await visit.request()
        await visit.say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\na")
        await visit.reader.read()
        visit.left.set()

    async with provider(handle) as (seen, port), LIBRARY.pool(port) as client:
        for _ in range(3):
            answer = await client.send(asking(port))
            assert await answer.read() == b"a"
            answer.close()
        async with asyncio.timeout(20):
            for visit in seen.visits:
                await visit.left.wait()
