"""A mesh that is killed while it reranks, draws, speaks and hears loses no request that reached the provider, and makes none up."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from llm_mesh.gateway.v1 import gateway_pb2_grpc
from llm_mesh.policy.v1 import usage_pb2
from tests.proofs.killed import Ground
from tests.proofs.methods import WAYS, ProvenMethod, method_model
from tests.proofs.proof import Measures
from tests.proofs.stand import PATIENCE, Stand, provider, request_of, stand, until
from tests.proofs.wires import settings_of_wires

_CLIENTS = 12
_PACED = "sim-echo/ttft_ms:120/tokens:120"
_SETTLED, _ESTIMATED, _RELEASED = (
    usage_pb2.RESERVATION_STATE_SETTLED,
    usage_pb2.RESERVATION_STATE_ESTIMATED,
    usage_pb2.RESERVATION_STATE_RELEASED,
)


@dataclass
class _Calls:
    """What was asked, and what was charged for what was answered."""

    asked: set[str] = field(default_factory=set)
    charged: dict[str, int] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)


@dataclass
class KilledMethods:
    """The claim."""

    name = "kill-9-methods"
    claim = (
        "`kill -9` of the embedded process while clients call every method beside `Generate` and `Embed`, and a second start on the "
        "same data: each request in the provider's own log has exactly one ledger entry. What a client has an answer of is settled at "
        "what its receipt said. What is estimated is at most what was in flight, and no charge is above its reservation. Nothing is "
        "held any more."
    )

    def cases(self, *, full: bool) -> Sequence[str]:
        """Ten kills, or one; the seed chooses the moment."""
        return [f"kill/{number:03}" for number in range(10 if full else 1)]

    @contextmanager
    def stand(self, folder: Path, cases: Sequence[str]) -> Iterator[Ground]:
        """A provider of its own process, and a data directory that all rounds share."""
        del cases
        with provider(folder) as simulator:
            yield Ground(folder, simulator)

    def show(self, stand: Ground, case: str, rng: random.Random) -> Measures:
        """One kill."""
        name = f"{case.replace('/', '-')}-{rng.getrandbits(64):x}"
        calls = _until_killed(stand, name, rng)
        return _afterwards(stand, name, calls)


def _until_killed(ground: Ground, name: str, rng: random.Random) -> _Calls:
    (ground.folder / "ready").unlink(missing_ok=True)
    calls = _Calls()
    with stand(ground.folder, ground.provider, settings_of_wires(ground.provider)) as made:
        for way in WAYS.values():
            made.put_models([method_model(way, f"killed-{way.slug}-{pace}", script) for pace, script in _SCRIPTS.items()])
        work = [
            threading.Thread(target=_work, args=(made, f"{name}-{number}", calls, random.Random(rng.getrandbits(64))), daemon=True)  # noqa: S311
            for number in range(_CLIENTS)
        ]
        for thread in work:
            thread.start()
        until(lambda: len(calls.charged) >= _CLIENTS, "the mesh is under load")
        time.sleep(rng.uniform(0.1, 0.8))  # the moment of the kill is the point
        made.mesh.kill()
        calls.stopped.set()
        for thread in work:
            thread.join(PATIENCE)
    return calls


_SCRIPTS = {"quick": "sim-echo", "paced": _PACED}


def _work(made: Stand, name: str, calls: _Calls, rng: random.Random) -> None:
    number = 0
    while not calls.stopped.is_set():
        number += 1
        request, way = f"{name}-{number}", rng.choice(list(WAYS.values()))
        calls.asked.add(request)
        try:
            answer = _asked(made, way, rng.choice(list(_SCRIPTS)), request, rng.randint(1, 3))
        except grpc.RpcError:
            return
        calls.charged[request] = answer.receipt.charged.nanos


def _asked(made: Stand, way: ProvenMethod, pace: str, request: str, size: int) -> Any:
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(made.channel)
    metadata = (*made.user, ("x-request-id", request))
    return getattr(stub, way.rpc)(way.request(f"killed-{way.slug}-{pace}", size), metadata=metadata, timeout=PATIENCE)


def _afterwards(ground: Ground, name: str, calls: _Calls) -> Measures:
    (ground.folder / "ready").unlink()
    with stand(ground.folder, ground.provider, settings_of_wires(ground.provider)) as again:
        until(lambda: not again.entries(state=usage_pb2.RESERVATION_STATE_HELD), "nothing is held any more")
        entries = [entry for entry in again.entries() if entry.request_id.startswith(name)]
        received = {request for line in again.provider.log(event="received") if (request := request_of(line)).startswith(name)}
    by_request = Counter(entry.request_id for entry in entries)
    assert max(by_request.values()) == 1, "one entry per request"
    assert received <= by_request.keys(), "what reached the provider is in the ledger"
    assert by_request.keys() <= calls.asked
    states = Counter(entry.state for entry in entries)
    for entry in entries:
        assert 0 <= entry.charged.nanos <= entry.reserved.nanos, entry.request_id
        assert entry.state in {_SETTLED, _ESTIMATED, _RELEASED}
        assert entry.state != _RELEASED or entry.request_id not in received, f"{entry.request_id} was sent, and given back"
    told = {entry.request_id: entry.charged.nanos for entry in entries if entry.state == _SETTLED}
    assert calls.charged.items() <= told.items(), "what a client has an answer of is settled at its receipt"
    lost = len(calls.asked) - len(calls.charged)
    assert states[_ESTIMATED] <= lost
    return {
        "requests": len(calls.asked),
        "reached the provider": len(received),
        "in flight at the kill": lost,
        "settled": states[_SETTLED],
        "estimated": states[_ESTIMATED],
    }
