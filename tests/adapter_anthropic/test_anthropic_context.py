"""Long conversations: edits that are applied, compactions that travel, and their parts of the bill."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anthropic
import pytest

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects import openai
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance
from llm_mesh_dialects.anthropic import quirks, requests, responses, streams
from llm_mesh_dialects.anthropic.usage import read_usage, write_usage
from llm_mesh_dialects.fields import Fields
from llm_mesh_runtime.http.listener import HttpListener
from llm_mesh_simulator.provider.app import Simulator
from llm_mesh_simulator.store.journal import Journal

COMPACT = {"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": 5}}
CLEAR = {"type": "clear_tool_uses_20250919", "keep": {"type": "tool_uses", "value": 0}}
CALLED: list[dict[str, Any]] = [
    {"role": "user", "content": "Weather in Bern, please?"},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "sunny"}]},
]
REQUEST: dict[str, Any] = {"model": "sim-echo", "max_tokens": 50, "messages": CALLED, "context_management": {"edits": [CLEAR, COMPACT]}}
EVERYTHING = Allowance(frozenset({"edit.*"}))


@pytest.fixture
async def claude(tmp_path: Path) -> AsyncIterator[anthropic.AsyncAnthropic]:
    journal = Journal(tmp_path / "log.jsonl")
    journal.open()
    listener = HttpListener("127.0.0.1:0", Simulator(journal))
    await listener.start()
    async with anthropic.AsyncAnthropic(base_url=f"http://{listener.address}", api_key="sk", max_retries=0) as client:
        yield client
    await listener.stop(1)
    journal.close()


async def events_of(claude: anthropic.AsyncAnthropic) -> list[dict[str, Any]]:
    stream = await claude.beta.messages.create(stream=True, **REQUEST)
    return [event.model_dump(exclude_none=True) async for event in stream]


async def test_a_message_has_what_was_done_with_its_conversation_and_is_read_and_written_alike(claude: anthropic.AsyncAnthropic) -> None:
    message = await claude.beta.messages.create(**REQUEST)
    assert message.content[0].type == "compaction"
    assert message.context_management is not None
    assert [each.type for each in message.context_management.applied_edits] == ["clear_tool_uses_20250919"]
    body = message.model_dump(exclude_none=True)
    output = responses.message_to_output(body)
    assert [each.type for each in output.usage.iterations] == ["compaction", "message"]
    assert output.usage.input_tokens == sum(each.usage.input_tokens for each in output.usage.iterations)
    assert output.usage.output_tokens == sum(each.usage.output_tokens for each in output.usage.iterations)
    assert output.usage.input_tokens > body["usage"]["input_tokens"], "the compaction is in no sum of the provider"
    assert output.choices[0].message.parts[0].opaque.type == "compaction"
    written = responses.output_to_message(output)
    assert {key: written[key] for key in ("content", "context_management")} == {key: body[key] for key in ("content", "context_management")}
    assert written["usage"]["iterations"][0]["type"] == "compaction"
    for key in ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"):
        assert written["usage"][key] == body["usage"][key]


async def test_a_stream_says_the_same_and_is_written_as_it_came(claude: anthropic.AsyncAnthropic) -> None:
    came = await events_of(claude)
    reader, writer = streams.EventReader(), streams.EventWriter()
    typed = [typed for event in came for typed in reader.feed(event)] + reader.finish()
    whole = responses.message_to_output((await claude.beta.messages.create(**REQUEST)).model_dump(exclude_none=True))
    (used,) = (event.usage for event in typed if event.HasField("usage"))
    assert (used.input_tokens, used.output_tokens) == (whole.usage.input_tokens, whole.usage.output_tokens)
    assert used.iterations == whole.usage.iterations
    frames = b"".join([*map(writer.write, typed), writer.close()]).split(b"\n\n")
    written = [json.loads(frame.split(b"data: ", 1)[1]) for frame in frames if frame]
    ends = [next(event for event in events if event["type"] == "message_delta") for events in (came, written)]
    assert ends[0]["context_management"] == ends[1]["context_management"]
    assert [each["type"] for each in ends[1]["usage"]["iterations"]] == ["compaction", "message"]
    assert ends[0]["usage"]["input_tokens"] == ends[1]["usage"]["input_tokens"]
    blocks = [
        [event for event in events if event["type"].startswith("content_block") and event["index"] == 0] for events in (came, written)
    ]
    assert [each["type"] for each in blocks[0]] == [each["type"] for each in blocks[1]]
    assert blocks[0][1]["delta"] == blocks[1][1]["delta"]


def written(allowance: Allowance = NOTHING_MORE, **changes: Any) -> tuple[dict[str, Any], list[str]]:
    given = requests.messages_to_input({**REQUEST, **changes})
    body, translations = requests.input_to_messages(given, quirks.NEWEST, model="m", stream=False, allowance=allowance)
    return body, [each.field for each in translations]


def test_edits_that_cost_nothing_pass_and_a_compaction_wants_the_operators_word() -> None:
    body, notes = written()
    assert body["context_management"] == {"edits": [CLEAR]}
    assert notes == ["extras[anthropic.context_management].edits[1]"]
    assert written(EVERYTHING) == ({**body, "context_management": REQUEST["context_management"]}, [])
    nothing, notes = written(context_management={"edits": [COMPACT]})
    assert "context_management" not in nothing
    assert notes == ["extras[anthropic.context_management].edits[0]"]


def test_a_compaction_goes_back_in_its_dialect_and_as_its_text_elsewhere() -> None:
    block = {"type": "compaction", "content": "We spoke of Bern.", "encrypted_content": "e=="}
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [block]}, {"role": "user", "content": "And?"}]
    assert written(messages=messages)[0]["messages"] == messages
    given = requests.messages_to_input({**REQUEST, "messages": messages})
    body, translations = openai.requests.input_to_chat(given, openai.OPENAI, model="m", stream=False)
    assert body["messages"][1]["content"] == "We spoke of Bern."
    assert {each.field for each in translations} == {"messages[1].parts[0].opaque", "extras[anthropic.context_management]"}


@pytest.mark.parametrize(
    ("listed", "types"),
    [
        ([{"type": "message", "input_tokens": 3, "output_tokens": 2}], []),
        ([{"type": "fallback_message", "model": "small", "input_tokens": 3, "output_tokens": 2}], ["fallback_message"]),
        ([{"type": "message", "input_tokens": 3, "output_tokens": 2}, {"type": "advisor_message", "model": "big", "input_tokens": 9,
                                                                        "output_tokens": 1}], ["message", "advisor_message"]),
        ([{"type": "message"}] * 65, []),
        (["odd"], []),
    ],
)  # fmt: skip
def test_parts_of_a_bill_are_read_where_they_say_more_than_the_sums(listed: list[Any], types: list[str]) -> None:
    raw = {"input_tokens": 3, "output_tokens": 2, "output_tokens_details": {"thinking_tokens": 1}, "iterations": listed}
    used = read_usage(Fields(raw))
    assert [each.type for each in used.iterations] == types
    assert used.input_tokens == (12 if len(types) == 2 else 3)
    assert used.reasoning_output_tokens == sum(each.usage.reasoning_output_tokens for each in used.iterations) or not types
    again = write_usage(used)
    assert (again["input_tokens"], again["output_tokens"]) == (3, 2)
    assert len(again["iterations"]) == len(listed)


@pytest.mark.parametrize("depth", [1, 60, 600])
def test_parts_have_no_parts_however_deep_they_are_nested(depth: int) -> None:
    counts = {"input_tokens": 3, "output_tokens": 2}
    nested: dict[str, Any] = counts
    for _ in range(depth):
        nested = {**counts, "iterations": [{**nested, "type": "compaction"}, {**counts, "type": "message"}]}
    used = read_usage(Fields(nested))
    assert generate_pb2.Usage.FromString(used.SerializeToString()) == used
    assert (used.input_tokens, used.output_tokens) == (6, 4)
    assert not any(each.usage.iterations for each in used.iterations)


async def test_an_unknown_edit_is_refused_by_the_simulator(claude: anthropic.AsyncAnthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match="does not match any of the expected tags"):
        await claude.beta.messages.create(**{**REQUEST, "context_management": {"edits": [{"type": "odd"}]}})
