"""Strangers at the doors: whatever they send and however long they take, they get one refusal, hold little, and keep nobody out."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.e2e.running import children
from tests.proofs.every_rpc import Rpc, every_rpc
from tests.proofs.load import chat_body
from tests.proofs.proof import count
from tests.proofs.refusals import Refusal, refusal
from tests.proofs.stand import PATIENCE, Stand, model, provider, stand, until

SECONDS = count(4, 60)
"""How long the flood lasts; the full proof gives it a minute."""
RATE = 100_000_000
"""Hostile bytes a second."""
GROWTH = 64 * 1024 * 1024
WRONG_KEY = f"mk_{'q' * 16}_{'z' * 43}"
CHAT = b"POST /v1/chat/completions HTTP/1.1\r\nhost: mesh\r\n"
MESSAGES = b"POST /v1/messages HTTP/1.1\r\nhost: mesh\r\nanthropic-version: 2023-06-01\r\n"
KEYED = b"authorization: Bearer " + WRONG_KEY.encode() + b"\r\n"
PIECE = 64 * 1024
CODES = grpc.StatusCode


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder: Path = tmp_path_factory.mktemp("doors")
    with provider(folder) as simulator, stand(folder, simulator) as made:
        made.put_models([model("plain", "sim-echo")])
        assert made.ask(chat_body("plain", "hi")).status == 200
        yield made


def memory(mesh: Stand) -> int:
    """Resident bytes of all processes of the mesh."""
    processes = [pid for parent in mesh.mesh.pids() for pid in (parent, *children(parent))]
    texts = [Path(f"/proc/{process}/status").read_text() for process in processes]
    return sum(int(text.partition("VmRSS:")[2].split()[0]) * 1024 for text in texts)


@contextmanager
def small_growth(mesh: Stand, bound: int = GROWTH) -> Iterator[None]:
    """The mesh never grows by more than the bound meanwhile."""
    before, most, ended = memory(mesh), [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            most[0] = max(most[0], memory(mesh) - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
    assert most[0] <= bound, f"grew by {most[0] / 1024 / 1024:.0f} MiB"


def connected(mesh: Stand, source: str = "127.0.0.1") -> socket.socket:
    host, _, port = mesh.mesh.addresses["http"].rpartition(":")
    made = socket.create_connection((host, int(port)), timeout=10, source_address=(source, 0))
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def said(connection: socket.socket, end: bytes = b"\r\n\r\n") -> bytes:
    """What the mesh says; as much as came where it hangs up."""
    text = b""
    try:
        while end not in text and (piece := connection.recv(65_536)):
            text += piece
    except ConnectionError:
        pass
    return text


def told(mesh: Stand, request: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, headers and body of the answer to raw bytes."""
    with closing(connected(mesh)) as connection:
        with suppress(ConnectionError):
            connection.sendall(request)
        head, _, body = said(connection).partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        while len(body) < int(headers["content-length"]):
            body += connection.recv(65_536)
    return int(lines[0].split()[1]), headers, json.loads(body)


@pytest.mark.parametrize(("begin", "shape"), [(CHAT, {"error"}), (MESSAGES, {"type", "error", "request_id"})], ids=["openai", "anthropic"])
@pytest.mark.parametrize(
    "rest",
    [
        b"".join(b"h%d: v\r\n" % number for number in range(100)) + b"\r\n",
        b"big: " + b"x" * 17_000 + b"\r\n\r\n",
        b"".join(b"h%d: %b\r\n" % (number, b"x" * 15_000) for number in range(5)) + b"\r\n",
        b"big: " + b"x" * 1_000_000 + b"\r\n\r\n",
    ],
    ids=["lines", "a line", "in all", "a megabyte"],
)
def test_a_head_that_is_too_large_is_431_in_the_dialects_shape(mesh: Stand, begin: bytes, shape: set[str], rest: bytes) -> None:
    status, headers, body = told(mesh, begin + rest)
    assert status == 431
    assert headers["connection"] == "close"
    assert shape <= set(body)
    assert mesh.ask(chat_body("plain", "hi")).status == 200


