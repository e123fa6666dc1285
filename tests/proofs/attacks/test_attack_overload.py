"""Callers of one tenant who retry at once overload the process, and another tenant is served as if they were not there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from llm_mesh.policy.v1 import identity_pb2, rules_pb2
from tests.proofs.load import chat_body
from tests.proofs.stand import PATIENCE, Stand, model, provider, stand, until
from tests.proofs.topology import topology

HASTY = "domains/hasty"
CALLERS = 150
REQUESTS = 20
LATENESS = {"LLM_MESH_LATENESS": "0.002"}
"""Seconds, so that so few callers are an overload whatever the machine: the test shares it with the mesh and others."""


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("overload")
    with provider(folder) as simulator, stand(folder, simulator, LATENESS) as made:
        made.put_models([model("quick", "sim-echo")])
        yield made


@pytest.fixture(scope="module")
def hasty(mesh: Stand) -> str:
    """The key of its application."""
    person = f"{HASTY}/principals/app"
    mesh.apply_policy(
        domains=[identity_pb2.Domain(name=HASTY)],
        projects=[identity_pb2.Project(name=f"{HASTY}/projects/main")],
        principals=[identity_pb2.Principal(name=person)],
        bindings=[rules_pb2.Binding(name=f"{HASTY}/bindings/app", principal=person, role="roles/application")],
    )
    return mesh.new_key(f"{HASTY}/projects/main", person).secret


class Caller(asyncio.Protocol):
    """Asks again as soon as it is answered or refused, over one connection where the mesh keeps it."""

    def __init__(self, request: bytes, statuses: Counter[int], ended: Callable[[], None]) -> None:
        self._request, self._statuses, self._ended = request, statuses, ended
        self._transport: Any = None
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, blank, body = self._answer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if blank and length is not None and len(body) >= int(length[1]):
            self._statuses[int(head[9:12])] += 1
            self._answer = b""
            self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._ended()


class Retrying(threading.Thread):
    """Many callers at once, with as little work of the test as can be: it shares its machine with the mesh."""

    def __init__(self, mesh: Stand, key: str) -> None:
        super().__init__(daemon=True)
        self.statuses: Counter[int] = Counter()
        body = json.dumps(chat_body("quick", "hello")).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: mesh\r\nauthorization: Bearer {key}\r\ncontent-length: {len(body)}\r\n\r\n"
        self._request = head.encode() + body
        self._host, _, port = mesh.mesh.addresses["http"].rpartition(":")
        self._port = int(port)
        self._over = threading.Event()

    def run(self) -> None:
        asyncio.run(self._retry())

    async def _retry(self) -> None:
        callers = [asyncio.create_task(self._call()) for _ in range(CALLERS)]
        await asyncio.to_thread(self._over.wait)
        for each in callers:
            each.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        await asyncio.sleep(0)  # the sockets are closed in the next turn

    async def _call(self) -> None:
        while True:
            gone = asyncio.Event()
            with contextlib.suppress(OSError):
                caller = partial(Caller, self._request, self.statuses, gone.set)
                transport, _ = await asyncio.get_running_loop().create_connection(caller, self._host, self._port)
                try:
                    await gone.wait()
                finally:
                    transport.abort()

    def __enter__(self) -> Counter[int]:
        self.start()
        return self.statuses

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join(PATIENCE)


def test_callers_who_retry_at_once_have_none_of_another_tenants_requests_refused(mesh: Stand, hasty: str) -> None:
    with Retrying(mesh, hasty) as statuses:
        until(lambda: statuses.total() > 4 * CALLERS, "the attack is under way", pause=0.05)
        if topology() == "embedded":  # elsewhere each process has a window of its own, which so few callers need not fill
            until(lambda: statuses[503], f"the process is overloaded: {statuses}", pause=0.05)
        served: Counter[int] = Counter()
        began = time.monotonic()
        for _ in range(REQUESTS):
            served[mesh.ask(chat_body("quick", "hello")).status] += 1
        took = time.monotonic() - began
    print(f"hasty callers: {dict(statuses)}; another tenant: {dict(served)} in {took:.1f} s")
    assert served == {200: REQUESTS}
