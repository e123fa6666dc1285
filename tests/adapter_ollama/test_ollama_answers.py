"""The adapter against a server that answers with given bytes, whole, cut everywhere, broken and wrong."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_kit import discovering
from llm_mesh_adapter_kit.discovering import MOST_DESCRIBED
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.framing import FrameTooLargeError
from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_adapter_kit.ndjson import LineParser
from llm_mesh_adapter_kit.signing import Auth
from llm_mesh_adapter_ollama.provider.dialect import OllamaDialect
from llm_mesh_adapter_ollama.provider.endpoints import configured
from llm_mesh_adapter_ollama.settings import Settings
from llm_mesh_adapter_ollama.wiring import service
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.adapter_kit.scripted_provider import chunked, sized
from tests.adapter_kit.standing_adapter import EVENTS, JSON, LINES, StandingAdapter, standing

MOMENT = "2026-11-30T10:00:00.123456789Z"
CALL = {"function": {"name": "get_weather", "arguments": {"city": "Zürich"}}}
END = {"model": "llama3", "created_at": MOMENT, "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop",
       "total_duration": 9, "prompt_eval_count": 11, "eval_count": 5}  # fmt: skip


def line(**message: Any) -> dict[str, Any]:
    return {"model": "llama3", "created_at": MOMENT, "message": {"role": "assistant", "content": "", **message}, "done": False}


def bytes_of(*lines: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in lines)


LINES_OF_AN_ANSWER = (line(thinking="Hm, "), line(thinking="ja."), line(content="Gr"), line(content="üße"), line(tool_calls=[CALL]), END)
STREAM = bytes_of(*LINES_OF_AN_ANSWER)
WHOLE = END | {"message": {"role": "assistant", "content": "Grüße", "thinking": "Hm, ja.", "tool_calls": [CALL]}}
DIALECT = OllamaDialect()
ENDPOINT = Endpoint(name="main", provider="Ollama", base_url="http://127.0.0.1:1", local=True, auth=Auth(required=False))


def settings(endpoint: str) -> Settings:
    return Settings(endpoints={"main": endpoint})


def answered(body: bytes | dict[str, Any], header: bytes = JSON, status: bytes = b"200 OK") -> Sequence[bytes]:
    return [sized(body if isinstance(body, bytes) else json.dumps(body).encode(), header, status=status)]


def read(pieces: Sequence[bytes]) -> list[generate_pb2.StreamEvent]:
    """What the bytes mean, cut so."""
    parser, reader = LineParser(), DIALECT.reader(ENDPOINT)
    message, meter = adapter_pb2.GenerateStreamResponse(), AttemptMeter(plan_pb2.Attempt(), 0)
    for piece in pieces:
        reader.feed(parser.feed(piece), message.events, meter)
    if not reader.done:
        reader.feed(parser.rest(), message.events, meter)
    return [*message.events, *reader.finish()]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n"])
def test_a_stream_means_the_same_cut_at_every_byte_and_in_single_bytes(end: bytes) -> None:
    stream = STREAM.replace(b"\n", end)
    whole = read([stream])
    assert [event.WhichOneof("kind") for event in whole] == [
        "started", "reasoning", "reasoning", "text", "text", "tool_call_started", "tool_call", "choice_finished", "usage", "finished",
    ]  # fmt: skip
    assert read([stream[place : place + 1] for place in range(len(stream))]) == whole
    for place in range(1, len(stream)):
        assert read([stream[:place], stream[place:]]) == whole
    assert read([stream.removesuffix(end)]) == whole, "the last line end is missing"


async def test_a_streamed_answer_has_text_thinking_calls_and_the_servers_counts() -> None:
    async with standing(service, settings, [chunked([STREAM[:70], STREAM[70:]], LINES)]) as adapter:
        events, report = await adapter.stream()
    assert "".join(event.text.text for event in events) == "Grüße"
    assert "".join(event.reasoning.text for event in events) == "Hm, ja."
    finished = next(event.choice_finished for event in events if event.WhichOneof("kind") == "choice_finished")
    assert (finished.finish_reason, finished.native_finish_reason) == (generate_pb2.FINISH_REASON_TOOL_CALLS, "stop")
    assert (report.source, report.usage.input_tokens, report.usage.output_tokens) == (usage_pb2.USAGE_SOURCE_PROVIDER, 11, 5)
    assert adapter.paths == ["/api/chat"]


async def test_a_call_has_the_same_id_whole_and_streamed() -> None:
    async with standing(service, settings, [chunked([STREAM], LINES)], answered(WHOLE)) as adapter:
        events, _ = await adapter.stream()
        response = await adapter.generate()
    streamed = next(event.tool_call_started for event in events if event.WhichOneof("kind") == "tool_call_started")
    parts = response.output.choices[0].message.parts
    assert [part.WhichOneof("kind") for part in parts] == ["reasoning", "text", "tool_call"]
    assert streamed.id.startswith("call_")
    assert parts[2].tool_call.id == streamed.id
    assert json.loads(parts[2].tool_call.arguments_json) == {"city": "Zürich"}
    assert response.output.created == 1796032800


async def test_two_calls_of_one_answer_and_calls_of_two_answers_have_different_ids() -> None:
    twice = END | {"message": {"role": "assistant", "content": "", "tool_calls": [CALL, CALL]}}
    later = twice | {"created_at": MOMENT.replace("10:00:00", "10:00:01")}
    async with standing(service, settings, answered(twice), answered(later)) as adapter:
        answers = [await adapter.generate(), await adapter.generate()]
    ids = [part.tool_call.id for answer in answers for part in answer.output.choices[0].message.parts]
    assert len(set(ids)) == 4


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", generate_pb2.FINISH_REASON_STOP),
        ("length", generate_pb2.FINISH_REASON_LENGTH),
        ("load", generate_pb2.FINISH_REASON_OTHER),
        ("unload", generate_pb2.FINISH_REASON_OTHER),
    ],
)
async def test_every_reason_of_an_end_is_mapped(word: str, reason: int) -> None:
    body = END | {"message": {"role": "assistant", "content": "Hi"}, "done_reason": word}
    async with standing(service, settings, answered(body)) as adapter:
        choice = (await adapter.generate()).output.choices[0]
    assert (choice.finish_reason, choice.native_finish_reason) == (reason, word)


async def test_a_prompt_without_a_count_is_counted_by_the_mesh() -> None:
    body = {key: value for key, value in END.items() if key != "prompt_eval_count"} | {"message": {"role": "assistant", "content": "Hi"}}
    async with standing(service, settings, answered(body)) as adapter:
        report = (await adapter.generate()).report
    assert (report.source, report.usage.output_tokens) == (usage_pb2.USAGE_SOURCE_COUNTED, 5)
    assert report.usage.input_tokens > 0


async def test_logprobs_are_read_whole_and_streamed() -> None:
    probability = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": [{"token": "Ho", "logprob": -1.5}]}
    body = END | {"message": {"role": "assistant", "content": "Hi"}, "logprobs": [probability]}
    stream = bytes_of(line(content="Hi") | {"logprobs": [probability]}, END)
    async with standing(service, settings, answered(body), [chunked([stream], LINES)]) as adapter:
        whole = (await adapter.generate()).output.choices[0].logprobs
        events, _ = await adapter.stream()
    assert [(each.token, each.logprob, each.utf8, each.top[0].token) for each in whole] == [("Hi", -0.5, b"Hi", "Ho")]
    assert [each for event in events for each in event.text.logprobs] == list(whole)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ([chunked([STREAM[: STREAM.rindex(b'{"model"')]], LINES)], "PROVIDER_RESET"),
        ([chunked([STREAM[:-30]], LINES)], "PROVIDER_RESET"),
        ([chunked([bytes_of(line(content="a")), b"{nonsense\n"], LINES)], "PROVIDER_MALFORMED"),
        ([chunked([bytes_of(line(content=7))], LINES)], "PROVIDER_MALFORMED"),
        ([chunked([b"[]\n"], LINES)], "PROVIDER_MALFORMED"),
        ([chunked([b"<html>", b"</html>"], b"content-type: text/html")], "PROVIDER_MALFORMED"),
        ([chunked([b"data: {}\n\n"], EVENTS)], "PROVIDER_MALFORMED"),
        ([chunked([b'"' + b"x" * 60_000] * 72, LINES)], "PROVIDER_MALFORMED"),
        ([chunked([], LINES)], "PROVIDER_RESET"),
        ([chunked([bytes_of(line(content="a"), {"error": "llama runner process has terminated"})], LINES)], "PROVIDER_ERROR"),
        ([chunked([bytes_of({"error": "the input length exceeds the context length"})], LINES)], "CONTEXT_EXCEEDED"),
        ([chunked([bytes_of({"error": 'model "x" not found, try pulling it first'})], LINES)], "PROVIDER_MODEL_NOT_FOUND"),
        (answered({"error": "model 'x' not found"}, status=b"404 Not Found"), "PROVIDER_MODEL_NOT_FOUND"),
        (answered({"error": '"x" does not support tools'}, status=b"400 Bad Request"), "PROVIDER_REJECTED"),
        (answered({"error": "unauthorized"}, status=b"401 Unauthorized"), "PROVIDER_UNAUTHENTICATED"),
        (answered({"error": "server busy, please try again"}, status=b"503 Service Unavailable"), "PROVIDER_ERROR"),
        (answered({"error": "you have reached your usage limit"}, status=b"429 Too Many Requests"), "PROVIDER_RATE_LIMITED"),
        (answered(b"<html>bad gateway</html>", status=b"502 Bad Gateway"), "PROVIDER_ERROR"),
    ],
)
async def test_what_goes_wrong_has_its_reason(answer: Sequence[bytes], reason: str) -> None:
    async with standing(service, settings, answer) as adapter:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await adapter.stream()
    assert from_rpc_error(failure.value).reason_name == reason


@pytest.mark.parametrize("header", [LINES, JSON])
async def test_a_stream_is_read_where_a_whole_answer_was_asked_for(header: bytes) -> None:
    async with standing(service, settings, answered(STREAM, header)) as adapter:
        parts = (await adapter.generate()).output.choices[0].message.parts
    assert parts[1].text.text == "Grüße"


async def test_a_whole_answer_is_read_where_a_stream_was_asked_for() -> None:
    async with standing(service, settings, answered(WHOLE)) as adapter:
        events, report = await adapter.stream()
    assert "".join(event.text.text for event in events) == "Grüße"
    assert report.usage.output_tokens == 5


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    parser = LineParser(most_bytes=100)
    assert parser.feed(b"x" * 50) == parser.feed(b"x" * 50) == []
    with pytest.raises(FrameTooLargeError):
        parser.feed(b"x")
    with pytest.raises(FrameTooLargeError):
        LineParser(most_bytes=100).feed(b"x" * 101 + b"\n")


async def test_embeddings_come_in_the_order_of_their_texts_with_the_servers_count() -> None:
    body = {"model": "nomic", "embeddings": [[0.5, -0.25], [1.0, 0.0]], "prompt_eval_count": 7, "total_duration": 3}
    async with standing(service, settings, answered(body)) as adapter:
        response = await adapter.embed(["one", "two"])
    assert [list(each.values) for each in response.output.embeddings] == [[0.5, -0.25], [1.0, 0.0]]
    assert (response.report.source, response.report.usage.input_tokens) == (usage_pb2.USAGE_SOURCE_PROVIDER, 7)
    assert adapter.paths == ["/api/embed"]


def test_the_text_of_vectors_means_the_same_cut_at_every_byte() -> None:
    text = json.dumps({"model": "m", "embeddings": [[0.5, -0.25], [1.0, 2.0]], "prompt_eval_count": 7}).encode()
    vectors = [struct.pack("<2f", 0.5, -0.25), struct.pack("<2f", 1.0, 2.0)]
    for place in range(len(text)):
        reader = DIALECT.vectors(ENDPOINT, 2)
        for piece in (text[:place], text[place:]):
            reader.feed(piece)
        output, made = reader.finish()
        assert (made, output.usage.input_tokens) == (vectors, 7)


@pytest.mark.parametrize(
    "body", [{"embeddings": [[0.5]]}, {"embeddings": [[0.5], ["x"]]}, {"embeddings": [[0.5], [1, 2]]}, {"embeddings": [1, 2]}, {}]
)
async def test_vectors_that_are_none_are_malformed(body: dict[str, Any]) -> None:
    async with standing(service, settings, answered(body)) as adapter:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await adapter.embed(["one", "two"])
    assert from_rpc_error(failure.value).reason_name == "PROVIDER_MALFORMED"


TAGS = {"models": [{"model": "llama3:latest", "name": "llama3:latest"}, {"name": "nomic"}, {"model": "odd"}]}
LLAMA = {"capabilities": ["completion", "tools", "vision", "thinking", "insert"], "model_info": {"llama.context_length": 131_072},
         "parameters": "stop    x\nnum_ctx                        8192"}  # fmt: skip
NOMIC = {"capabilities": ["embedding"], "model_info": {"nomic-bert.context_length": 2048}}


async def described(adapter: StandingAdapter) -> dict[str, tuple[list[str], int]]:
    response = await adapter.discover()
    assert response.models == ["llama3:latest", "nomic", "odd"]
    return {each.model: (list(each.capabilities), each.context_window) for each in response.descriptions}


async def test_models_are_described_as_the_server_shows_them() -> None:
    failed = answered({"error": "no"}, status=b"500 Internal Server Error")
    answers = {b"llama3:latest": answered(LLAMA), b"nomic": answered(NOMIC), b"odd": failed}
    async with standing(service, settings, answered(TAGS)) as adapter:
        shown = await shown_by(adapter, answers)
    assert shown == {
        "llama3:latest": (
            ["generate", "streaming", "json_object", "json_schema", "seed", "logprobs", "tools", "parallel_tool_calls", "image_input",
             "reasoning"],
            8192,
        ),
        "nomic": (["embeddings"], 2048),
    }  # fmt: skip


async def test_a_server_with_very_many_models_is_asked_about_the_first_ones() -> None:
    many = {"models": [{"model": f"m{number}"} for number in range(MOST_DESCRIBED + 3)]}
    async with standing(service, settings, answered(many), answered(NOMIC)) as adapter:
        response = await adapter.discover()
    assert (len(response.models), len(response.descriptions)) == (MOST_DESCRIBED + 3, MOST_DESCRIBED)
    assert adapter.paths.count("/api/show") == MOST_DESCRIBED


async def test_a_server_that_does_not_say_what_its_models_can_still_lists_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovering, "_SHORT", Limits(connect=2, first_token=0.01, idle=0.01, total=0.01))
    async with standing(service, settings, answered(TAGS), []) as adapter:
        response = await adapter.discover()
    assert (len(response.models), list(response.descriptions)) == (3, [])


async def shown_by(adapter: StandingAdapter, answers: dict[bytes, Sequence[bytes]]) -> dict[str, tuple[list[str], int]]:
    """The server answers by the model that it is asked about."""
    provider = adapter.provider
    handle = provider._handler

    async def by_model(visit: Any) -> None:
        while request := await visit.request():
            body = request.partition(b"\r\n\r\n")[2]
            pieces = next((each for name, each in answers.items() if name in body), answered(TAGS))
            await visit.say(*pieces)

    provider._handler = by_model
    try:
        return await described(adapter)
    finally:
        provider._handler = handle


@pytest.mark.parametrize(
    ("host", "base_url", "local"),
    [
        ("", "http://127.0.0.1:11434", True),
        ("0.0.0.0", "http://127.0.0.1:11434", True),  # noqa: S104 (what Ollama's server is told)
        (":5000", "http://127.0.0.1:5000", True),
        ("10.1.2.3", "http://10.1.2.3:11434", False),
        ("10.1.2.3:80", "http://10.1.2.3:80", False),
        ("https://ollama.acme.example", "https://ollama.acme.example:443", False),
        ("http://[::1]:9", "http://[::1]:9", True),
    ],
)
def test_the_server_is_where_ollamas_own_setting_says(host: str, base_url: str, *, local: bool) -> None:
    endpoint = configured(Settings(host=host)).of("ollama-native")
    assert (endpoint.base_url, endpoint.local, endpoint.usable) == (base_url, local, True)


def test_an_endpoint_without_an_address_is_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match=r"endpoints\.main: base_url"):
        service.build(Settings(endpoints={"main": "{}"}), None)  # type: ignore[arg-type]  # settings are read first