def endless(begin: bytes, piece: bytes) -> Iterator[bytes]:
    """Bytes without an end."""
    yield begin
    yield from itertools.repeat(piece * (PIECE // len(piece)))


ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "header lines": (CHAT, b"a: b\r\n"),
    "one header": (CHAT + b"a: ", b"x"),
    "a target": (b"GET /", b"x"),
    "blank lines": (b"", b"\r\n"),
    "a body without a key": (CHAT + b"content-length: 100000000000\r\n\r\n", b"x"),
    "a body with a wrong key": (MESSAGES + KEYED + b"content-length: 100000000000\r\n\r\n", b"x"),
    "chunks with a wrong key": (CHAT + KEYED + b"transfer-encoding: chunked\r\n\r\n", b"4\r\nabcd\r\n"),
    "an extension of a chunk": (CHAT + KEYED + b"transfer-encoding: chunked\r\n\r\n4;", b"x"),
    "trailers": (CHAT + KEYED + b"transfer-encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n"),
    "a body of health": (b"POST /healthz HTTP/1.1\r\nhost: mesh\r\ncontent-length: 100000000000\r\n\r\n", b"x"),
    "requests ahead": (b"", CHAT + b"content-length: 0\r\n\r\n"),
}


@dataclass
class Flood:
    """Hostile bytes at a rate."""

    mesh: Stand
    sent: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def pour(self, kind: str) -> None:
        """Send one kind until told to stop, on one connection after the other."""
        share = RATE / len(ENDLESS)
        began, mine = time.monotonic(), 0
        while not self.ended.is_set():
            try:
                with closing(connected(self.mesh, "127.0.0.2")) as connection:
                    for piece in endless(*ENDLESS[kind]):
                        connection.sendall(piece)
                        mine += len(piece)
                        self.sent += len(piece)
                        if self.ended.wait(max(0.0, mine / share - (time.monotonic() - began))):
                            return
            except OSError:
                continue  # refused, which is what it is there for


def test_a_flood_of_hostile_bytes_takes_little_memory_and_keeps_nobody_out(mesh: Stand) -> None:
    for _ in range(20):
        assert mesh.ask(chat_body("plain", "hi")).status == 200
    flood, took = Flood(mesh), []
    with small_growth(mesh), ThreadPoolExecutor(len(ENDLESS)) as pool:
        pouring = [pool.submit(flood.pour, kind) for kind in ENDLESS]
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            began = time.monotonic()
            assert mesh.ask(chat_body("plain", "hi")).status == 200
            took.append(time.monotonic() - began)
            time.sleep(0.05)
        flood.ended.set()
        for each in pouring:
            each.result()
    print(f"{flood.sent / SECONDS / 1e6:.0f} MB/s of hostile bytes; a request took {sorted(took)[len(took) // 2] * 1000:.0f} ms")
    assert flood.sent > 20_000_000 * SECONDS, "the attack is one"
    assert max(took) < PATIENCE, "nobody is kept out"


def test_bodies_with_a_wrong_key_are_answered_before_they_are_sent(mesh: Stand) -> None:
    def ask(number: int) -> float:
        with closing(connected(mesh)) as connection:
            began = time.monotonic()
            connection.sendall((CHAT if number % 2 else MESSAGES) + KEYED + b"content-length: 33000000\r\n\r\n" + b"x" * 10_000)
            assert said(connection).startswith(b"HTTP/1.1 401 ")
            return time.monotonic() - began

    with small_growth(mesh), ThreadPoolExecutor(64) as pool:
        took = list(pool.map(ask, range(256)))
    assert max(took) < PATIENCE, "nobody is kept out"


def test_bodies_of_32_mb_with_a_wrong_key_take_no_memory(mesh: Stand) -> None:
    body = b" " * 32_000_000
    with small_growth(mesh), ThreadPoolExecutor(64) as pool:
        replies = list(pool.map(lambda _: mesh.ask(body, key=WRONG_KEY), range(64)))
    assert {(reply.status, reply.code) for reply in replies} == {(401, "invalid_credential")}


def test_slow_heads_keep_nobody_out(mesh: Stand) -> None:
    with ExitStack() as opened:
        slow = [opened.enter_context(closing(connected(mesh, "127.0.0.2"))) for _ in range(2_500)]
        for connection in slow:
            try:
                connection.sendall(CHAT + b"a: " + b"x" * 10)
            except ConnectionError:
                continue  # it has been closed for a younger one
        with closing(connected(mesh, "127.0.0.2")) as neighbour:
            body = json.dumps(chat_body("plain", "hi")).encode()
            key = mesh.mesh.project_key.encode()
            neighbour.sendall(CHAT + b"authorization: Bearer %b\r\ncontent-length: %d\r\n\r\n%b" % (key, len(body), body))
            assert said(neighbour).startswith(b"HTTP/1.1 200 "), "the same address"
        assert mesh.ask(chat_body("plain", "hi")).status == 200, "another address"
        closed = sum(1 for connection in slow if _closed(connection))
    assert closed >= 100, "an address has so many connections and no more"


def _closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(10) is not None
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


# ---- gRPC


def call(mesh: Stand, rpc: Rpc, raw: bytes, metadata: tuple[tuple[str, str], ...], timeout: float = 10) -> Refusal:
    """The refusal of a call of raw bytes."""
    kind = f"{'stream' if rpc.client_streams else 'unary'}_{'stream' if rpc.server_streams else 'unary'}"
    method = getattr(mesh.channel, kind)(rpc.path, request_serializer=bytes, response_deserializer=bytes)
    try:
        answer = method(iter([raw]) if rpc.client_streams else raw, metadata=metadata, timeout=timeout)
        if rpc.server_streams:
            list(answer)
    except grpc.RpcError as error:
        return refusal(error)
    raise AssertionError(f"{rpc.path} answered a stranger")


CREDENTIALS: dict[str, tuple[tuple[str, str], ...]] = {
    "none": (),
    "garbage": (("authorization", "garbage"),),
    "a key that nobody has": (("authorization", f"Bearer {WRONG_KEY}"),),
    "a service token that is forged": (("llm-mesh-service-token", f"v1.gateway.policy.{int(time.time()) + 200}.{'0' * 64}"),),
}
HEADS: list[tuple[tuple[str, str], ...]] = [
    (),
    (("x-llm-mesh-project", "x" * 1_000),),
    (("x-llm-mesh-adapter", "no-such-adapter"),),
]


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_a_stranger_at_any_method_is_told_nothing_but_that_it_is_one(mesh: Stand, credential: str) -> None:
    def of(rpc: Rpc) -> set[tuple[grpc.StatusCode, str, str, str, str]]:
        bodies = [b"", b"\xff" * 40, rpc.asking().SerializeToString()]
        answers = [call(mesh, rpc, body, (*CREDENTIALS[credential], *head)) for body in bodies for head in HEADS]
        return {(each.code, each.message, each.reason, each.domain, each.field) for each in answers}

    rpcs = every_rpc()
    with ThreadPoolExecutor(8) as pool:
        found = dict(zip((rpc.path for rpc in rpcs), pool.map(of, rpcs), strict=True))
    for rpc in rpcs:
        assert len(found[rpc.path]) == 1, (rpc.path, found[rpc.path])
        code, _, reason, _, named = next(iter(found[rpc.path]))
        expected = (
            (CODES.UNAUTHENTICATED, {"MISSING_CREDENTIAL", "INVALID_CREDENTIAL", "INVALID_BOOTSTRAP_TOKEN"})
            if rpc.public
            else (CODES.UNIMPLEMENTED, {""})
        )
        assert code is expected[0], (rpc.path, found[rpc.path])
        assert reason in expected[1], (rpc.path, reason)
        assert not named


def test_large_messages_and_metadata_of_strangers_take_no_memory(mesh: Stand) -> None:
    generate = next(rpc for rpc in every_rpc() if rpc.path.endswith("GatewayService/Generate"))
    body, bomb = b"\x0a" + b"x" * 31_000_000, (("bomb", "x" * 100_000),)

    def ask(number: int) -> grpc.StatusCode:
        if number % 2:
            return call(mesh, generate, b"", bomb).code
        return call(mesh, generate, body, (("authorization", f"Bearer {WRONG_KEY}"),)).code

    with small_growth(mesh), ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(ask, range(32)))
    assert set(codes[::2]) == {CODES.UNAUTHENTICATED}
    assert set(codes[1::2]) == {CODES.RESOURCE_EXHAUSTED}


def test_large_messages_to_health_are_read_one_at_a_time(mesh: Stand) -> None:
    """Health needs no credential, and gRPC reads each message whole: what it copies meanwhile is four times a message."""
    check: Callable[..., Any] = mesh.channel.unary_unary(
        "/grpc.health.v1.Health/Check", request_serializer=bytes, response_deserializer=bytes
    )

    def ask(_: int) -> None:
        with pytest.raises(grpc.RpcError):
            check(b"\xff" * 31_000_000, timeout=10)

    before = memory(mesh)
    with small_growth(mesh, 3 * GROWTH), ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(ask, number) for number in range(8)]
        assert check(b"", timeout=10) is not None
        for each in asking:
            each.result()
    until(lambda: memory(mesh) - before <= GROWTH, "the memory of a flood is given back", pause=0.2)
