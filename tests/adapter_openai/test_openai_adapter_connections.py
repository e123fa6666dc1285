"""What happens on the wire: traces go on, connections serve again, and nobody reads further ahead than it may."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh_adapter_openai.wiring import service
from llm_mesh_runtime.testing import host
from tests.adapter_openai.conftest import Client, Upstream, settings_for

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_the_trace_and_the_request_id_reach_the_provider(client: Client, upstream: Upstream) -> None:
    metadata = (("traceparent", TRACE), ("x-request-id", "r-1"))
    await client.stub.Generate(adapter_pb2.GenerateRequest(**client.request("sim-echo")), metadata=metadata)
    (line,) = await upstream.wait_for("received")
    assert line["traceparent"][3:35] == TRACE[3:35]
    assert line["x-llm-mesh-request-id"] == "r-1"
    assert "x-request-id" not in line, "some servers refuse an id that is no UUID"


async def test_connections_serve_again_after_whole_and_streamed_answers(upstream: Upstream) -> None:
    async with contextlib.AsyncExitStack() as stack:
        port, opened = await stack.enter_async_context(Relay(upstream.port))
        settings = settings_for(f"http://127.0.0.1:{port}/v1")
        client = Client(await stack.enter_async_context(host(service, settings={"adapter/openai": settings})))
        for _ in range(3):
            await client.generate("sim-echo")
            await client.stream("sim-words")
    assert len(opened) == 1


async def test_a_connection_serves_again_though_its_answer_ends_a_moment_after_the_last_event() -> None:
    opened: list[object] = []
    events = b"".join(
        b"data: " + part + b"\n\n"
        for part in (b'{"id":"1","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}', b"[DONE]")
    )

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]))
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
                writer.write(b"%x\r\n%s\r\n" % (len(events), events))
                await asyncio.sleep(0.004)  # the network's doing, not a synchronisation
                writer.write(b"0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server, host(service, settings={"adapter/openai": settings_for(url)}) as mesh:
        for _ in range(3):
            await Client(mesh).stream("m")
    assert len(opened) == 1


async def test_a_burst_arrives_in_few_messages(near: Client) -> None:
    messages = await near.stream("sim-words/tokens:900")
    assert sum(len(message.events) for message in messages) > 900
    assert len(messages) < 200


async def test_a_reader_that_pauses_stops_the_provider() -> None:
    """An endless stream into a caller that does not read: what is sent stays bounded by buffers."""
    sent = 0
    stuck = asyncio.Event()
    frame = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"' + b"x" * 4000 + b'"}}]}\n\n'

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        writer.transport.set_write_buffer_limits(high=65536)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        try:
            while sent < 500_000_000:
                writer.write(frame)
                sent += len(frame)
                async with asyncio.timeout(0.5):
                    await writer.drain()
        except TimeoutError:
            stuck.set()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server, host(service, settings={"adapter/openai": settings_for(url)}) as mesh:
        client = Client(mesh)
        call = client.stub.GenerateStream(adapter_pb2.GenerateStreamRequest(**client.request("endless")), timeout=20)
        await call.read()
        async with asyncio.timeout(10):
            await stuck.wait()
        call.cancel()
    assert sent < 50_000_000


class Relay:
    """Stands in front of a port and notes each connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._opened: list[object] = []

    async def __aenter__(self) -> tuple[int, list[object]]:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1], self._opened

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._opened.append(writer)
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            await asyncio.gather(self._pump(reader, upstream_writer), self._pump(upstream_reader, writer))
        finally:
            writer.close()
            upstream_writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
