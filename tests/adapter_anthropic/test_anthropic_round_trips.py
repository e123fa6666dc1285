"""Whatever a client of the dialect says arrives at a provider of the dialect as it was said: laws, for all bodies."""

import copy
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.addresses import MediaRule
from llm_mesh_dialects.allowing import Allowance
from llm_mesh_dialects.anthropic import quirks, requests, responses, streams
from tests.adapter_anthropic.events import assembled, frames

JSON = dict[str, Any]

_words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
_ids = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)
_leaf = st.one_of(st.booleans(), st.integers(-(2**53), 2**53), _words)
_json = st.recursive(_leaf, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_words, inner, max_size=2), max_leaves=4)
_objects = st.dictionaries(_words, _json, max_size=2)
_unknown = st.dictionaries(st.from_regex(r"x_[a-z]{1,4}", fullmatch=True), _json, max_size=1)
_cache = st.fixed_dictionaries({"type": st.just("ephemeral")}, optional={"ttl": st.sampled_from(["5m", "1h"]), "x_scope": _words})
_citation = st.fixed_dictionaries({"type": st.just("char_location"), "cited_text": _words, "document_index": st.integers(0, 9)})


def _block(required: JSON, **optional: Any) -> st.SearchStrategy[JSON]:
    known = st.fixed_dictionaries(required, optional={"cache_control": _cache, **optional})
    return st.builds(lambda block, unknown: unknown | block, known, _unknown)


_data = st.sampled_from(["AAAA", "iVBORw0KGgo=", "/+8="])
_image = _block(
    {
        "type": st.just("image"),
        "source": st.one_of(
            st.fixed_dictionaries({"type": st.just("base64"), "media_type": st.sampled_from(["image/png", "image/gif"]), "data": _data}),
            st.fixed_dictionaries({"type": st.just("url"), "url": st.just("https://example.com/a.png")}),
            st.fixed_dictionaries({"type": st.just("file"), "file_id": _ids}),
        ),
    }
)
_document = _block(
    {
        "type": st.just("document"),
        "source": st.one_of(
            st.fixed_dictionaries({"type": st.just("base64"), "media_type": st.just("application/pdf"), "data": _data}),
            st.fixed_dictionaries({"type": st.just("text"), "media_type": st.just("text/plain"), "data": _words}),
            st.fixed_dictionaries({"type": st.just("url"), "url": st.just("https://example.com/a.pdf")}),
            st.fixed_dictionaries({"type": st.just("content"), "content": _words}),
        ),
    },
    title=_words,
    context=_words,
    citations=st.just({"enabled": True}),
)
_text = _block({"type": st.just("text"), "text": _words})
_search = _block({"type": st.just("search_result"), "source": _words, "title": _words, "content": st.lists(_text, min_size=1, max_size=1)})
_result = _block(
    {"type": st.just("tool_result"), "tool_use_id": _ids},
    content=st.lists(st.one_of(_text, _image, _document, _search), min_size=1, max_size=3),
    is_error=st.just(True),
)
_said = st.one_of(
    _block({"type": st.just("text"), "text": _words}, citations=st.lists(_citation, min_size=1, max_size=2)),
    st.fixed_dictionaries({"type": st.just("thinking"), "thinking": _words, "signature": _ids}),
    st.fixed_dictionaries({"type": st.just("redacted_thinking"), "data": _words}),
    _block({"type": st.just("tool_use"), "id": _ids, "name": _ids, "input": _objects}, caller=st.just({"type": "direct"})),
    _block({"type": st.just("server_tool_use"), "id": _ids, "name": st.just("web_search"), "input": _objects}),
)
_user = st.builds(
    lambda results, rest: {"role": "user", "content": results + rest},
    st.lists(_result, max_size=2),
    st.one_of(_text, _image, _document, _search).flatmap(lambda first: st.just([first])),
)
_assistant = st.builds(lambda blocks: {"role": "assistant", "content": blocks}, st.lists(_said, min_size=1, max_size=3))
_messages = st.lists(st.one_of(_user, _assistant, st.just({"role": "user", "content": "plain"})), min_size=1, max_size=5)
_tool = st.one_of(
    _block({"name": _ids, "input_schema": st.just({"type": "object", "properties": {}})}, description=_words, strict=st.booleans()),
    _block({"name": _ids, "type": st.just("custom"), "input_schema": st.just({"type": "object", "x": 1})}),
    _block({"type": st.just("web_search_20260318"), "name": st.just("web_search")}, max_uses=st.integers(1, 9)),
)
_choice = st.one_of(
    st.fixed_dictionaries({"type": st.sampled_from(["auto", "any"])}, optional={"disable_parallel_tool_use": st.booleans()}),
    st.just({"type": "none"}),
    st.fixed_dictionaries({"type": st.just("tool"), "name": _ids}, optional={"disable_parallel_tool_use": st.booleans(), "x_why": _words}),
)
_thinking = st.one_of(
    st.just({"type": "disabled"}),
    st.fixed_dictionaries({"type": st.just("adaptive")}, optional={"display": st.sampled_from(["summarized", "omitted"])}),
    st.fixed_dictionaries({"type": st.just("enabled"), "budget_tokens": st.integers(1024, 4095)}, optional={"display": st.just("omitted")}),
)
_config = st.fixed_dictionaries(
    {},
    optional={
        "effort": st.sampled_from(["low", "medium", "high", "xhigh", "max"]),
        "format": st.fixed_dictionaries({"type": st.just("json_schema"), "schema": _objects}),
        "x_new": _json,
    },
).filter(bool)
_bodies = st.fixed_dictionaries(
    {"model": st.just("any"), "max_tokens": st.just(4096), "messages": _messages},
    optional={
        "system": st.one_of(_words, st.lists(_text, min_size=1, max_size=2)),
        "tools": st.lists(_tool, min_size=1, max_size=3),
        "stop_sequences": st.lists(_ids, min_size=1, max_size=2),
        "temperature": st.floats(0, 1),
        "top_p": st.floats(0, 1),
        "top_k": st.integers(1, 100),
        "metadata": st.fixed_dictionaries({"user_id": _words}, optional={"x_team": _words}),
        "thinking": _thinking,
        "output_config": _config,
        "service_tier": st.sampled_from(["auto", "standard_only"]),
        "cache_control": _cache,
        "container": st.just({"id": "c", "skills": []}),
        "x_unknown": _json,
    },
).flatmap(lambda body: st.builds(lambda choice: body | {"tool_choice": choice}, _choice) if "tools" in body else st.just(body))


