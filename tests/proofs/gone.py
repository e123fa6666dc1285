"""A client that goes away takes the provider's connection with it within a quarter of a second, and what was used is settled."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from tests.proofs.http import Leaver
from tests.proofs.proof import Measures
from tests.proofs.stand import PATIENCE, Stand, provider, stand, until
from tests.proofs.wires import ADAPTERS, model_at, settings_of_wires, turns

_ALLOWED_MS = 250.0
_BUSY_MS = 2_000.0
"""Where other work goes on beside, a time says little: the few cases of `make check` are about the chain, not the clock."""


@dataclass
class Gone:
    """The claim."""

    name = "client-gone"
    claim = (
        "When a client goes away, before content or in the middle of it, over HTTP or gRPC and over every wire, the "
        "provider sees its connection close within "
        "250 ms, and the request is settled as cancelled, at no more than was reserved. The time is from the client's close to the line in "
        "the provider's own log, by the same clock."
    )
    allowed_ms: float = _ALLOWED_MS

    def cases(self, *, full: bool) -> Sequence[str]:
        """Ten of each kind over each wire, or one of each kind, over one wire after the other."""
        groups = [f"{moment}/{way}" for moment in ("waiting-whole", "waiting-streamed", "reading-streamed") for way in ("http", "grpc")]
        if not full:
            return [f"{group}/{turns(number)}/000" for number, group in enumerate(groups)]
        return [f"{group}/{adapter}/{number:03}" for group in groups for adapter in ADAPTERS for number in range(10)]

    @contextmanager
    def stand(self, folder: Path, cases: Sequence[str]) -> Iterator[Stand]:
        """One model that never begins, and one that never ends, behind each wire."""
        del cases
        with provider(folder) as simulator, stand(folder, simulator, settings_of_wires(simulator)) as made:
            scripts = {"silent": "sim-stall", "endless": "sim-words/tokens:4000/rate:50"}
            made.put_models([model_at(adapter, f"{name}-{adapter}", script) for adapter in ADAPTERS for name, script in scripts.items()])
            yield made

    def show(self, stand: Stand, case: str, rng: random.Random) -> Measures:
        """One client that leaves."""
        moment, way, adapter, _ = case.split("/")
        request = f"{case.replace('/', '-')}-{rng.getrandbits(64):x}"
        reading = moment.startswith("reading")
        alias = f"endless-{adapter}" if reading else f"silent-{adapter}"
        begin = _over_http if way == "http" else _over_grpc
        leave = begin(stand, request, alias, streamed=moment.endswith("streamed"), reading=reading)
        (line,) = until(lambda: stand.provider.received(request), "the provider is asked")
        time.sleep(rng.random() * 0.05)  # anywhere between two tokens
        left = time.time()
        leave()
        served = until(lambda: stand.provider.served(line), "the provider's connection closes")
        assert served["outcome"] == "client_gone", served
        took = (served["at"] - left) * 1000
        assert took <= self.allowed_ms, f"the provider's socket closed after {took:.0f} ms"
        entry = stand.entry(request)
        assert entry.state == usage_pb2.RESERVATION_STATE_SETTLED
        (used,) = entry.lines
        assert used.usage.outcome == usage_pb2.ATTEMPT_OUTCOME_CANCELLED
        assert 0 < entry.charged.nanos <= entry.reserved.nanos
        return {"closed after, ms": took}


def few() -> Gone:
    """The proof for a machine that has other work."""
    return Gone(allowed_ms=_BUSY_MS)


def _over_http(stand: Stand, request: str, alias: str, *, streamed: bool, reading: bool) -> Callable[[], Any]:
    body = json.dumps({"model": alias, "messages": [{"role": "user", "content": "go on"}], "stream": streamed}).encode()
    headers = {"authorization": f"Bearer {stand.mesh.project_key}", "content-type": "application/json", "x-request-id": request}
    leaver = Leaver(stand.mesh.addresses["http"], "/v1/chat/completions", body, headers)
    if reading:
        _read_content(leaver)
    return leaver.leave


def _read_content(leaver: Leaver) -> None:
    seen = b""
    for piece in leaver.pieces():
        seen += piece
        if seen.count(b'"content"') > 1:
            return
    raise AssertionError(f"the answer ended: {seen[-500:]!r}")


def _over_grpc(stand: Stand, request: str, alias: str, *, streamed: bool, reading: bool) -> Callable[[], Any]:
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(stand.channel)
    metadata = (*stand.user, ("x-request-id", request))
    if not streamed:
        asked: Any = stub.Generate.future(gateway_pb2.GenerateRequest(input=chat(alias, "go on")), metadata=metadata, timeout=PATIENCE)
        stop: Callable[[], Any] = asked.cancel
        return stop
    call: Any = stub.GenerateStream(gateway_pb2.GenerateStreamRequest(input=chat(alias, "go on")), metadata=metadata, timeout=PATIENCE)
    if reading:
        next(message for message in call if any(event.WhichOneof("kind") == "text" for event in message.events))
    cancel: Callable[[], Any] = call.cancel
    return cancel


def chat(alias: str, said: str) -> generate_pb2.GenerateInput:
    """One question."""
    part = content_pb2.Part(text=content_pb2.Text(text=said))
    return generate_pb2.GenerateInput(model=alias, messages=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[part])])
