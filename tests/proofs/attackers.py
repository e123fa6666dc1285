"""A tenant that does its worst: each attack of one tenant on the others, at the rate that it gets, from a process that gives way.

What is sent is made once, before anything is measured: sending must cost little, since the mesh has the same processors.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import selectors
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from multiprocessing.connection import Connection
from typing import Any

import grpc

from llm_mesh.catalogue.v1 import catalogue_pb2
from llm_mesh.observability.v1 import observability_pb2
from llm_mesh.policy.v1 import identity_pb2, rules_pb2
from tests.proofs.attacks.test_attack_scale import ATTACKER, PER_CALL, given, people
from tests.proofs.attacks.test_attack_screening import ATTACKS as LARGE
from tests.proofs.attacks.test_attack_templates import TEMPLATES, bombs, prompts_of
from tests.proofs.http import call
from tests.proofs.load import chat_body
from tests.proofs.refusals import refusal
from tests.proofs.stand import PATIENCE, Provider, bearer, until
from tests.proofs.topology import channel_to

CLIENTS = 4
BINDINGS = 12_000
STREAMS = 300
TAILS = 1_200
_NICENESS = 10
_AGAIN = 1.0
"""Seconds until a refused stream is tried again, as `Retry-After` asks."""
_SLOW_TOKENS, _SLOW_RATE = 120, 2.0
_APPLY = "/llm_mesh.policy.v1.RuleService/ApplyPolicy"

Step = Callable[[], str]
"""Sends one request, and says what it was answered."""


@dataclass(frozen=True)
class Target:
    """What is attacked, by whom."""

    addresses: Mapping[str, str]
    key: str
    model: str
    """Others' model, which streams of the attacker are to fill."""
    provider: Provider
    upstream: str
    """What the model is called there."""

    def http(self, body: bytes) -> Step:
        """A chat over HTTP, on a connection of its own."""
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.key}"}

        def step() -> str:
            try:
                return str(call(self.addresses["http"], "POST", "/v1/chat/completions", body, headers).status)
            except (OSError, HTTPException) as error:
                return type(error).__name__

        return step

    def rpc(self, channel: Any, method: str, *requests: bytes) -> Step:
        """One request after the other over gRPC, from the beginning again at the end."""
        send, turns = channel.unary_unary(method), itertools.cycle(requests)

        def step() -> str:
            try:
                send(next(turns), metadata=bearer(self.key), timeout=PATIENCE)
            except grpc.RpcError as error:
                return refusal(error).reason or str(error)
            return "OK"

        return step


Attack = Callable[[Target, Any, ExitStack], Sequence[Step]]
"""Makes what is sent, before anything is measured; answers the steps of one client each."""


def _templates(target: Target, channel: Any, _: ExitStack) -> Sequence[Step]:
    made = [prompts_of(f"{ATTACKER}/prompts/{name}", template) for name, template in TEMPLATES.items()]
    for each in made:
        _done(target.rpc(channel, "/llm_mesh.catalogue.v1.CatalogueService/ApplyPrompts", each.SerializeToString()))
    renders = [catalogue_pb2.RenderRequest(name=name).SerializeToString() for name in TEMPLATES]
    return [
        target.rpc(channel, "/llm_mesh.catalogue.v1.CatalogueService/Render", *renders[number:], *renders[:number])
        for number in range(CLIENTS)
    ]


def _schemas(target: Target, channel: Any, _: ExitStack) -> Sequence[Step]:
    made = [prompts_of(f"{ATTACKER}/prompts/{name}", "x", schema).SerializeToString() for name, schema, _ in bombs()]
    return [
        target.rpc(channel, "/llm_mesh.catalogue.v1.CatalogueService/ApplyPrompts", *made[number:], *made[:number])
        for number in range(CLIENTS)
    ]


def _fill(target: Target, channel: Any, _: ExitStack) -> Sequence[Step]:
    requests = [
        rules_pb2.ApplyPolicyRequest(parent=ATTACKER, **wanted).SerializeToString()
        for start in range(0, BINDINGS, PER_CALL)
        for wanted in ({"principals": people(start)}, {"bindings": given(start)})
    ]
    return [target.rpc(channel, _APPLY, *requests)]


