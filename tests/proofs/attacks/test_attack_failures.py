"""A failing provider is used to spend, to wait for ever, to blame the caller, or to read what it says: from outside, on a running mesh."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llm_mesh.policy.v1 import usage_pb2
from tests.proofs.http import Reply
from tests.proofs.load import chat_body
from tests.proofs.stand import Stand, model, provider, stand

MOST = 3
"""An attempt and two repetitions. Cases have a model each, so that no breaker opens under them."""
STORM = 30
MODELS = {
    **{f"limited-{way}": f"sim-429/retry_after:0/tokens:{number}" for number, way in enumerate(("whole", "streamed"), 1)},
    **{f"failing-{way}": f"sim-500/tokens:{number}" for number, way in enumerate(("whole", "streamed"), 1)},
    **{f"overloaded-{way}": f"sim-503/tokens:{number}" for number, way in enumerate(("whole", "streamed"), 1)},
    **{f"storm-{number}": f"sim-500/tokens:{100 + number}" for number in range(STORM)},
    "patient": "sim-429/retry_after:3600",
    "used-up": "sim-quota",
    "locked-out": "sim-401",
    "broken": "sim-malformed",
}


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder: Path = tmp_path_factory.mktemp("failures")
    with provider(folder) as simulator, stand(folder, simulator) as made:
        models = [model(name, upstream) for name, upstream in MODELS.items()]
        made.put_models([*models, model("nobody", "sim-echo", endpoint="nobody"), model("unknown", "sim-echo", endpoint="unheard-of")])
        yield made


def ask(mesh: Stand, alias: str, request: str, *, stream: bool = False) -> Reply:
    return mesh.ask(chat_body(alias, "hi", stream=stream), headers={"x-request-id": request})


def wait_for_budget() -> None:
    """The budget of repetitions fills again within a second."""
    time.sleep(1.1)


@pytest.mark.parametrize("way", ["whole", "streamed"])
@pytest.mark.parametrize("alias", ["limited", "failing", "overloaded"])
def test_a_provider_that_keeps_failing_is_asked_a_bounded_number_of_times_and_costs_nothing(mesh: Stand, alias: str, way: str) -> None:
    wait_for_budget()
    request = f"bounded-{alias}-{way}"
    began = time.monotonic()
    reply = ask(mesh, f"{alias}-{way}", request, stream=way == "streamed")
    assert time.monotonic() - began < 15
    assert reply.status == (429 if alias == "limited" else 503)
    assert {reply.headers[name] for name in ("x-should-retry", "x-llm-mesh-cost")} == {"true", "0"}
    assert int(reply.headers["retry-after"]) >= 1
    received = mesh.provider.received(request)
    assert 1 <= len(received) <= MOST
    entry = mesh.entry(request)
    ids = [line.usage.attempt_id for line in entry.lines]
    assert len(ids) == len(set(ids)) == len(received)
    assert entry.charged.nanos == 0
    assert entry.state == usage_pb2.RESERVATION_STATE_SETTLED


def test_a_wish_of_an_hour_holds_nobody(mesh: Stand) -> None:
    began = time.monotonic()
    reply = ask(mesh, "patient", "patient")
    assert time.monotonic() - began < 5
    assert (reply.status, reply.headers["retry-after"], reply.headers["x-should-retry"]) == (429, "3600", "true")
    assert len(mesh.provider.received("patient")) == 1


@pytest.mark.parametrize(
    ("alias", "status", "code", "ours"),
    [
        ("used-up", 429, "insufficient_quota", "provider_rate_limited"),
        ("locked-out", 502, "provider_unauthenticated", "provider_unauthenticated"),
        ("unknown", 500, "unknown_endpoint", "unknown_endpoint"),
        ("broken", 502, "provider_malformed", "provider_malformed"),
    ],
)
def test_what_is_in_vain_is_not_repeated_and_costs_nothing(mesh: Stand, alias: str, status: int, code: str, ours: str) -> None:
    reply = ask(mesh, alias, f"vain-{alias}")
    assert (reply.status, reply.error["code"], reply.code) == (status, code, ours), reply.body
    assert (reply.headers["x-should-retry"], reply.headers["x-llm-mesh-cost"]) == ("false", "0")
    assert len(mesh.provider.received(f"vain-{alias}")) == (0 if alias == "unknown" else 1)


def test_a_refused_connection_gives_everything_back(mesh: Stand) -> None:
    reply = ask(mesh, "nobody", "nobody")
    assert (reply.status, reply.headers["x-should-retry"], reply.headers["x-llm-mesh-cost"]) == (503, "true", "0")
    entry = mesh.entry("nobody")
    assert (entry.state, entry.charged.nanos) == (usage_pb2.RESERVATION_STATE_REFUSED, 0)


def test_a_storm_of_failures_is_not_multiplied(mesh: Stand) -> None:
    with ThreadPoolExecutor(STORM) as pool:
        list(pool.map(lambda number: ask(mesh, f"storm-{number}", f"storm-{number:02}"), range(STORM)))
    received = sum(len(mesh.provider.received(f"storm-{number:02}")) for number in range(STORM))
    assert STORM <= received <= STORM * 2, "the budget of repetitions bounds them: without it each would be asked three times"