def _plain(content: object) -> object:
    """The one form of a content that may be written in two."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return content


def _normal(body: JSON) -> JSON:
    """Consecutive turns of one speaker are one turn to the provider."""
    body = copy.deepcopy(body)
    turns: list[JSON] = []
    for message in body["messages"]:
        content = _plain(message["content"])
        for block in content if isinstance(content, list) else ():
            if block["type"] == "tool_result" and "content" in block:
                block["content"] = _plain(block["content"])
        if turns and turns[-1]["role"] == message["role"]:
            turns[-1]["content"] += content
        else:
            turns.append({"role": message["role"], "content": content})
    body["messages"] = turns
    if "system" in body:
        body["system"] = _plain(body["system"])
    return body


_ALLOWED = Allowance(extras=frozenset({"*"}), media=MediaRule(frozenset({"*"})))
_EVERYTHING = quirks.AnthropicQuirks(sampling="all", budget=True)


@settings(max_examples=150, deadline=None)
@given(_bodies)
def test_a_request_within_the_dialect_arrives_as_it_was_sent(body: JSON) -> None:
    request = requests.messages_to_input(copy.deepcopy(body))
    # Nothing hangs on the objects in memory: services exchange bytes.
    request = generate_pb2.GenerateInput.FromString(request.SerializeToString())
    written, translations = requests.input_to_messages(request, _EVERYTHING, model="any", stream=False, allowance=_ALLOWED)
    assert not translations
    assert _normal(written) == _normal(body)


_usage = st.fixed_dictionaries(
    {"input_tokens": st.integers(0, 10**6), "output_tokens": st.integers(0, 10**6)},
    optional={
        "cache_creation_input_tokens": st.integers(0, 10**6),
        "cache_read_input_tokens": st.integers(0, 10**6),
        "cache_creation": st.just({"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2}),
        "output_tokens_details": st.builds(lambda n: {"thinking_tokens": n}, st.integers(1, 99)),
        "service_tier": st.just("priority"),
        "x_unknown": _json,
    },
)
_answers = st.builds(
    lambda answer, unknown: unknown | answer,
    st.fixed_dictionaries(
        {
            "id": _ids,
            "type": st.just("message"),
            "role": st.just("assistant"),
            "model": _ids,
            "content": st.lists(_said, max_size=4),
            "stop_reason": st.sampled_from(
                ["end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded", "x_new"]
            ),
            "stop_sequence": st.one_of(st.none(), _words),
            "usage": _usage,
        },
        optional={"container": st.just({"id": "c"}), "stop_details": st.just({"type": "refusal", "category": "bio"})},
    ),
    _unknown,
)


@settings(max_examples=150, deadline=None)
@given(_answers)
def test_an_answer_within_the_dialect_arrives_as_it_was_given(body: JSON) -> None:
    output = responses.message_to_output(copy.deepcopy(body))
    output = generate_pb2.GenerateOutput.FromString(output.SerializeToString())
    written = responses.output_to_message(output)
    usage = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0} | body["usage"]
    assert written == body | {"usage": usage} | true_reason(body)


def true_reason(body: JSON) -> JSON:
    """An answer that calls tools ends with their calls, whatever else its provider says."""
    calls = any(block["type"] == "tool_use" for block in body["content"])
    return {"stop_reason": "tool_use"} if calls and body["stop_reason"] == "end_turn" else {}


def _events_of(body: JSON) -> list[JSON]:
    """A message as a provider streams it."""
    start = {key: value for key, value in body.items() if key not in {"content", "stop_reason", "stop_sequence", "stop_details"}}
    events: list[JSON] = [
        {"type": "message_start", "message": start | {"content": [], "stop_reason": None, "stop_sequence": None}},
        {"type": "ping"},
    ]
    for index, block in enumerate(body["content"]):
        begun, deltas = _split(block)
        events.append({"type": "content_block_start", "index": index, "content_block": begun})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    delta = {key: body[key] for key in ("stop_reason", "stop_sequence", "stop_details") if key in body}
    usage = {key: value for key, value in body["usage"].items() if key != "cache_creation"}
    return [*events, {"type": "message_delta", "delta": delta, "usage": usage}, {"type": "message_stop"}]


def _split(block: JSON) -> tuple[JSON, list[JSON]]:
    """How a block begins, and what is added to it."""
    kind = block["type"]
    if kind == "text":
        half = len(block["text"]) // 2
        pieces = [{"type": "text_delta", "text": text} for text in (block["text"][:half], block["text"][half:]) if text]
        cited = [{"type": "citations_delta", "citation": each} for each in block.get("citations", ())]
        return {key: value for key, value in block.items() if key != "citations"} | {"text": ""}, cited + pieces
    if kind == "thinking":
        thought = {"type": "thinking_delta", "thinking": block["thinking"]}
        return block | {"thinking": "", "signature": ""}, [thought, {"type": "signature_delta", "signature": block["signature"]}]
    if kind in {"tool_use", "server_tool_use"}:
        json = orjson.dumps(block["input"]).decode()
        return block | {"input": {}}, [{"type": "input_json_delta", "partial_json": each} for each in (json[:3], json[3:]) if each]
    return block, []


@settings(max_examples=150, deadline=None)
@given(_answers)
def test_a_stream_within_the_dialect_says_what_was_said(body: JSON) -> None:
    reader, writer = streams.EventReader(), streams.EventWriter()
    events = [typed for event in _events_of(body) for typed in reader.feed(event)] + reader.finish()
    events = [generate_pb2.StreamEvent.FromString(event.SerializeToString()) for event in events]
    data = b"".join(writer.write(event) for event in events) + writer.close()
    told = assembled(frames(data))
    usage = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0} | body["usage"]
    assert told == body | {"usage": usage} | true_reason(body)
    assert events[0].WhichOneof("kind") == "started"
    assert events[-1].WhichOneof("kind") == "finished"


@settings(max_examples=100, deadline=None)
@given(_answers)
def test_a_stream_and_a_whole_answer_mean_the_same(body: JSON) -> None:
    reader = streams.EventReader()
    events = [typed for event in _events_of(body) for typed in reader.feed(event)] + reader.finish()
    whole = responses.message_to_output(copy.deepcopy(body))
    text = "".join(part.text.text for part in whole.choices[0].message.parts)
    assert "".join(event.text.text for event in events) == text
    thought = "".join(part.reasoning.text for part in whole.choices[0].message.parts)
    assert "".join(event.reasoning.text for event in events) == thought
    calls = [part.tool_call for part in whole.choices[0].message.parts if part.WhichOneof("kind") == "tool_call"]
    for index, call in enumerate(calls):
        pieces = [event.tool_call.arguments_json for event in events if event.HasField("tool_call") and event.tool_call.index == index]
        assert "".join(pieces) == call.arguments_json
    used = next(event.usage for event in events if event.HasField("usage"))
    assert used.input_tokens == whole.usage.input_tokens
    assert used.output_tokens == whole.usage.output_tokens
