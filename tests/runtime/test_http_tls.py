"""An HTTP listener that speaks TLS: the same answers, the same bounds, and clients' certificates where they are demanded."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvloop

from llm_mesh_runtime.http import acceptor, flow
from llm_mesh_runtime.http.bounds import HttpBounds
from llm_mesh_runtime.http.listener import HttpListener
from llm_mesh_runtime.http.tls import HttpTls
from llm_mesh_runtime.http.unauthenticated import StrangerLimits
from llm_mesh_runtime.settings import Configuration, MeshSettings, SettingsError
from llm_mesh_runtime.start_error import StartError
from tests.contract.certificates import authority
from tests.runtime.listening import client_of, listening

LAST = b"GET /%b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
Run = Callable[[Coroutine[Any, Any, None]], None]
loops = pytest.mark.parametrize("run", [asyncio.run, uvloop.run])


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Mapping[str, str]]:
    return authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def tls(issued: Callable[[str], Mapping[str, str]]) -> HttpTls:
    return HttpTls(issued("edge")["tls_certificate"], issued("edge")["tls_key"])


@pytest.fixture(scope="module")
def mutual(tls: HttpTls, issued: Callable[[str], Mapping[str, str]]) -> HttpTls:
    return HttpTls(tls.certificate, tls.key, issued("edge")["tls_ca"])


@pytest.fixture
def trusting(issued: Callable[[str], Mapping[str, str]]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=issued("edge")["tls_ca"])


async def app(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    said = f"{scope['scheme']} {scope['path']}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]})
    await send({"type": "http.response.body", "body": said})


async def answer(listener: HttpListener, trusting: ssl.SSLContext, request: bytes = LAST % b"one") -> bytes:
    async with client_of(listener, trusting) as (reader, writer), asyncio.timeout(10):
        writer.write(request)
        return await reader.read()


async def unanswered(listener: HttpListener, trusting: ssl.SSLContext) -> bool:
    """Whether nothing comes. A client learns by its first read that its certificate is missed."""
    try:
        return await answer(listener, trusting) == b""
    except OSError:
        return True


@loops
def test_requests_are_answered_over_tls(run: Run, tls: HttpTls, trusting: ssl.SSLContext) -> None:
    async def main() -> None:
        async with listening(app, tls=tls) as listener:
            said = await answer(listener, trusting)
            assert said.startswith(b"HTTP/1.1 200 ")
            assert said.endswith(b"https /one")

    run(main())


async def test_a_client_must_show_a_certificate_where_authorities_are_set(
    mutual: HttpTls, trusting: ssl.SSLContext, issued: Callable[[str], Mapping[str, str]]
) -> None:
    async with listening(app, tls=mutual) as listener:
        assert await unanswered(listener, trusting)
        own = issued("console")
        trusting.load_cert_chain(own["tls_certificate"], own["tls_key"])
        assert (await answer(listener, trusting)).endswith(b"https /one")


async def test_what_is_no_tls_gets_no_answer_and_harms_nobody(tls: HttpTls, trusting: ssl.SSLContext) -> None:
    async with listening(app, tls=tls) as listener:
        async with client_of(listener) as (reader, writer), asyncio.timeout(10):
            writer.write(LAST % b"plain")
            assert b"HTTP/1.1" not in await _rest(reader)
        assert (await answer(listener, trusting)).endswith(b"https /one")


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


@loops
def test_who_does_not_finish_the_handshake_counts_among_strangers(run: Run, tls: HttpTls, trusting: ssl.SSLContext) -> None:
    async def main() -> None:
        bounds = HttpBounds(strangers=StrangerLimits(connections=8, connections_per_address=4))
        async with listening(app, bounds=bounds, tls=tls) as listener:
            host, port = listener.address.split(":")
            silent = [await asyncio.open_connection(host, int(port)) for _ in range(6)]
            async with asyncio.timeout(10):
                for reader, _ in silent[:2]:  # the oldest go
                    assert await _rest(reader) == b""
                assert bounds.strangers.connections <= 4
                assert (await answer(listener, trusting)).endswith(b"https /one")
            for _, writer in silent:
                writer.close()
        assert bounds.strangers.connections == 0

    run(main())


@loops
def test_a_listener_that_stops_waits_for_no_handshake(run: Run, tls: HttpTls) -> None:
    async def main() -> None:
        async with listening(app, tls=tls) as listener:
            host, port = listener.address.split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
        async with asyncio.timeout(10):
            assert await _rest(reader) == b""
        writer.close()

    run(main())


async def test_a_head_that_is_too_large_is_refused_in_words_over_tls_too(tls: HttpTls, trusting: ssl.SSLContext) -> None:
    async with listening(app, tls=tls) as listener, client_of(listener, trusting) as (reader, writer), asyncio.timeout(10):
        writer.write(b"GET / HTTP/1.1\r\n" + b"".join(b"x-%d: y\r\n" % number for number in range(200)))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 431 ")
        assert b"connection: close\r\n" in head


async def test_a_stranger_who_is_crowded_out_is_told_so_over_tls_too(tls: HttpTls, trusting: ssl.SSLContext) -> None:
    bounds = HttpBounds(strangers=StrangerLimits(connections=8, connections_per_address=1))
    async with listening(app, bounds=bounds, tls=tls) as listener, client_of(listener, trusting) as (reader, _), asyncio.timeout(10):
        with socket.create_connection(tuple(listener.address.split(":"))):  # type: ignore[arg-type]  # a port may be a text
            assert (await reader.read()).startswith(b"HTTP/1.1 429 ")


@loops
def test_an_answer_is_whole_however_slowly_its_client_reads(
    run: Run, tls: HttpTls, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    size, patience = 16 * 1024 * 1024, 1.0
    monkeypatch.setattr(acceptor, "LINGERING", patience)
    monkeypatch.setattr(flow.FlowControl.hang_up, "__defaults__", (patience,))

    async def large(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % size)]})
        await send({"type": "http.response.body", "body": b"x" * size})

    async def main() -> None:
        async with listening(large, tls=tls) as listener, client_of(listener, trusting) as (reader, writer), asyncio.timeout(30):
            writer.write(LAST % b"one")
            await reader.readuntil(b"\r\n\r\n")
            began = asyncio.get_running_loop().time()
            for _ in range(32):
                await reader.readexactly(size // 32)
                await asyncio.sleep(0.06)
            assert await reader.read() == b""
            assert asyncio.get_running_loop().time() - began > patience

    run(main())


def test_files_that_cannot_be_used_are_named(tls: HttpTls, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for wrong in (
        HttpTls("/nowhere.pem", tls.key),
        HttpTls(tls.certificate, str(tmp_path / "empty.pem")),
        HttpTls(tls.key, tls.certificate),
    ):
        with pytest.raises(StartError, match=r"\.pem.*LLM_MESH_HTTP_TLS"):
            HttpListener("127.0.0.1:0", app, tls=wrong)


@pytest.mark.parametrize("given", [("CERTIFICATE",), ("KEY",), ("CLIENT_CA",)])
def test_settings_that_make_no_tls_are_refused(given: tuple[str, ...]) -> None:
    environ = {f"LLM_MESH_HTTP_TLS_{name}": "/x.pem" for name in given}
    with pytest.raises(SettingsError, match="http_tls"):
        Configuration.read(environ).load(MeshSettings)
