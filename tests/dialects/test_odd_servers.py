"""Whatever scheme a server uses for calls, figures, names and ends: what the model said arrives, through both dialects."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects import anthropic, openai
from llm_mesh_dialects.openai.quirks import OPENAI
from llm_mesh_dialects.openai.usage import read_usage
from tests.e2e.assembled_stream import AssembledStream

Chunk = dict[str, Any]
Call = tuple[str, dict[str, Any]]
NAMES = ("look", "find", "add")
ARGUMENTS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 999) | st.text(max_size=6), min_size=1, max_size=3)
CALLS = st.lists(ARGUMENTS, min_size=1, max_size=3).map(lambda each: [(NAMES[place], inside) for place, inside in enumerate(each)])
SCHEMES = ("index", "index in turns", "text index", "one index with ids", "no index with ids", "no index without ids", "whole calls")


def chunk(delta: Chunk, finish: str | None = None) -> Chunk:
    return {"id": "c1", "created": 1, "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def pieces(text: str, rng: random.Random) -> list[str]:
    cut = sorted({0, len(text), *(rng.randrange(len(text) + 1) for _ in range(2))})
    return [text[begin:end] for begin, end in itertools.pairwise(cut)]


def of_scheme(calls: list[Call], scheme: str, rng: random.Random) -> list[Chunk]:
    """The deltas by which a server of a scheme tells calls."""
    told: list[list[Chunk]] = []
    for place, (name, arguments) in enumerate(calls):
        key = {"index": place, "index in turns": place, "text index": str(place), "one index with ids": 0}.get(scheme)
        has_id = scheme != "no index without ids"
        text = json.dumps(arguments)
        head: Chunk = {"function": {"name": name, "arguments": ""}, "type": "function"} | ({"id": f"call-{place}"} if has_id else {})
        parts = [text] if scheme in {"whole calls", "no index without ids"} else pieces(text, rng)
        if scheme == "whole calls":
            whole: Chunk = {"function": {"name": name, "arguments": text}, "id": f"call-{place}"}
            deltas: list[Chunk] = [whole]
        elif rng.random() < 0.5:  # the head has the first arguments too
            head["function"]["arguments"] = parts.pop(0)
            deltas = [head, *({"function": {"arguments": part}} for part in parts)]
        else:
            deltas = [head, *({"function": {"arguments": part}} for part in parts)]
        if key is not None:
            deltas = [{"index": key, **delta} for delta in deltas]
        told.append(deltas)
    if scheme != "index in turns":
        return [delta for deltas in told for delta in deltas]
    turns = [place for place, deltas in enumerate(told) for _ in deltas]
    rng.shuffle(turns)
    return [told[place].pop(0) for place in turns]


def events_of(chunks: list[Chunk], *, said_so: bool = True) -> list[generate_pb2.StreamEvent]:
    reader = openai.streams.ChunkReader()
    events = [event for each in chunks for event in reader.feed(each, json.dumps(each).encode())]
    return events + reader.finish(said_so=said_so)


def by_openai(events: list[generate_pb2.StreamEvent]) -> AssembledStream:
    writer = openai.streams.ChunkWriter(include_usage=True)
    return AssembledStream((b"".join(map(writer.write, events)) + writer.close()).decode())


def by_anthropic(events: list[generate_pb2.StreamEvent]) -> AssembledStream:
    writer = anthropic.streams.EventWriter()
    return AssembledStream((b"".join(map(writer.write, events)) + writer.close()).decode())


@settings(max_examples=300, deadline=None)
@given(CALLS, st.sampled_from(SCHEMES), st.sampled_from(["", "before", "between", "after"]), st.integers(0, 2**32))
def test_calls_arrive_by_whatever_scheme_they_are_told(calls: list[Call], scheme: str, words: str, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 (choices of a test)
    spoken: Chunk = {"content": "words"}
    deltas: list[Chunk] = [{"tool_calls": [delta]} for delta in of_scheme(calls, scheme, rng)]
    if words:
        place = {"before": 0, "between": rng.randrange(len(deltas) + 1), "after": len(deltas)}[words]
        deltas.insert(place, spoken)
    finish = rng.choice([None, "stop", "tool_calls", "function_call"])
    chunks = [*map(chunk, deltas), *([chunk({}, finish)] if finish else [])]
    for assembled, reason in (
        (by_openai(events_of(chunks)), {"tool_calls", "function_call"}),
        (by_anthropic(events_of(chunks)), {"tool_use"}),
    ):
        assert sorted(assembled.called) == sorted(calls)
        assert assembled.text == ("words" if words else "")
        assert set(assembled.finish) <= reason
        assert len({call["id"] for call in assembled.calls} - {""}) == len(calls)
        assert assembled.done


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 10**9), st.sampled_from([int, str, float, lambda figure: figure + 0.0]))
def test_figures_of_other_forms_are_the_same_figures(put: int, out: int, form: Any) -> None:
    for names in (("prompt_tokens", "completion_tokens"), ("input_tokens", "output_tokens")):
        used = read_usage({names[0]: form(put), names[1]: form(out), "total_tokens": [put]}, OPENAI)
        assert (used.input_tokens, used.output_tokens) == (put, out)


@pytest.mark.parametrize("odd", [None, [], {}, "many", -1, True, float("inf"), 10**30, "1e9", {"a": 1}])
def test_a_figure_that_cannot_be_read_is_missing_and_costs_no_other(odd: Any) -> None:
    used = read_usage({"prompt_tokens": 5, "completion_tokens": odd, "prompt_tokens_details": odd}, OPENAI)
    assert (used.input_tokens, used.output_tokens) == (5, 0)


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=12), st.data())
def test_halves_of_characters_are_joined_wherever_a_text_is_cut(text: str, data: st.DataObject) -> None:
    units = text.encode("utf-16-le", "surrogatepass")
    places = sorted(data.draw(st.sets(st.integers(0, len(units) // 2), max_size=4)) | {0, len(units) // 2})
    cut = [units[begin * 2 : end * 2].decode("utf-16-le", "surrogatepass") for begin, end in itertools.pairwise(places)]
    reader = openai.streams.ChunkReader()
    events = [event for piece in cut for event in reader.feed_halves(json.loads(json.dumps(chunk({"content": piece}))))]
    events += list(reader.feed(chunk({}, "stop"))) + reader.finish()
    assert by_openai(events).text == text