def _bindings(target: Target, channel: Any, opened: ExitStack) -> Sequence[Step]:
    for step in _fill(target, channel, opened):
        for _ in range(2 * BINDINGS // PER_CALL):
            _done(step)
    steps = []
    for client in range(CLIENTS):
        binding = rules_pb2.Binding(principal=f"{ATTACKER}/principals/p{client}", role="roles/viewer")
        create = rules_pb2.CreateBindingRequest(parent=ATTACKER, binding_id=f"more-{client}", binding=binding)
        delete = rules_pb2.DeleteBindingRequest(name=f"{ATTACKER}/bindings/more-{client}")
        both = (
            target.rpc(channel, "/llm_mesh.policy.v1.RuleService/CreateBinding", create.SerializeToString()),
            target.rpc(channel, "/llm_mesh.policy.v1.RuleService/DeleteBinding", delete.SerializeToString()),
        )
        steps.append(_in_turn(both))
    return steps


def _applies(target: Target, channel: Any, _: ExitStack) -> Sequence[Step]:
    steps = []
    for client in range(CLIENTS):
        names = [f"{ATTACKER}/principals/q{client}-{number}" for number in range(PER_CALL)]
        turns = [
            rules_pb2.ApplyPolicyRequest(
                parent=ATTACKER, principals=[identity_pb2.Principal(name=name, display_name=title) for name in names]
            ).SerializeToString()
            for title in ("one", "other")
        ]
        steps.append(target.rpc(channel, _APPLY, *turns))
    return steps


def _large(name: str) -> Attack:
    make, times, _ = LARGE[name]

    def attack(target: Target, _channel: Any, _opened: ExitStack) -> Sequence[Step]:
        return [target.http(make())] * max(times, 2)

    return attack


def _streams(target: Target, _channel: Any, opened: ExitStack) -> Sequence[Step]:
    """One client with all the streams, which the provider answers slowly; those that are refused or end are begun anew."""
    streams = _Streams(target)
    opened.callback(streams.close)
    target.provider.behave(target.upstream, like="sim-words", tokens=_SLOW_TOKENS, rate=_SLOW_RATE)
    for _ in range(STREAMS):
        streams.begin()
    until(lambda: streams.step() and streams.known == STREAMS, "the streams have begun", pause=0.0)
    target.provider.behave(target.upstream, like="sim-echo")  # those that have begun stay slow
    return [streams.step]


class _Streams:
    """Streams that are read as they come, on one thread."""

    def __init__(self, target: Target) -> None:
        host, _, port = target.addresses["http"].rpartition(":")
        self._address = (host, int(port))
        body = json.dumps(chat_body(target.model, "hi", stream=True)).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: mesh\r\nauthorization: Bearer {target.key}\r\n"
        self._request = f"{head}connection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
        self._open = selectors.DefaultSelector()
        self._again: deque[float] = deque()
        self.known = 0
        """How many were answered, a refusal too."""

    def begin(self) -> None:
        """One more."""
        stream = socket.create_connection(self._address, timeout=PATIENCE)
        stream.sendall(self._request)
        stream.setblocking(False)
        self._open.register(stream, selectors.EVENT_READ, "new")

    def step(self) -> str:
        """Reads what came."""
        while self._again and self._again[0] <= time.monotonic():
            self._again.popleft()
            self.begin()
        for key, _ in self._open.select(0.02):
            stream: Any = key.fileobj
            try:
                piece = stream.recv(65_536)
            except OSError:
                piece = b""
            if key.data == "new" and piece:
                self._open.modify(stream, selectors.EVENT_READ, "answered")
                self.known += 1
                return str(piece[9:12], "latin-1")
            if not piece:
                self._open.unregister(stream)
                stream.close()
                self._again.append(time.monotonic() + _AGAIN)
        return ""

    def close(self) -> None:
        """Leaves them."""
        for key in list(self._open.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._open.close()


def _tails(target: Target, _channel: Any, opened: ExitStack) -> Sequence[Step]:
    """All tails once, held; and two clients whose traffic they are told of."""
    request = observability_pb2.TailRequest(parent=ATTACKER).SerializeToString()
    pool = [("grpc.use_local_subchannel_pool", 1)]
    channels = [opened.enter_context(closing(channel_to(target.addresses, pool))) for _ in range(CLIENTS)]
    left = iter(range(TAILS))

    def tail() -> str:
        number = next(left, None)
        if number is None:
            time.sleep(0.05)
            return ""
        send = channels[number % CLIENTS].unary_stream("/llm_mesh.observability.v1.ObservabilityService/Tail")
        held = send(request, metadata=bearer(target.key), timeout=300)
        opened.callback(held.cancel)
        return "opened"

    traffic = target.http(json.dumps(chat_body("echo", "hi", max_tokens=1)).encode())
    return [tail, traffic, traffic]


ATTACKS: Mapping[str, Attack] = {
    "hostile templates": _templates,
    "schema bombs": _schemas,
    "12,000 bindings": _fill,
    "bindings beside 12,000": _bindings,
    "applies of 500 entries": _applies,
    **{name: _large(name) for name in ("30 MB of short strings", "400,000 tools", "4 x 1.9 MB that look like IBANs")},
    "300 slow streams": _streams,
    "1,200 tails": _tails,
}
EVERYTHING = "all of them at once"


@dataclass(frozen=True)
class Attacked:
    """What an attack did."""

    answers: Counter[str]
    seconds: float
    cpu: float
    """Seconds of the processor that attacking took."""


@contextmanager
def attacking(name: str, target: Target) -> Iterator[Callable[[], Attacked]]:
    """Attack from when everything is made until the function is called, which says what became of it."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(name, target, there), daemon=True)
    process.start()
    try:
        assert here.poll(10 * PATIENCE), f"{name} is not ready"
        assert here.recv() == "ready"
        here.send("begin")

        def end() -> Attacked:
            here.send("end")
            attacked: Attacked = here.recv()
            return attacked

        yield end
    finally:
        process.join(PATIENCE)
        process.kill()


def _work(name: str, target: Target, pipe: Connection) -> None:
    os.nice(_NICENESS)
    over, answers = threading.Event(), Counter[str]()
    names = list(ATTACKS) if name == EVERYTHING else [name]
    with ExitStack() as opened:
        channel = opened.enter_context(closing(channel_to(target.addresses)))
        steps = [step for each in names for step in ATTACKS[each](target, channel, opened)]

        def run(step: Step) -> None:
            while not over.is_set():
                if answer := step():
                    answers[answer] += 1

        threads = [threading.Thread(target=run, args=(step,), daemon=True) for step in steps]
        pipe.send("ready")
        pipe.recv()
        begun, cpu = time.monotonic(), time.process_time()
        for thread in threads:
            thread.start()
        pipe.recv()
        told = Attacked(Counter(answers), time.monotonic() - begun, time.process_time() - cpu)
        over.set()
        for thread in threads:
            thread.join(2 * PATIENCE)
        pipe.send(told)


def _done(step: Step) -> None:
    assert (answer := step()) == "OK", answer


def _in_turn(steps: Sequence[Step]) -> Step:
    turns = itertools.cycle(steps)

    def step() -> str:
        return next(turns)()

    return step
