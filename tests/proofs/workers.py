"""Several processes behind one port are one mesh: budgets, limits and bulkheads hold for all of them together."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.policy.v1 import identity_pb2, ledger_pb2, ledger_pb2_grpc, rules_pb2
from tests.e2e.running import children
from tests.proofs import killed, spending
from tests.proofs.gone import chat
from tests.proofs.http import call
from tests.proofs.load import Load, chat_body, load
from tests.proofs.proof import Measures, group_of
from tests.proofs.stand import PATIENCE, Stand, model, provider, stand, until
from tests.proofs.wires import settings_of_wires

_WORKERS = 2
_CLIENTS = 24
_DOMAIN = "domains/limited"
_PRINCIPAL = f"{_DOMAIN}/principals/many"
_TAKES = 0.06
"""Seconds that the provider thinks before it answers `limited` and `narrow-…`."""
_NARROW = (1, 2, 5)
"""Bulkheads: fewer places than there are processes that call the provider, and more."""
_ATTEMPTS = re.compile(r'^llm_mesh_attempts_total\{llm_mesh_process="([a-z0-9-]+)",.*\} ([0-9.]+)$', re.MULTILINE)


class Workers:
    """The claim."""

    name = "workers"
    claim = (
        "`llm-mesh up --workers 2`: the main process and two that accept HTTP at one port are one mesh. **budget**: what 64 clients spend "
        "at once by all of them is never more than the budget (the cases of concurrent-spending). **limit**: requests in flight never "
        "exceed a concurrency limit. **bulkhead**: calls at the provider never exceed an endpoint's `max_in_flight`, fewer than processes "
        "or more, over HTTP and gRPC at once. **kill-worker**: after `kill -9` of one of them under load the other goes on, each request "
        "in the provider's log has exactly one ledger entry, what was in flight is settled as estimated, and the worker comes back. In "
        "each case but the last both workers have served."
    )

    def cases(self, *, full: bool) -> Sequence[str]:
        """Ten of each, or one."""
        groups = [("budget", 10), ("limit", 10), *((f"bulkhead/{most}", 4) for most in _NARROW), ("kill-worker", 20)]
        return [f"{group}/{number:03}" for group, most in groups for number in range(most if full else 1)]

    @contextmanager
    def stand(self, folder: Path, cases: Sequence[str]) -> Iterator[Stand]:
        """Each case has names of its own."""
        del cases
        with provider(folder) as simulator:
            narrow = {
                f"LLM_MESH_ADAPTER_OPENAI_ENDPOINT_NARROW_{most}": json.dumps(
                    {"base_url": f"http://{simulator.address}/v1", "local": True, "max_in_flight": most}
                )
                for most in _NARROW
            }
            with stand(folder, simulator, {"LLM_MESH_WORKERS": str(_WORKERS), **narrow, **settings_of_wires(simulator)}) as made:
                spending.put_models(made)
                killed.put_models(made)
                thinking = f"sim-echo/ttft_ms:{_TAKES * 1000:.0f}"
                made.put_models(
                    [
                        model("limited", thinking + "/tokens:4"),
                        *(model(f"narrow-{most}", f"{thinking}/tokens:{most}", endpoint=f"narrow-{most}") for most in _NARROW),
                    ]
                )
                yield made

    def show(self, stand: Stand, case: str, rng: random.Random) -> Measures:
        """One case."""
        group, _, most = group_of(case).partition("/")
        if group == "kill-worker":
            return _kill(stand, rng)
        before = _attempts(stand)
        ways: Mapping[str, Callable[[], Measures]] = {
            "budget": lambda: spending.Spending().show(stand, case, rng),
            "limit": lambda: _limit(stand, rng),
            "bulkhead": lambda: _bulkhead(stand, rng, int(most)),
        }
        measures = ways[group]()
        served = _attempts(stand) - before
        assert {"worker-1", "worker-2"} <= served.keys(), f"both workers serve: {served}"
        return measures


def _limit(made: Stand, rng: random.Random) -> Measures:
    name, most = f"limit-{rng.getrandbits(64):x}", rng.randint(1, 6)
    project = f"{_DOMAIN}/projects/{name}"
    made.apply_policy(
        domains=[identity_pb2.Domain(name=_DOMAIN)],
        projects=[identity_pb2.Project(name=project)],
        principals=[identity_pb2.Principal(name=_PRINCIPAL)],
        bindings=[rules_pb2.Binding(name=f"{_DOMAIN}/bindings/many", principal=_PRINCIPAL, role="roles/application")],
    )
    limit = ledger_pb2.Limit(name=f"{_DOMAIN}/limits/{name}", subject=project, metric=ledger_pb2.LIMIT_METRIC_CONCURRENCY, amount=most)
    ledger_pb2_grpc.LedgerServiceStub(made.channel).PutLimit(ledger_pb2.PutLimitRequest(limit=limit), metadata=made.admin)
    key = made.new_key(project, _PRINCIPAL).secret
    with load(made, _CLIENTS, name, lambda _rng: chat_body("limited", "hi", max_tokens=8), rng, most=_CLIENTS * 12, key=key) as run:
        pass
    return _overlap(made, name, most, run)


def _bulkhead(made: Stand, rng: random.Random, most: int) -> Measures:
    name, ended = f"bulkhead-{rng.getrandbits(64):x}", threading.Event()
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(made.channel)
    refusals: list[grpc.StatusCode] = []

    def ask() -> None:
        for number in itertools.count():
            if ended.is_set():
                return
            request = gateway_pb2.GenerateRequest(input=chat(f"narrow-{most}", "hi"))
            try:
                stub.Generate(request, metadata=(*made.user, ("x-request-id", f"{name}-grpc-{number}")), timeout=PATIENCE)
            except grpc.RpcError as error:
                refusals.append(error.code())

    main = threading.Thread(target=ask, daemon=True)
    main.start()
    try:
        body = chat_body(f"narrow-{most}", "hi", max_tokens=8)
        with load(made, _CLIENTS, name, lambda _rng: body, rng, most=_CLIENTS * 8) as run:
            pass
    finally:
        ended.set()
        main.join(PATIENCE)
    assert set(refusals) <= {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE}
    return _overlap(made, name, most, run)


def _overlap(made: Stand, name: str, most: int, run: Load) -> Measures:
    """A request that the provider received is there for as long as the provider thinks, at least."""
    began = sorted(float(line["at"]) for line in made.provider.log(event="received") if _of(line, name))
    at_once = max(sum(1 for other in began if moment - _TAKES < other <= moment) for moment in began)
    assert at_once <= most, f"{at_once} at once, where {most} are allowed"
    answered = sum(1 for each in run.asked if each.answered)
    refused = [each.reply.status for each in run.asked if each.reply is not None and each.reply.status != 200]
    assert answered, "some are answered"
    assert refused, "more were asked at once than are allowed"
    assert set(refused) <= {429, 503}, Counter(refused)
    return {"requests": len(run.asked), "answered": answered, "allowed at once": most, "most at once": at_once}


def _of(line: Mapping[str, Any], name: str) -> bool:
    return str(line.get("x-llm-mesh-request-id") or line.get("x-request-id") or "").startswith(name)


def _kill(made: Stand, rng: random.Random) -> Measures:
    name = f"kill-worker-{rng.getrandbits(64):x}"
    before = children(made.mesh.process.pid)
    assert len(before) == _WORKERS
    victim = rng.choice(before)
    with load(made, _CLIENTS, name, killed.question, rng) as run:
        until(lambda: run.finished() >= _CLIENTS, "the mesh is under load")
        moment = rng.randint(1, 60) + run.finished()
        until(lambda: run.finished() >= moment, "the moment of the kill has come")
        os.kill(victim, signal.SIGKILL)
        at_kill = run.finished()
        until(lambda: run.finished() >= at_kill + _CLIENTS, "the other worker goes on")
    until(lambda: all(_serving(made).values()), "the worker comes back")
    after = children(made.mesh.process.pid)
    assert victim not in after
    assert len(after) == _WORKERS
    assert set(before) - {victim} <= set(after), "nobody else was started again"
    return killed.accounted(made, name, run)


def _serving(made: Stand) -> dict[str, bool]:
    stub: Any = health_pb2_grpc.HealthStub(made.channel)
    states = stub.List(health_pb2.HealthListRequest(), timeout=PATIENCE).statuses
    found = {name: states[name].status == health_pb2.HealthCheckResponse.SERVING for name in states if name.startswith("process/worker-")}
    assert len(found) == _WORKERS
    return found


def _attempts(made: Stand) -> Counter[str]:
    """Attempts by process, as whichever worker answers tells them of all."""
    text = call(made.mesh.addresses["http"], "GET", "/metrics").body.decode()
    found: Counter[str] = Counter()
    for process, value in _ATTEMPTS.findall(text):
        found[process] += int(float(value))
    return found
