"""Streams of the dialect: whatever the chunks, a client that puts them together has what the provider said."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects import openai
from llm_mesh_dialects.errors import DialectError, TruncatedError
from tests.dialects.openai_bodies import LOGPROBS, NAME, TEXT, USAGE

Chunk = dict[str, Any]
HEAD = {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m", "system_fingerprint": "f"}


def chunk(delta: Chunk, index: int = 0, finish: str | None = None, **more: Any) -> Chunk:
    return {**HEAD, "choices": [{"index": index, "delta": delta, "finish_reason": finish, **more}]}


def read(chunks: list[Chunk]) -> list[generate_pb2.StreamEvent]:
    reader = openai.streams.ChunkReader()
    return [event for each in chunks for event in reader.feed(each)] + reader.finish()


def written(events: list[generate_pb2.StreamEvent], *, include_usage: bool = True) -> list[Chunk]:
    writer = openai.streams.ChunkWriter(include_usage=include_usage)
    raw = b"".join(writer.write(generate_pb2.StreamEvent.FromString(event.SerializeToString())) for event in events) + writer.close()
    frames = [frame.removeprefix(b"data: ") for frame in raw.split(b"\n\n") if frame]
    assert frames.pop() == b"[DONE]"
    return [orjson.loads(frame) for frame in frames]


def assembled(chunks: list[Chunk]) -> dict[str, Any]:
    """What a client makes of a stream."""
    choices: dict[int, Chunk] = {}
    whole: dict[str, Any] = {"choices": choices}
    for each in chunks:
        whole.update({key: value for key, value in each.items() if key != "choices" and value is not None})
        for choice in each["choices"]:
            mine = choices.setdefault(choice["index"], {"calls": {}, "logprobs": []})
            mine["logprobs"] += (choice.get("logprobs") or {}).get("content") or []
            mine["finish_reason"] = choice.get("finish_reason") or mine.get("finish_reason")
            for key, value in choice["delta"].items():
                if key == "tool_calls":
                    for call in value:
                        known = mine["calls"].setdefault(call["index"], {"arguments": ""})
                        known["arguments"] += call.get("function", {}).get("arguments") or ""
                        known |= {k: v for k, v in call.items() if k not in {"index", "function"} and v}
                        known |= {"name": call["function"]["name"]} if call.get("function", {}).get("name") else {}
                elif key != "role" and isinstance(value, str):
                    mine[key] = mine.get(key, "") + value
                elif key != "role":
                    mine[key] = value
    return whole


CALL = st.fixed_dictionaries({"index": st.integers(0, 2), "function": st.fixed_dictionaries({"arguments": TEXT})})
DELTA = st.one_of(
    TEXT.filter(bool).map(lambda text: {"content": text}),
    TEXT.filter(bool).map(lambda text: {"reasoning_content": text}),
    TEXT.filter(bool).map(lambda text: {"refusal": text}),
    CALL.map(lambda call: {"tool_calls": [call]}),
    NAME.map(lambda name: {"zz_odd": {"is": name}}),
    st.builds(lambda text, name: {"content": text, "zz_beside": {"is": name}}, TEXT.filter(bool), NAME),
)
LOGGED = LOGPROBS.filter(lambda shown: shown is not None and shown["content"])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), DELTA), max_size=12), st.lists(LOGGED, max_size=2), st.none() | USAGE)
def test_what_a_client_puts_together_is_what_the_provider_said(
    deltas: list[tuple[int, Chunk]], logged: list[Chunk], usage: Chunk | None
) -> None:
    begun: set[tuple[int, int]] = set()
    chunks = [chunk({"role": "assistant", "content": ""})]
    for index, delta in deltas:
        for call in delta.get("tool_calls", []):
            if (index, call["index"]) not in begun:
                begun.add((index, call["index"]))
                identity = f"i{call['index']}"
                started = {"index": call["index"], "id": identity, "type": "function", "function": {"name": "f"}}
                chunks.append(chunk({"tool_calls": [started]}, index))
        chunks.append(chunk(delta, index))
    chunks += [chunk({"content": "x"}, logprobs=shown) for shown in logged]
    calling = {index for index, _ in begun}
    chunks += [chunk({}, index, "tool_calls" if index in calling else "stop") for index in sorted({0} | {index for index, _ in deltas})]
    if usage is not None:
        chunks.append({**HEAD, "choices": [], "usage": usage})
    got, wanted = assembled(written(read(chunks))), assembled(chunks)
    for choice in wanted["choices"].values():  # calls are numbered in the order in which they begin
        choice["calls"] = dict(enumerate(choice["calls"].values()))
    wanted["choices"][0].setdefault("content", "")
    for choice in (*got["choices"].values(), *wanted["choices"].values()):
        choice.setdefault("content", "")
    assert got == wanted


def test_the_events_of_a_stream_begin_and_end_as_the_contract_says() -> None:
    events = read([chunk({"role": "assistant", "content": ""}), chunk({"content": "hi"}), chunk({}, finish="stop")])
    assert [event.WhichOneof("kind") for event in events] == ["started", "text", "choice_finished", "finished"]
    assert events[0].started.extras[0].key == "system_fingerprint"


@pytest.mark.parametrize("chunks", [[], [chunk({"content": "hi"})], [chunk({}, 0, "stop"), chunk({"content": "a"}, 1)]])
def test_an_answer_that_was_not_finished_is_truncated(chunks: list[Chunk]) -> None:
    with pytest.raises(TruncatedError):
        read(chunks)


def test_azure_may_speak_before_the_answer_has_a_name() -> None:
    early = {"id": "", "model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}
    events = read([early, chunk({"content": "hi"}), chunk({}, finish="stop")])
    assert events[0].started.id == "c1"
    assert [extra.key for extra in events[0].started.extras] == ["prompt_filter_results", "system_fingerprint"]


def test_groqs_usage_is_found_in_its_drawer() -> None:
    last = {**chunk({}, finish="stop"), "x_groq": {"id": "r", "usage": {"prompt_tokens": 3, "completion_tokens": 4}}}
    usage = next(event.usage for event in read([last]) if event.WhichOneof("kind") == "usage")
    assert (usage.input_tokens, usage.output_tokens) == (3, 4)


def test_usage_in_every_chunk_is_told_once() -> None:
    chunks = [
        {**chunk({"content": "a"}, finish=finish), "usage": {"completion_tokens": tokens}} for tokens, finish in ((1, None), (2, "stop"))
    ]
    assert [event.usage.output_tokens for event in read(chunks) if event.WhichOneof("kind") == "usage"] == [2]


def test_a_thought_signature_of_gemini_survives_the_stream() -> None:
    call = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}, "extra_content": {"google": {"s": 1}}}
    got = assembled(written(read([chunk({"tool_calls": [call]}), chunk({}, finish="tool_calls")])))
    assert got["choices"][0]["calls"][0]["extra_content"] == {"google": {"s": 1}}


def test_whole_tool_calls_without_an_index_are_told_apart() -> None:
    calls = [{"id": name, "function": {"name": name, "arguments": {"a": 1}}} for name in ("x", "y")]
    events = read([chunk({"tool_calls": calls[:1]}), chunk({"tool_calls": calls[1:]}), chunk({}, finish="tool_calls")])
    started = [
        (event.tool_call_started.index, event.tool_call_started.id) for event in events if event.WhichOneof("kind") == "tool_call_started"
    ]
    assert started == [(0, "x"), (1, "y")]
    assert [event.tool_call.arguments_json for event in events if event.WhichOneof("kind") == "tool_call"] == ['{"a":1}', '{"a":1}']


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ([], ""),
        ({"choices": 1}, "choices"),
        ({"choices": [1]}, "choices[0]"),
        (chunk({"content": 1}), "choices[0].delta.content"),
        (chunk({"tool_calls": {}}) | {"choices": [{"delta": {"tool_calls": 1}}]}, "choices[0].delta.tool_calls"),
        (chunk({"tool_calls": [{"index": 0, "function": 3}]}), "choices[0].delta.tool_calls[0].function"),
        (chunk({"audio": {"data": "?"}}), "choices[0].delta.audio.data"),
        (chunk({}, logprobs={"content": [{"bytes": [300]}]}), "choices[0].logprobs.content[0].bytes"),
    ],
)
def test_what_is_wrong_is_told_by_its_place(wrong: Any, field: str) -> None:
    with pytest.raises(DialectError) as caught:
        openai.streams.ChunkReader().feed(wrong)
    assert caught.value.field == field


def test_a_client_that_wants_no_usage_gets_none() -> None:
    events = read([chunk({"content": "a"}), chunk({}, finish="stop"), {**HEAD, "choices": [], "usage": {"prompt_tokens": 1}}])
    assert all("usage" not in each for each in written(events, include_usage=False))
    assert [each["usage"] is None for each in written(events)] == [True, True, False]


KEYS = ["choices", "delta", "index", "content", "tool_calls", "function", "logprobs", "usage", "audio", "finish_reason"]
NONSENSE = st.recursive(
    st.none() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
)


@settings(max_examples=200, deadline=None)
@given(NONSENSE)
def test_no_chunk_makes_the_reader_fail_otherwise(body: Any) -> None:
    try:
        openai.streams.ChunkReader().feed(body)
    except DialectError:
        return


def spelt(text: str, index: int = 0, **more: Any) -> bytes:
    """A chunk of text as a server writes it; what is given more stands after the choice."""
    choice = {"index": index, "delta": {"content": text}, "logprobs": None, "finish_reason": None}
    return orjson.dumps({"id": "1", "model": "m", "choices": [choice], **more})


def read_again(chunks: list[bytes]) -> list[generate_pb2.StreamEvent]:
    """As an adapter reads a stream: by the template where one fits."""
    reader = openai.streams.ChunkReader()
    message = adapter_pb2.GenerateStreamResponse()
    place = 0
    while (place := reader.again([(data, "") for data in chunks], place, message.events)) < len(chunks):
        message.events.extend(reader.feed(orjson.loads(chunks[place]), chunks[place]))
        place += 1
    return list(message.events)


def read_whole(chunks: list[bytes]) -> list[generate_pb2.StreamEvent]:
    """By parsing each chunk."""
    reader = openai.streams.ChunkReader()
    return [event for data in chunks for event in reader.feed(orjson.loads(data))]


PIECES = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ['"content":"', '","x":"', "\\", '"', '","obfuscation":"a"}', ""]
)
ODD = st.sampled_from(
    [
        {},
        {"obfuscation": "aB3"},
        {"obfuscation": 'a"b'},
        {"system_fingerprint": "f"},
        {"system_fingerprint": "g", "obfuscation": "x"},
        {"usage": {"prompt_tokens": 1}},
        {"new": {"content": "y"}},
        {"error": None},
    ]
)


@given(st.lists(st.tuples(PIECES, st.integers(0, 1), ODD), max_size=12), st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_chunk_read_by_the_template_is_the_chunk_read_whole(told: list[tuple[str, int, dict[str, Any]]], same: bool) -> None:  # noqa: FBT001
    more = told[0][2] if told else {}
    chunks = [spelt(text, index, **(more if same else odd)) for text, index, odd in told]
    assert read_again(chunks) == read_whole(chunks)


@pytest.mark.parametrize("more", [{}, {"obfuscation": "abc"}])
def test_chunks_that_differ_in_their_text_alone_are_not_parsed_again(more: dict[str, Any]) -> None:
    reader = openai.streams.ChunkReader()
    for data in (spelt("one", **more), spelt("two", **more)):
        reader.feed(orjson.loads(data), data)
    message = adapter_pb2.GenerateStreamResponse()
    texts = ["three", 'a "quoted" \\ word\n', "ü€😀", "\ue000mark\ue000"]
    assert reader.again([(spelt(text, **more), "") for text in texts], 0, message.events) == len(texts)
    assert [event.text.text for event in message.events] == texts


@pytest.mark.parametrize(
    "other",
    [
        spelt(""),
        spelt("a", 1),
        spelt("a", system_fingerprint="f"),
        spelt("a")[:-1],
        spelt("a") + b"}",
        spelt("a").replace(b'"a"', b'"a","role":"x"'),
        spelt("a").replace(b'"a"', b'"\n"'),
        spelt("a").replace(b'"a"', b'"\xff"'),
        spelt("a").replace(b'"a"', b'"\\"'),
        spelt("a").replace(b'"a"', b"null"),
        spelt("a").replace(b'"logprobs":null', b'"logprobs":{}'),
        spelt("a").replace(b'"finish_reason":null', b'"finish_reason":"stop"'),
    ],
)
def test_a_chunk_that_differs_in_anything_else_is_read_whole(other: bytes) -> None:
    reader = openai.streams.ChunkReader()
    for data in (spelt("one"), spelt("two")):
        reader.feed(orjson.loads(data), data)
    message = adapter_pb2.GenerateStreamResponse()
    assert reader.again([(other, "")], 0, message.events) == 0
    assert not message.events


def test_a_choice_that_has_ended_is_not_added_to() -> None:
    end = orjson.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    reader = openai.streams.ChunkReader()
    for data in (spelt("one"), spelt("two"), end):
        reader.feed(orjson.loads(data), data)
    assert reader.again([(spelt("three"), "")], 0, adapter_pb2.GenerateStreamResponse().events) == 0


@pytest.mark.parametrize("padding", [b'"', b'a","new":"b', b"\\", b"a b"])
def test_padding_that_is_more_than_padding_is_read_whole(padding: bytes) -> None:
    reader = openai.streams.ChunkReader()
    for data in (spelt("one", obfuscation="abc"), spelt("two", obfuscation="abc")):
        reader.feed(orjson.loads(data), data)
    other = spelt("a", obfuscation="abc").replace(b'"abc"', b'"%s"' % padding)
    assert reader.again([(other, "")], 0, adapter_pb2.GenerateStreamResponse().events) == 0


SAID = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from([",", '","', 'x",', "\\", "\n", "ü,", ""])
TYPED = st.one_of(
    st.builds(lambda text, choice: generate_pb2.StreamEvent(text={"text": text, "choice": choice}), SAID, st.integers(0, 1)),
    st.builds(lambda text: generate_pb2.StreamEvent(text={"text": text, "logprobs": [{"token": "t"}]}), SAID),
    st.builds(lambda text: generate_pb2.StreamEvent(refusal={"text": text}), SAID),
    st.builds(lambda text, times: generate_pb2.StreamEvent(text={"text": text * times}), SAID, st.sampled_from([20, 30, 40, 3000])),
    st.builds(
        lambda number: generate_pb2.StreamEvent(text={"text": "x", "extras": [{"dialect": "openai", "key": number, "json": b"1"}]}), SAID
    ),
    st.builds(lambda number: generate_pb2.StreamEvent(started={"id": number}), SAID),
)


def at_once(writer: openai.streams.ChunkWriter, events: list[generate_pb2.StreamEvent]) -> bytes:
    message = adapter_pb2.GenerateStreamResponse(events=events)
    return writer.write_all(message.events, message.ByteSize())


@given(st.lists(TYPED, max_size=12), st.booleans())
@settings(max_examples=300, deadline=None)
def test_events_written_at_once_are_the_events_written_one_by_one(events: list[generate_pb2.StreamEvent], usage: bool) -> None:  # noqa: FBT001
    one_by_one = openai.streams.ChunkWriter(include_usage=usage)
    expected = b"".join(map(one_by_one.write, events))
    assert at_once(openai.streams.ChunkWriter(include_usage=usage), events) == expected


def test_texts_that_end_or_begin_with_commas_stay_apart() -> None:
    texts = ["a", ",", "b,", ",c", ",", ","]
    writer = openai.streams.ChunkWriter(include_usage=False)
    at_once(writer, [generate_pb2.StreamEvent(text={"text": "first"})])  # it says who speaks, in a frame of its own
    for first in range(len(texts)):
        raw = at_once(writer, [generate_pb2.StreamEvent(text={"text": text}) for text in texts[first:]])
        frames = [orjson.loads(frame.removeprefix(b"data: ")) for frame in raw.split(b"\n\n") if frame]
        assert [frame["choices"][0]["delta"]["content"] for frame in frames] == texts[first:]


def read_in_steps(chunks: list[bytes], size: int) -> tuple[int, list[generate_pb2.StreamEvent], list[str]]:
    """What a template reads of so many chunks at once: how many chunks, their events, and their texts."""
    reader, told = openai.streams.ChunkReader(), list[str]()
    for data in (spelt("one"), spelt("two")):
        reader.feed(orjson.loads(data), data)
    message = adapter_pb2.GenerateStreamResponse()
    arrived = [(data, "") for data in chunks]
    at = 0
    while at < len(arrived) and (ended := reader.again(arrived[at : at + size], 0, message.events, told)):
        at += ended
    return at, list(message.events), told


BEGIN, END = spelt("\ue000").split("\ue000".encode())
GOOD = [spelt("a"), spelt(" line\n"), spelt("ü€😀")]


@given(
    st.lists(st.sampled_from(["word", " and", "ü€😀", '"', "\\", "\n", '","', ""]), min_size=4, max_size=12),
    st.integers(0, 11),
    st.sampled_from([b"", b'"', b'a","b', b"\\", b"\n", b"\xff", b'a"},{"content":"b']),
    st.lists(st.sampled_from([b"[DONE]", b"{}", b"", b'{"usage":null}']), max_size=4),
)
@settings(max_examples=300, deadline=None)
def test_chunks_that_are_read_at_once_are_those_read_one_by_one(texts: list[str], place: int, odd: bytes, last: list[bytes]) -> None:
    chunks = [spelt(text) for text in texts]
    place %= len(chunks)
    chunks[place] = chunks[place].replace(b'"content":"', b'"content":"' + odd)
    at_once = read_in_steps([*chunks, *last], len(texts) + len(last))
    assert at_once == read_in_steps([*chunks, *last], 1)
    assert at_once[2] == [event.text.text for event in at_once[1]]


@pytest.mark.parametrize(
    ("odd", "fits"),
    [
        ([BEGIN + b'a","b' + END], 3),
        ([BEGIN + b'a",', b'"b' + END], 3),
        ([BEGIN + b"a\\" + END, BEGIN + b',"b' + END], 3),
        ([BEGIN + b"a\\" + END, BEGIN + b"," + END], 3),
        ([BEGIN + END], 3),
        ([BEGIN + b"a" + END + b"\n\n" + BEGIN + b"b" + END], 3),
        ([BEGIN + b"a" + END.replace(b"null", b"true")] * 4, 3),
        ([b"[DONE]"], 3),
        ([b"[DONE]"] * 9, 3),
    ],
)
def test_what_is_no_text_of_the_stream_ends_what_is_read_at_once(odd: list[bytes], fits: int) -> None:
    for chunks in ([*GOOD, *odd], [*GOOD, *odd, *GOOD]):
        assert read_in_steps(chunks, len(chunks))[0] == fits
    for chunks in (odd, [*odd, *GOOD]):
        assert read_in_steps(chunks, len(chunks))[0] == 0


def test_the_first_chunk_must_be_of_the_stream_too() -> None:
    other = spelt("a").replace(b'"m"', b'"n"')
    assert read_in_steps([other, *GOOD, *GOOD], 7)[0] == 0
