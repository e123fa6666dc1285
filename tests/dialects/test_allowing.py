"""What a request holds beyond the typed payload goes on where it is harmless or allowed, is refused where it costs, else stays here."""

from __future__ import annotations

import itertools
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh_dialects import anthropic, openai
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, KeyTreatment
from llm_mesh_dialects.anthropic.allowed import TABLE as ANTHROPIC
from llm_mesh_dialects.anthropic.quirks import NEWEST
from llm_mesh_dialects.errors import CostlyError
from llm_mesh_dialects.openai.allowed import TABLE as OPENAI
from llm_mesh_dialects.responses.allowed import TABLE as RESPONSES

TABLES = {"openai": OPENAI, "anthropic": ANTHROPIC}
ROWS_OF = (*TABLES.values(), RESPONSES)
PLACES = (
    "message.",
    "item_type.",
    "call.",
    "part.",
    "tool.",
    "part_type.",
    "tool_type.",
    "embedding.",
    "rerank.",
    "moderation.",
    "decision.",
    "image.",
    "speech.",
    "transcription.",
    "beta.",
    "edit.",
)
NEVER = {
    "openai": (
        *("models", "plugins", "store", "background", "web_search_options", "chat_template", "chat_template_kwargs", "provider", "route"),
        *("transforms", "prediction", "audio", "guided_json", "guided_regex", "extra_body", "service_tier"),
    ),
    "anthropic": ("mcp_servers", "container", "speed", "inference_geo", "fallbacks", "service_tier"),
}
TOOLS = {
    "openai": (
        "web_search",
        "web_search_preview_2025_03_11",
        "code_interpreter",
        "mcp",
        "file_search",
        "image_generation",
        "computer_use_preview",
    ),
    "anthropic": ("web_search_20260318", "web_fetch_20250910", "code_execution_20250825", "mcp_toolset", "tool_search_tool_bm25_20251119"),
}


def written(dialect: str, request: generate_pb2.GenerateInput, allowance: Allowance = NOTHING_MORE) -> tuple[dict[str, Any], set[str]]:
    """The body, and the fields that the report says were left out."""
    if dialect == "openai":
        body, report = openai.requests.input_to_chat(request, openai.OpenAIQuirks(), model="m", stream=False, allowance=allowance)
    else:
        body, report = anthropic.requests.input_to_messages(request, NEWEST, model="m", stream=False, allowance=allowance)
    return body, {each.field for each in report}


def asking(*extras: content_pb2.Extra, **more: Any) -> generate_pb2.GenerateInput:
    part = content_pb2.Part(text=content_pb2.Text(text="hi"))
    message = content_pb2.Message(role=content_pb2.ROLE_USER, parts=[part])
    return generate_pb2.GenerateInput(model="m", messages=[message], extras=extras, **more)


def extra(dialect: str, key: str, value: object = "MARK") -> content_pb2.Extra:
    return content_pb2.Extra(dialect=dialect, key=key, json=orjson.dumps(value))


def opaque_tool(dialect: str, kind: str) -> generate_pb2.GenerateInput:
    body = orjson.dumps({"type": kind, "name": "MARK"})
    tool = content_pb2.Tool(opaque=content_pb2.OpaquePart(dialect=dialect, type="custom", json=body))
    return asking(tools=[tool])


@pytest.mark.parametrize(("dialect", "key"), [(dialect, key) for dialect, keys in NEVER.items() for key in keys])
@pytest.mark.parametrize("value", ["MARK", ["MARK"], {"type": "MARK"}, True])
def test_what_costs_is_refused_by_its_name_unless_the_operator_allows_it(dialect: str, key: str, value: object) -> None:
    request = asking(extra(dialect, key, value))
    with pytest.raises(CostlyError) as refused:
        written(dialect, request)
    assert (refused.value.field, refused.value.name) == (f"extras[{dialect}.{key}]", key)
    body, _ = written(dialect, request, Allowance(frozenset({key})))
    assert body[key] == value
    assert key not in written("anthropic" if dialect == "openai" else "openai", request)[0], "another dialect is never sent it"


@pytest.mark.parametrize(("dialect", "kind"), [(dialect, kind) for dialect, kinds in TOOLS.items() for kind in kinds])
def test_tools_that_the_provider_runs_are_refused_unless_the_operator_allows_them(dialect: str, kind: str) -> None:
    request = opaque_tool(dialect, kind)
    with pytest.raises(CostlyError) as refused:
        written(dialect, request)
    assert refused.value.field == "tools[0].opaque"
    body, _ = written(dialect, request, Allowance(frozenset({f"tool_type.{kind}"})))
    assert body["tools"] == [{"type": kind, "name": "MARK"}]


