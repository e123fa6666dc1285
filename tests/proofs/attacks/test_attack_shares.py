"""One tenant takes as much as it can of what all share, and another one has what it needs beside it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from llm_mesh.observability.v1 import observability_pb2, observability_pb2_grpc
from llm_mesh.policy.v1 import identity_pb2, rules_pb2
from tests.proofs.load import chat_body
from tests.proofs.refusals import refusal
from tests.proofs.stand import PROJECT, Stand, bearer, model, provider, stand, until
from tests.proofs.turns import none_too_long

HOG = "domains/hog"
STREAMS = 400
TAILS = 1_200


@dataclass(frozen=True)
class Tenant:
    """Whoever takes what it can."""

    key: str

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return bearer(self.key)


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder: Path = tmp_path_factory.mktemp("shares")
    with provider(folder) as simulator, stand(folder, simulator) as made:
        made.put_models([model("shared", "sim-stall"), model("quick", "sim-echo")])
        person = f"{HOG}/principals/person"
        made.apply_policy(
            domains=[identity_pb2.Domain(name=HOG)],
            projects=[identity_pb2.Project(name=f"{HOG}/projects/main")],
            principals=[identity_pb2.Principal(name=person)],
            bindings=[rules_pb2.Binding(name=f"{HOG}/bindings/person", principal=person, role="roles/developer")],
        )
        yield made


@pytest.fixture(scope="module")
def hog(mesh: Stand) -> Tenant:
    return Tenant(mesh.new_key(f"{HOG}/projects/main", f"{HOG}/principals/person").secret)


@pytest.fixture(autouse=True)
def turns(mesh: Stand) -> Iterator[None]:
    with none_too_long(mesh):
        yield


def test_slow_streams_of_one_tenant_leave_a_model_to_others(mesh: Stand, hog: Tenant) -> None:
    body = json.dumps(chat_body("shared", "hi", stream=True)).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: mesh\r\nauthorization: Bearer {hog.key}\r\ncontent-length: {len(body)}\r\n\r\n"
    with ExitStack() as opened:
        host, _, port = mesh.mesh.addresses["http"].rpartition(":")
        streams = [opened.enter_context(closing(socket.create_connection((host, int(port)), timeout=20))) for _ in range(STREAMS)]
        for stream in streams:
            stream.sendall(head.encode() + body)
        statuses = Counter(stream.recv(12)[9:12] for stream in streams)
        assert statuses[b"200"] > 100, statuses
        assert statuses[b"200"] < 384, f"no tenant fills a model alone: {statuses}"
        assert set(statuses) <= {b"200", b"429", b"503"}, statuses
        mesh.provider.behave("sim-stall", fault="none")
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda _: mesh.ask(chat_body("shared", "hi")).status, range(40)))
        assert set(replies) == {200}, Counter(replies)


def test_tails_of_one_tenant_leave_room_and_time_to_others(mesh: Stand, hog: Tenant) -> None:
    stub: Any = observability_pb2_grpc.ObservabilityServiceStub(mesh.channel)
    refused: Counter[str] = Counter()
    ended = threading.Event()
    channels = [grpc.insecure_channel(mesh.mesh.grpc, options=[("grpc.use_local_subchannel_pool", 1)]) for _ in range(4)]
    opened: list[Any] = []
    try:
        for number in range(TAILS):
            channel: Any = channels[number % 4]
            tail: Any = observability_pb2_grpc.ObservabilityServiceStub(channel)
            call = tail.Tail(observability_pb2.TailRequest(parent=HOG), metadata=hog.metadata, timeout=60)
            call.add_done_callback(lambda call=call: refused.update([_reason(call)]))
            opened.append(call)
        until(lambda: sum(refused.values()) >= TAILS - 256, "whoever has its share is refused")
        assert set(refused) == {"TOO_MANY_TAILS"}, refused
        assert TAILS - sum(refused.values()) > 100, "what nobody else wants is lent"

        def busy() -> None:
            while not ended.is_set():
                mesh.ask(chat_body("quick", "hi"), key=hog.key)

        traffic = [threading.Thread(target=busy) for _ in range(2)]
        for each in traffic:
            each.start()
        for _ in range(30):
            stub.QuerySpend(observability_pb2.QuerySpendRequest(parent=PROJECT), metadata=mesh.admin, timeout=15)
        mine = stub.Tail(observability_pb2.TailRequest(parent=PROJECT), metadata=mesh.admin, timeout=30)
        time.sleep(0.2)  # until it stands; what comes before would be no news for it
        assert mesh.ask(chat_body("quick", "hi")).status == 200
        assert next(mine).entries
        mine.cancel()
        ended.set()
        for each in traffic:
            each.join()
    finally:
        ended.set()
        for call in opened:
            call.cancel()
        for used in channels:
            used.close()


def _reason(call: Any) -> str:
    return refusal(call).reason or str(call.code())
