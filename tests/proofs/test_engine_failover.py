"""An engine over gRPC that dies before content is passed over; one that dies after it ends the answer: seen through a whole mesh."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from llm_mesh.policy.v1 import usage_pb2
from llm_mesh.registry.v1 import registry_pb2
from tests.adapter_engine.fake_engine import SERVED, FakeEngine, Script, engine
from tests.adapter_engine.fake_text import files
from tests.proofs.load import chat_body
from tests.proofs.stand import PATIENCE, Stand, model, provider, route, stand

BEFORE = {
    "unavailable": (Script(fails=grpc.StatusCode.UNAVAILABLE, details="no capacity"), "PROVIDER_ERROR"),
    "dead": (Script(fails=grpc.StatusCode.INTERNAL, details="EngineDeadError"), "PROVIDER_ERROR"),
    "busy": (Script(fails=grpc.StatusCode.RESOURCE_EXHAUSTED, details="queue full"), "PROVIDER_RATE_LIMITED"),
    "silent": (Script(waits_after=0), "PROVIDER_TIMEOUT"),
    "ended": (Script(ends_after=0), "PROVIDER_RESET"),
    "looping": (
        Script(files=files("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")),
        "PROVIDER_MALFORMED",
    ),
}
AFTER = Script(text="one two three", fails=grpc.StatusCode.INTERNAL, details="lost a rank", fails_after=4)
NAMES = (*BEFORE, "after")


@contextmanager
def engines() -> Iterator[dict[str, FakeEngine]]:
    """One engine for each kind of failure, on an event loop of their own."""
    made: dict[str, FakeEngine] = {}
    loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve(names: tuple[str, ...]) -> None:
        if not names:
            ready.set()
            await over.wait()
            return
        script = AFTER if names[0] == "after" else BEFORE[names[0]][0]
        async with engine(script) as made[names[0]]:
            await serve(names[1:])

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(NAMES),))
    thread.start()
    try:
        assert ready.wait(PATIENCE)
        yield made
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


def behind_an_engine(name: str) -> registry_pb2.Model:
    made = model(f"{name}-first", SERVED, endpoint=name)
    made.adapter = "engine"
    return made


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A mesh in which each route goes to an engine that fails first, and to a good provider second."""
    folder: Path = tmp_path_factory.mktemp("engines")
    with engines() as made, provider(folder) as simulator:
        endpoints = {
            f"LLM_MESH_ADAPTER_ENGINE_ENDPOINT_{name.upper()}": json.dumps({"base_url": f"http://127.0.0.1:{each.port}", "local": True})
            for name, each in made.items()
        }
        with stand(folder, simulator, {**endpoints, "LLM_MESH_ADAPTER_ENGINE_TEMPLATE_CPU": "0.05"}) as standing:
            routes = [route(name, f"{name}-first", "good", first_token=1, idle=5) for name in NAMES]
            standing.put_models([*map(behind_an_engine, NAMES), model("good", "sim-echo")], routes)
            yield standing


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", BEFORE)
def test_an_engine_that_fails_before_content_is_passed_over(mesh: Stand, name: str, *, streamed: bool) -> None:
    request = f"{name}-{streamed}"
    answer = mesh.ask(chat_body(name, "hello there", stream=streamed), headers={"x-request-id": request})
    assert (answer.status, answer.text) == (200, "hello there"), answer.body
    entry = mesh.entry(request)
    first, second = entry.lines
    assert first.usage.error_reason == BEFORE[name][1]
    assert first.usage.outcome in {usage_pb2.ATTEMPT_OUTCOME_FAILED, usage_pb2.ATTEMPT_OUTCOME_NOT_SENT}
    assert second.usage.outcome == usage_pb2.ATTEMPT_OUTCOME_COMPLETED
    assert entry.state == usage_pb2.RESERVATION_STATE_SETTLED


def test_an_engine_that_fails_after_content_ends_the_answer(mesh: Stand) -> None:
    answer = mesh.ask(chat_body("after", "hello there", stream=True), headers={"x-request-id": "after"})
    assert [event["error"]["code"] for event in answer.events() if "error" in event] == ["answer_interrupted"]
    content = [event["choices"][0]["delta"].get("content") or "" for event in answer.events() if event.get("choices")]
    assert "".join(content) == "one "
    assert mesh.provider.received("after") == [], "no other target was asked"
    (line,) = mesh.entry("after").lines
    assert (line.usage.outcome, line.usage.error_reason) == (usage_pb2.ATTEMPT_OUTCOME_INTERRUPTED, "PROVIDER_ERROR")