@pytest.mark.parametrize("dialect", TABLES)
def test_unknown_keys_stay_here_and_are_reported_wherever_they_stand(dialect: str) -> None:
    odd = extra(dialect, "brand_new", {"x": "MARK"})
    request = asking(odd)
    request.messages[0].extras.append(odd)
    request.messages[0].parts[0].extras.append(odd)
    request.tools.add(function=content_pb2.FunctionTool(name="f", parameters_json="{}"), extras=[odd])
    unknown = content_pb2.OpaquePart(dialect=dialect, type="brand_new", json=b'{"type":"brand_new","x":"MARK"}')
    request.messages[0].parts.add(opaque=unknown)
    request.tools.add(opaque=unknown)
    body, left = written(dialect, request)
    assert b"MARK" not in orjson.dumps(body)
    name = f"extras[{dialect}.brand_new]"
    places = {
        name,
        f"messages[0].{name}",
        f"messages[0].parts[0].{name}",
        f"tools[0].{name}",
        "messages[0].parts[1].opaque",
        "tools[1].opaque",
    }
    assert left == places
    everything = Allowance(frozenset({"*"}))
    assert orjson.dumps(written(dialect, request, everything)[0]).count(b"MARK") == len(places)


@pytest.mark.parametrize("dialect", TABLES)
def test_a_kind_is_read_from_what_the_provider_reads(dialect: str) -> None:
    """The name beside the JSON is the caller's word, and the JSON may say something else."""
    for kind in (5, None, ["web_search"], "WEB_SEARCH", "function", "image_url", "text", "image"):
        body = orjson.dumps({"type": kind, "MARK": "MARK"})
        tool = content_pb2.Tool(opaque=content_pb2.OpaquePart(dialect=dialect, type="custom", json=body))
        part = content_pb2.Part(opaque=content_pb2.OpaquePart(dialect=dialect, type="custom", json=body))
        request = asking(tools=[tool])
        request.messages[0].parts.append(part)
        assert b"MARK" not in orjson.dumps(written(dialect, request)[0]), kind


@pytest.mark.parametrize(
    ("dialect", "key", "value", "passed"),
    [
        ("openai", "store", False, True), ("openai", "service_tier", "auto", False), ("openai", "service_tier", "default", False),
        ("openai", "background", False, False), ("anthropic", "service_tier", "standard_only", False), ("openai", "store", 0, None),
        ("openai", "service_tier", "priority", None), ("openai", "service_tier", None, False),
    ],
)  # fmt: skip
def test_values_that_cost_nothing_are_no_reason_to_refuse(dialect: str, key: str, value: object, *, passed: bool | None) -> None:
    request = asking(extra(dialect, key, value))
    if passed is None:
        with pytest.raises(CostlyError):
            written(dialect, request)
    else:
        assert (key in written(dialect, request)[0]) is passed


def test_of_objects_that_complete_typed_fields_only_listed_keys_go_on() -> None:
    request = asking(extra("openai", "stream_options", {"include_obfuscation": True, "odd": 1}), include_usage=True)
    body, report = openai.requests.input_to_chat(request, openai.OpenAIQuirks(), model="m", stream=True)
    assert body["stream_options"] == {"include_usage": True, "include_obfuscation": True}
    assert [each.field for each in report] == ["extras[openai.stream_options].odd"]


def test_sound_is_an_output_that_the_operator_allows() -> None:
    request = asking(modalities=["text", "audio"])
    with pytest.raises(CostlyError) as refused:
        written("openai", request)
    assert (refused.value.field, refused.value.name) == ("modalities", "modalities")
    assert written("openai", request, Allowance(frozenset({"modalities"})))[0]["modalities"] == ["text", "audio"]
    assert written("openai", asking(modalities=["text"]))[0]["modalities"] == ["text"]


def test_embeddings_have_keys_of_their_own() -> None:
    request = embed_pb2.EmbedInput(model="m", items=[embed_pb2.EmbedItem(text="x")])
    request.extras.extend([extra("openai", "input_type", "query"), extra("openai", "brand_new")])
    body, report = openai.embeddings.input_to_body(request, model="m")
    assert body["input_type"] == "query"
    assert [each.field for each in report] == ["extras[openai.brand_new]"]
    request.extras.append(extra("openai", "service_tier", "priority"))
    with pytest.raises(CostlyError):
        openai.embeddings.input_to_body(request, model="m")


@given(st.sampled_from(sorted(TABLES)), st.dictionaries(st.text(max_size=20), st.none() | st.booleans() | st.text(max_size=9), max_size=4))
def test_nothing_goes_on_that_no_table_names(dialect: str, keys: dict[str, Any]) -> None:
    listed = {name for name, rule in TABLES[dialect].rules.items() if rule.kind is KeyTreatment.SAFE or rule.harmless}
    request = asking(*(extra(dialect, key, value) for key, value in keys.items()))
    try:
        body, _ = written(dialect, request)
    except CostlyError:
        return
    assert body.keys() - written(dialect, asking())[0].keys() <= listed


def test_each_row_says_why_and_where() -> None:
    for table, (name, rule) in itertools.chain.from_iterable(zip([each] * 999, each.rules.items(), strict=False) for each in ROWS_OF):
        assert rule.why, name
        assert "." not in name or name.startswith(PLACES), name
        assert table.of(name.replace("*", "x")) is rule, f"{name} is hidden by a row before it"
