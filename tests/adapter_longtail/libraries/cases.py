"""LiteLLM's library and any-llm, each from its own environment, against the simulator: `make longtail` runs this, and nothing else does."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest
import pytest_asyncio

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_adapter_anyllm.wiring import WRAPPED as ANYLLM
from llm_mesh_adapter_anyllm.wiring import service as anyllm
from llm_mesh_adapter_litellm.wiring import WRAPPED as LITELLM
from llm_mesh_adapter_litellm.wiring import service as litellm
from llm_mesh_adapter_longtail.process import LibraryProcess, ProcessBounds
from llm_mesh_adapter_longtail.wiring import WrappedLibrary
from llm_mesh_runtime.http.listener import HttpListener
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.provider.app import Simulator
from llm_mesh_simulator.store.journal import Journal
from tests.adapter_kit.standing_adapter import StandingAdapter
from tests.adapter_kit.test_adapters_at_the_simulator import SCHEMA, TEXT, TOOL, say
from tests.adapter_longtail.conftest import KEY, over
from tests.architecture.repository import ROOT

pytestmark = pytest.mark.asyncio(loop_scope="module")
LIBRARIES = {"litellm": LITELLM, "anyllm": ANYLLM}
FAILURES = {
    "sim-400": "PROVIDER_REJECTED",
    "sim-context-length": "CONTEXT_EXCEEDED",
    "sim-401": "PROVIDER_UNAUTHENTICATED",
    "sim-403": "PROVIDER_UNAUTHENTICATED",
    "sim-404": "PROVIDER_MODEL_NOT_FOUND",
    "sim-429": "PROVIDER_RATE_LIMITED",
    "sim-500": "PROVIDER_ERROR",
    "sim-503": "PROVIDER_ERROR",
}


def apart(name: str) -> WrappedLibrary:
    """The library, run by the Python of its own environment."""
    return LIBRARIES[name]._replace(python=str(ROOT / f".venv-{name}" / "bin/python"))


@asynccontextmanager
async def simulated(folder: Path, wants: str = "") -> AsyncIterator[tuple[str, Simulator]]:
    journal = Journal(folder / "simulator.log.jsonl")
    journal.open()
    simulator = Simulator(journal, api_key=wants)
    listener = HttpListener("127.0.0.1:0", simulator)
    await listener.start()
    try:
        yield f"http://{listener.address}/v1", simulator
    finally:
        await listener.stop(1)
        journal.close()


class Standing(NamedTuple):
    """One library for all tests: it loads for seconds."""

    adapter: StandingAdapter
    simulator: Simulator


@pytest_asyncio.fixture(params=LIBRARIES, scope="module", loop_scope="module")
async def standing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Standing]:
    folder = tmp_path_factory.mktemp("simulator")
    async with simulated(folder, KEY) as (url, simulator), over(apart(request.param), url, library="openai") as made:
        await loaded(made)
        yield Standing(made, simulator)


async def loaded(adapter: StandingAdapter) -> None:
    """A library loads its parts with the first call, for longer than a call may take where the machine is busy."""
    for _ in range(5):
        try:
            await adapter.generate("sim-echo")
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                raise
        else:
            return


@pytest.fixture
def adapter(standing: Standing) -> StandingAdapter:
    return standing.adapter


@pytest.mark.parametrize("name", LIBRARIES)
async def test_the_pin_is_locked_by_hash_and_no_malicious_release(name: str) -> None:
    lock = (ROOT / f"services/adapters/{name}/requirements.lock").read_text()
    pinned = re.findall(r"^(?:litellm|any-llm-sdk)==(\S+) \\\n    --hash=sha256:[0-9a-f]{64}", lock, re.MULTILINE)
    assert len(pinned) == 1
    assert pinned[0] not in {"1.82.7", "1.82.8", "1.107.0"}
    assert not list((ROOT / f".venv-{name}").glob("lib/*/site-packages/litellm_init.pth"))


@pytest.mark.parametrize("service", [litellm, anyllm], ids=lambda service: service.name)
async def test_the_service_is_as_it_declares(service: object) -> None:
    assert getattr(service, "port", 0) in {50070, 50071}


async def test_text_whole_and_streamed_has_exact_usage(adapter: StandingAdapter) -> None:
    whole = await adapter.generate("sim-echo", messages=[say(TEXT)])
    events, report = await adapter.stream("sim-echo", messages=[say(TEXT)])
    assert whole.output.choices[0].message.parts[0].text.text == TEXT
    assert "".join(event.text.text for event in events) == TEXT
    assert whole.report.usage.output_tokens == report.usage.output_tokens == tokens.count(TEXT)
    assert whole.report.source == report.source == usage_pb2.USAGE_SOURCE_PROVIDER


async def test_tools_and_schemas_hold(adapter: StandingAdapter) -> None:
    asked = [say("get_weather and get_weather")]
    whole = await adapter.generate("sim-echo", messages=asked, tools=[TOOL])
    call = next(part for part in whole.output.choices[0].message.parts if part.HasField("tool_call"))
    events, _ = await adapter.stream("sim-echo", messages=asked, tools=[TOOL])
    assert json.loads("".join(event.tool_call.arguments_json for event in events)) == json.loads(call.tool_call.arguments_json)
    form = content_pb2.ResponseFormat(json_schema=content_pb2.JsonSchemaFormat(name="x", schema_json=json.dumps(SCHEMA)))
    shaped = await adapter.generate("sim-echo", response_format=form)
    assert json.loads(shaped.output.choices[0].message.parts[0].text.text).keys() == {"city"}
    cut = await adapter.generate("sim-words/tokens:300")
    assert (cut.output.choices[0].finish_reason, cut.report.usage.output_tokens) == (generate_pb2.FINISH_REASON_LENGTH, 256)


async def test_each_failure_has_the_same_reason_as_on_our_own_wire(adapter: StandingAdapter) -> None:
    reasons = {}
    for model in FAILURES:
        for call in (adapter.generate, adapter.stream):
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await call(model)
            reasons[model, call.__name__] = from_rpc_error(failure.value).reason_name
    assert reasons == {(model, way): reason for model, reason in FAILURES.items() for way in ("generate", "stream")}


async def test_vectors(adapter: StandingAdapter) -> None:
    response = await adapter.embed(["red apple", "red apple pie"], "sim-embed")
    assert len(response.output.embeddings) == 2
    assert response.report.usage.input_tokens == sum(map(tokens.count, ("red apple", "red apple pie")))


async def test_models_are_listed(adapter: StandingAdapter) -> None:
    assert "sim-echo" in (await adapter.discover()).models


async def test_one_call_is_one_request_and_our_credential_never_comes_back(standing: Standing) -> None:
    adapter, simulator = standing
    before = len(simulator._exchanges.requests)
    echoed = await adapter.generate("sim-echo", messages=[say(f"the key is {KEY}")])
    assert KEY not in str(echoed)
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await adapter.generate("sim-503", messages=[say(KEY)])
    assert KEY not in str(failure.value)
    assert len(simulator._exchanges.requests) - before == 2, "something is tried twice"


async def test_a_caller_who_leaves_closes_the_providers_connection(standing: Standing) -> None:
    adapter, simulator = standing
    gone = simulator._exchanges.counters.client_gone
    call = adapter.begin("sim-words/tokens:200/rate:20")
    async for _ in call:
        break
    call.cancel()
    async with asyncio.timeout(5):
        while simulator._exchanges.counters.client_gone == gone:  # noqa: ASYNC110  a counter tells nobody that it grows
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("name", LIBRARIES)
async def test_the_library_reaches_its_endpoint_and_nothing_else(name: str, tmp_path: Path) -> None:
    """Loading, answering and failing it tries no other place; sent to another one, it is refused."""
    wrapped = apart(name)
    async with simulated(tmp_path) as (url, _):
        bounds = ProcessBounds(environment=wrapped.environment, endpoints=[{"base_url": url, "local": True, "allow": []}])
        process = LibraryProcess(wrapped.module, bounds, python=wrapped.python)
        try:
            assert [await status(process, url, model) for model in ("sim-echo", "sim-500")] == [200, 500]
            assert places(process) == []
            assert await status(process, "https://api.openai.com/v1", "gpt-5") in {500, 503}
            assert places(process) == ["api.openai.com:443"]
        finally:
            await process.close()


async def status(process: LibraryProcess, url: str, model: str) -> int:
    target = {"provider": "openai", "base_url": url, "model": model, "key": KEY}
    body = json.dumps({"messages": [{"role": "user", "content": "hello"}]}).encode()
    deadline = time.monotonic() + 60
    reply = await process.call({"operation": "chat", "target": target}, body, deadline, 60)
    while not reply.ended:
        await reply.wait(deadline)
    assert reply.head is not None
    return int(reply.head["status"])


def places(process: LibraryProcess) -> list[str]:
    """What it was refused; OpenAI's client besides asks for the machine's name by a program, and goes on without it."""
    return [each for each in process.refusals if each != "subprocess.Popen"]
