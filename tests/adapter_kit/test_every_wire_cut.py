"""Streams of every dialect: the same answer wherever their bytes are cut, and typed errors for what is cut off or damaged."""

from __future__ import annotations

import asyncio
import http.client
import importlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_kit.conversions import Collector
from llm_mesh_adapter_kit.dialect import Ask
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.framing import Frame, FramingError
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_runtime.http.listener import HttpListener
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_simulator.provider.app import Simulator
from llm_mesh_simulator.store.journal import Journal
from tests.adapter_kit.every_dialect import ENDPOINT, Wired, wired
from tests.adapter_kit.standing_adapter import saying, standing
from tests.conformance.wires import WIRES
from tests.proofs.http import call
from tests.proofs.proof import count

_TOOL = content_pb2.Tool(
    function=content_pb2.FunctionTool(name="get_weather", parameters_json='{"type":"object","properties":{"a":{"type":"string"}}}')
)
_STEP = count(11, 1)
"""How far apart the cuts are at which a whole answer is read; frames are compared at each byte."""
Streams = Mapping[tuple[str, str], tuple[Wired, bytes]]
"""By adapter and answer: how it is read, and the bytes."""
ANSWERS = {"text": ("sim-echo", "Grüße 🙂 an 世界"), "calls": ("sim-tools/reasoning:2", "hi")}


def _input(said: str) -> generate_pb2.GenerateInput:
    asks = content_pb2.Message(role=content_pb2.ROLE_USER, parts=[content_pb2.Part(text=content_pb2.Text(text=said))])
    return generate_pb2.GenerateInput(messages=[asks], tools=[_TOOL])


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Streams:
    """What the simulator streams in each dialect."""
    return asyncio.run(_all_streams(tmp_path_factory.mktemp("streams")))


async def _all_streams(folder: Path) -> Streams:
    journal = Journal(folder / "simulator.log.jsonl")
    journal.open()
    listener = HttpListener("127.0.0.1:0", Simulator(journal))
    await listener.start()
    try:
        made = {adapter: wired(adapter, listener.address) for adapter in WIRES}
        return {(adapter, answer): await _streamed(each, listener.address, answer) for adapter, each in made.items() for answer in ANSWERS}
    finally:
        await listener.stop(1)
        journal.close()


async def _streamed(made: Wired, address: str, answer: str) -> tuple[Wired, bytes]:
    model, asks = ANSWERS[answer]
    asked = made.dialect.generate(Ask(made.endpoint, model, 256, stream=True), _input(asks))
    path = made.endpoint.url(asked.path).partition(address)[2]
    headers = {"content-type": "application/json", "anthropic-version": "2023-06-01", **asked.headers}
    reply = await asyncio.to_thread(call, address, asked.method, path, asked.body, headers)
    assert reply.status == http.client.OK, reply.body
    assert reply.headers["content-type"].startswith(made.dialect.framing.media_types)
    return replace(made, answer_reader=asked.reader), reply.body


def framed(made: Wired, *pieces: bytes) -> list[Frame]:
    parser = made.dialect.framing.parser()
    return [frame for piece in pieces for frame in parser.feed(piece)] + parser.rest()


def read(made: Wired, *pieces: bytes) -> tuple[generate_pb2.GenerateOutput, Any]:
    """The answer, and what it used. Fails as the adapter would: with an `AdapterError`, or a `FramingError`, which it makes one of."""
    message = adapter_pb2.GenerateStreamResponse()
    parser, reader = made.dialect.framing.parser(), made.reader()
    meter = AttemptMeter(plan_pb2.Attempt(id="a1", max_output_tokens=256, max_input_tokens=100), 256)
    for piece in pieces:
        if not reader.done:
            reader.feed(parser.feed(piece), message.events, meter)
    if not reader.done:
        reader.feed(parser.rest(), message.events, meter)
    last = list(reader.finish())
    meter.saw(last)
    message.events.extend(last)
    output = generate_pb2.GenerateOutput()
    Collector(output).collect(message.events)
    return output, meter.report()


def said(output: generate_pb2.GenerateOutput) -> list[Any]:
    """What an answer says, apart from its usage."""
    return [part for choice in output.choices for part in choice.message.parts]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("adapter", WIRES)
def test_a_stream_says_the_same_wherever_it_is_cut(streams: Streams, adapter: str, answer: str) -> None:
    made, body = streams[adapter, answer]
    frames, whole = framed(made, body), read(made, body)
    assert said(whole[0])
    for cut in range(len(body) + 1):
        assert framed(made, body[:cut], body[cut:]) == frames, cut
    for cut in range(0, len(body), _STEP):
        assert read(made, body[:cut], body[cut:]) == whole, cut
    assert read(made, *(body[place : place + 1] for place in range(len(body)))) == whole


@pytest.mark.parametrize("adapter", WIRES)
def test_a_stream_that_is_cut_off_is_told_or_whole(streams: Streams, adapter: str) -> None:
    made, body = streams[adapter, "calls"]
    whole, _ = read(made, body)
    broken = 0
    for cut in range(0, len(body), _STEP):
        try:
            output, _ = read(made, body[:cut])
        except (AdapterError, FramingError):
            broken += 1
        else:  # nothing but usage or an end mark is missing
            assert said(output) == said(whole), cut
    assert broken > len(body) // _STEP // 2


@pytest.mark.parametrize("adapter", WIRES)
def test_a_damaged_byte_is_another_text_or_a_typed_error(streams: Streams, adapter: str) -> None:
    made, body = streams[adapter, "text"]
    failed = 0
    for place in range(0, len(body), _STEP):
        damaged = body[:place] + bytes([body[place] ^ 0x81]) + body[place + 1 :]
        try:
            read(made, damaged)
        except (AdapterError, FramingError):
            failed += 1
    assert failed, "bytes of structure are among them"
    if made.dialect.framing.media_types[0] == "application/vnd.amazon.eventstream":
        assert failed == len(range(0, len(body), _STEP)), "frames have checksums"


@pytest.mark.parametrize("content_type", ["text/html", "application/octet-stream", "image/png"])
@pytest.mark.parametrize("adapter", WIRES)
async def test_an_answer_of_another_type_is_a_typed_error(adapter: str, content_type: str) -> None:
    body = b"<html>not what was asked for</html>"
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    service, settings = _service(adapter)
    async with standing(service, settings, [head, body]) as made:
        for ask in (made.generate, made.stream):
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await ask(messages=saying().messages)
            assert from_rpc_error(failure.value).reason_name == "PROVIDER_MALFORMED"


def _service(adapter: str) -> tuple[Any, Any]:
    wire = WIRES[adapter]
    wiring: Any = importlib.import_module(f"llm_mesh_adapter_{wire.adapter}.wiring")
    return wiring.service, lambda endpoint: wiring.Settings(endpoints={ENDPOINT: json.dumps({**json.loads(endpoint), **wire.settings})})
