"""A mesh that is killed under load loses no request that reached the provider, and makes none up."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_mesh.policy.v1 import usage_pb2
from tests.e2e.running import children
from tests.proofs.load import Load, chat_body, load
from tests.proofs.proof import Measures, group_of, words
from tests.proofs.stand import Provider, Stand, charge, model, provider, request_of, route, stand, until
from tests.proofs.wires import ADAPTERS, model_at, settings_of_wires

_CLIENTS = 16
_MODELS = ("kill-quick", "kill-paced", "kill-moved", *(f"kill-{adapter}-{pace}" for adapter in ADAPTERS for pace in ("quick", "paced")))
_PACED = "sim-words/tokens:60/rate:150/ttft_ms:40"
_WITH_WORKERS = "kill-with-workers"
Line = dict[str, Any]


@dataclass(frozen=True)
class Ground:
    """What outlives the mesh."""

    folder: Path
    provider: Provider


@dataclass
class Killed:
    """The claim."""

    name = "kill-9"
    claim = (
        "`kill -9` of the embedded process under load, and a second start on the same data: each request in the provider's own log has "
        "exactly one ledger entry. What is settled is the provider's usage at the price, line by line. What is estimated is at most what "
        "was in flight, each with actual ≤ charge ≤ reservation. Nothing is held any more. What a client has read to its end is settled. "
        "The requests go over every wire. The same with two workers that accept HTTP beside the killed process, none of which outlives it."
    )

    def cases(self, *, full: bool) -> Sequence[str]:
        """Thirty kills, or two; the seed chooses the moment."""
        alone = [f"kill/{number:03}" for number in range(20 if full else 1)]
        return [*alone, *(f"{_WITH_WORKERS}/{number:03}" for number in range(10 if full else 1))]

    @contextmanager
    def stand(self, folder: Path, cases: Sequence[str]) -> Iterator[Ground]:
        """A provider of its own process, and a data directory that all rounds share."""
        del cases
        with provider(folder) as simulator:
            yield Ground(folder, simulator)

    def show(self, stand: Ground, case: str, rng: random.Random) -> Measures:
        """One kill."""
        name = f"{case.replace('/', '-')}-{rng.getrandbits(64):x}"
        env = {"LLM_MESH_WORKERS": "2"} if group_of(case) == _WITH_WORKERS else {}
        run = _until_killed(stand, name, rng, env)
        return _afterwards(stand, name, run, env)


def put_models(made: Stand) -> None:
    """What `question` asks for."""
    models = [
        model("kill-quick", "sim-echo"),
        model("kill-paced", _PACED),
        model("kill-broken", "sim-500/first:3"),
        *(model_at(adapter, f"kill-{adapter}-quick", "sim-echo") for adapter in ADAPTERS),
        *(model_at(adapter, f"kill-{adapter}-paced", _PACED) for adapter in ADAPTERS),
    ]
    made.put_models(models, [route("kill-moved", "kill-broken", "kill-quick")])


def _until_killed(ground: Ground, name: str, rng: random.Random, env: dict[str, str]) -> Load:
    (ground.folder / "ready").unlink(missing_ok=True)
    with stand(ground.folder, ground.provider, env | settings_of_wires(ground.provider)) as made:
        put_models(made)
        workers = children(made.mesh.process.pid)
        assert len(workers) == int(env.get("LLM_MESH_WORKERS", "0"))
        with load(made, _CLIENTS, name, question, rng) as run:
            until(lambda: run.finished() >= _CLIENTS, "the mesh is under load")
            time.sleep(rng.uniform(0.1, 1.2))  # the moment of the kill is the point
            made.mesh.kill()
            run.stopped.set()
        until(lambda: not any(map(alive, workers)), "no worker outlives the main process", time_limit=5)
    return run


def question(rng: random.Random) -> dict[str, Any]:
    return chat_body(rng.choice(_MODELS), words(rng, rng.randint(1, 60)), stream=rng.random() < 0.5, max_tokens=100)


def alive(process: int) -> bool:
    """Whether the process runs; one that has ended and whose parent is gone does not, whoever is to bury it."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _afterwards(ground: Ground, name: str, run: Load, env: dict[str, str]) -> Measures:
    (ground.folder / "ready").unlink()
    with stand(ground.folder, ground.provider, env | settings_of_wires(ground.provider)) as again:
        return accounted(again, name, run)


def accounted(again: Stand, name: str, run: Load) -> Measures:
    """Whether the ledger has what the provider has, now that nothing runs any more; what it has."""
    until(lambda: not again.entries(state=usage_pb2.RESERVATION_STATE_HELD), "nothing is held any more")
    entries = [entry for entry in again.entries() if entry.request_id.startswith(name)]
    logged: defaultdict[str, dict[str, Line]] = defaultdict(dict)
    for line in again.provider.log(event="received"):
        request = request_of(line)
        if request.startswith(name):
            assert line["x-llm-mesh-attempt"] not in logged[request], f"{request} was sent twice"
            logged[request][line["x-llm-mesh-attempt"]] = line
    by_request = Counter(entry.request_id for entry in entries)
    assert max(by_request.values()) == 1, "one entry per request"
    assert not logged.keys() - by_request.keys(), "what reached the provider is in the ledger"
    states = Counter(usage_pb2.ReservationState.Name(entry.state).removeprefix("RESERVATION_STATE_").lower() for entry in entries)
    for entry in entries:
        _check(entry, logged[entry.request_id])
    lost = len([each for each in run.asked if each.reply is None])
    assert states["estimated"] <= lost, f"{states['estimated']} estimated, {lost} in flight"
    settled = {entry.request_id for entry in entries if entry.state == usage_pb2.RESERVATION_STATE_SETTLED}
    assert not {each.request for each in run.asked if each.answered} - settled, "what a client has read is settled"
    return {
        "requests": len(run.asked),
        "reached the provider": len(logged),
        "in flight at the kill": lost,
        "settled": states["settled"],
        "estimated": states["estimated"],
        "released": states["released"],
    }


def _check(entry: usage_pb2.LedgerEntry, logged: dict[str, Line]) -> None:
    actual = sum(_cost(line) for line in logged.values())
    assert 0 <= entry.charged.nanos <= entry.reserved.nanos
    if entry.state == usage_pb2.RESERVATION_STATE_RELEASED:
        assert not logged, f"{entry.request_id} was sent, and given back"
        assert entry.charged.nanos == 0
    elif entry.state == usage_pb2.RESERVATION_STATE_ESTIMATED:
        assert actual <= entry.charged.nanos, f"{entry.request_id}: charged less than it cost"
    else:
        assert entry.state == usage_pb2.RESERVATION_STATE_SETTLED
        _check_settled(entry, logged)


def _check_settled(entry: usage_pb2.LedgerEntry, logged: dict[str, Line]) -> None:
    sent = {line.usage.attempt_id: line for line in entry.lines if line.usage.outcome != usage_pb2.ATTEMPT_OUTCOME_NOT_SENT}
    assert sent.keys() == logged.keys(), entry.request_id
    for attempt, line in sent.items():
        if line.usage.outcome == usage_pb2.ATTEMPT_OUTCOME_COMPLETED:
            usage = logged[attempt]["usage"]
            assert (line.usage.usage.input_tokens, line.usage.usage.output_tokens) == (usage["prompt"], usage["completion"])
            assert line.charge.nanos == _cost(logged[attempt])
        else:
            assert line.charge.nanos == 0, f"{entry.request_id}: {line}"


def _cost(line: Line) -> int:
    """What the provider's own count costs; nothing where it answered with an error."""
    usage = line.get("usage")
    return charge(usage["prompt"], usage["completion"]) if usage else 0
