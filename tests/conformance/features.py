"""The features of requests and answers: how each edge asks for one, and by what it is seen that it arrived and came back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format

from tests.conformance.answers import Told
from tests.conformance.samples import ADDRESS, IMAGE, PDF, SCHEMA, SCHEMA_JSON, SOUND, TOOL

Body = dict[str, Any]
_TEXT = "Grüße an alle"
_WORDS = "one two three four five six seven eight"


@dataclass(frozen=True)
class Feature:
    """One feature. An edge without a body has no way to ask for it."""

    name: str
    bodies: Mapping[str, Body]
    sent: tuple[str, ...] = ()
    """What must stand somewhere in what the provider gets."""
    came: Callable[[Told], bool] = lambda _: True
    """Whether the answer has it."""
    model: str = "sim-echo"
    again: Callable[[str, Body, Told], Body] | None = None
    """The body of a second turn, which is what is looked at."""
    unlike: str = ""
    """Another feature whose request it must differ from at the provider: for what has no value of its own."""


def _say(openai: Any, anthropic: Any, parts: list[Body], /, **more: Any) -> dict[str, Body]:
    return {
        "openai": {"messages": [{"role": "user", "content": openai}], **more.get("openai", {})},
        "anthropic": {"max_tokens": 2048, "messages": [{"role": "user", "content": anthropic}], **more.get("anthropic", {})},
        "google": {"contents": [{"role": "user", "parts": [_google_part(each) for each in parts]}], **more.get("google", {})},
        "grpc": {"messages": [{"role": "ROLE_USER", "parts": parts}], **more.get("grpc", {})},
    }


def _google_part(part: Body) -> Body:
    """The same part as the contract has it, in Google's words."""
    if "text" in part:
        return {"text": part["text"]["text"]}
    (medium,) = part.values()
    if "uri" in medium:
        return {"fileData": {"fileUri": medium["uri"], "mimeType": medium["mime_type"]}}
    named = {"displayName": medium["filename"]} if "filename" in medium else {}
    return {"inlineData": {"mimeType": medium["mime_type"], "data": medium["data"], **named}}


def _text(said: str) -> tuple[str, str, list[Body]]:
    return said, said, [{"text": {"text": said}}]


_SHOWS_THOUGHTS: Body = {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}
"""Without it Google's clients are told no thoughts."""
_NAMES = (TOOL, "get_time")
_OPENAI_TOOLS = [{"type": "function", "function": {"name": name, "description": f"tells {name}", "parameters": SCHEMA}} for name in _NAMES]
_ANTHROPIC_TOOLS = [{"name": name, "description": f"tells {name}", "input_schema": SCHEMA} for name in _NAMES]
_GOOGLE_TOOLS = [
    {"functionDeclarations": [{"name": name, "description": f"tells {name}", "parametersJsonSchema": SCHEMA} for name in _NAMES]}
]
_CONTRACT_TOOLS = [{"function": {"name": name, "description": f"tells {name}", "parameters_json": SCHEMA_JSON}} for name in _NAMES]


def _tools(
    said: str, openai: Body | None = None, anthropic: Body | None = None, grpc: Body | None = None, google: Body | None = None
) -> dict[str, Body]:
    return _say(
        *_text(said),
        openai={"tools": _OPENAI_TOOLS, **(openai or {})},
        anthropic={"tools": _ANTHROPIC_TOOLS, **(anthropic or {})},
        google={"tools": _GOOGLE_TOOLS, **(google or {})},
        grpc={"tools": _CONTRACT_TOOLS, **(grpc or {})},
    )


def _with(**options: Body) -> dict[str, Body]:
    made = _say(*_text(_WORDS), **options)
    return {edge: body for edge, body in made.items() if edge in options}


def _not_googles(bodies: Mapping[str, Body]) -> dict[str, Body]:
    """For what Google's dialect has no way to ask."""
    return {edge: body for edge, body in bodies.items() if edge != "google"}


def with_results(edge: str, body: Body, first: Told) -> Body:
    """The same conversation with the answer as it came, and a result for each call."""
    if edge == "openai":
        results = [{"role": "tool", "tool_call_id": each["id"], "content": "sunny"} for each in first.raw.get("tool_calls", ())]
        return {**body, "messages": [*body["messages"], first.raw, *results]}
    if edge == "anthropic":
        blocks = [
            {"type": "tool_result", "tool_use_id": each["id"], "content": "sunny"} for each in first.raw if each["type"] == "tool_use"
        ]
        messages = [*body["messages"], {"role": "assistant", "content": first.raw}, {"role": "user", "content": blocks}]
        return {**body, "messages": messages}
    if edge == "google":
        calls = [part["functionCall"] for part in first.raw["parts"] if "functionCall" in part]
        answers = [{"functionResponse": {"id": call["id"], "name": call["name"], "response": {"output": "sunny"}}} for call in calls]
        return {**body, "contents": [*body["contents"], first.raw, {"role": "user", "parts": answers}]}
    said = json_format.MessageToDict(first.raw, preserving_proto_field_name=True)
    results = [
        {"tool_result": {"tool_call_id": part["tool_call"]["id"], "parts": [{"text": {"text": "sunny"}}]}}
        for part in said["parts"]
        if "tool_call" in part
    ]
    return {**body, "messages": [*body["messages"], said, {"role": "ROLE_TOOL", "parts": results}]}


def _called(*names: str) -> Callable[[Told], bool]:
    return lambda told: [name for name, _ in told.calls] == list(names) and all("city" in arguments for _, arguments in told.calls)


def _is_json(told: Told) -> bool:
    return told.texts[0].startswith("{") and isinstance(json.loads(told.texts[0]), dict)


def _conforms(told: Told) -> bool:
    return _is_json(told) and json.loads(told.texts[0]).keys() == {"city"}


_FORM = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}}
FEATURES: Mapping[str, Feature] = {
    each.name: each
    for each in (
        Feature("text", _say(*_text(_TEXT)), (_TEXT,), lambda told: told.texts == [_TEXT]),
        Feature(
            "system text",
            _say(
                *_text(_TEXT),
                openai={"messages": [{"role": "system", "content": "be terse"}, {"role": "user", "content": _TEXT}]},
                anthropic={"system": "be terse"},
                google={"systemInstruction": {"parts": [{"text": "be terse"}]}},
                grpc={
                    "messages": [
                        {"role": "ROLE_SYSTEM", "parts": [{"text": {"text": "be terse"}}]},
                        {"role": "ROLE_USER", "parts": [{"text": {"text": _TEXT}}]},
                    ]
                },
            ),
            ("be terse", _TEXT),
            lambda told: told.texts == [_TEXT],
        ),
        Feature(
            "image, as bytes",
            _say(
                [{"type": "text", "text": _TEXT}, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IMAGE}"}}],
                [
                    {"type": "text", "text": _TEXT},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": IMAGE}},
                ],
                [{"text": {"text": _TEXT}}, {"image": {"data": IMAGE, "mime_type": "image/png"}}],
            ),
            (_TEXT, IMAGE),
            lambda told: told.texts == [_TEXT],
        ),
        Feature(
            "image, by its address",
            _say(
                [{"type": "text", "text": _TEXT}, {"type": "image_url", "image_url": {"url": ADDRESS}}],
                [{"type": "text", "text": _TEXT}, {"type": "image", "source": {"type": "url", "url": ADDRESS}}],
                [{"text": {"text": _TEXT}}, {"image": {"uri": ADDRESS, "mime_type": "image/png"}}],
            ),
            (_TEXT, ADDRESS),
        ),
        Feature(
            "file, a PDF",
            _say(
                [
                    {"type": "text", "text": _TEXT},
                    {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PDF}", "filename": "house.pdf"}},
                ],
                [
                    {"type": "text", "text": _TEXT},
                    {"type": "document", "title": "house.pdf", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}},
                ],
                [{"text": {"text": _TEXT}}, {"file": {"data": PDF, "mime_type": "application/pdf", "filename": "house.pdf"}}],
            ),
            (_TEXT, PDF),
        ),
        Feature(
            "sound",
            {
                edge: body
                for edge, body in _say(
                    [{"type": "text", "text": _TEXT}, {"type": "input_audio", "input_audio": {"data": SOUND, "format": "wav"}}],
                    "",
                    [{"text": {"text": _TEXT}}, {"audio": {"data": SOUND, "mime_type": "audio/wav"}}],
                ).items()
                if edge != "anthropic"
            },
            (_TEXT, SOUND),
        ),
        Feature("tools", _tools("get weather"), (*_NAMES, f"tells {TOOL}", "city"), _called(TOOL)),
        Feature("parallel tools", _tools("get weather and get time"), _NAMES, _called(*_NAMES)),
        Feature(
            "one tool at a time",
            _not_googles(
                _tools(
                    "get weather and get time",
                    {"parallel_tool_calls": False},
                    {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
                    {"parallel_tool_calls": False},
                )
            ),
            _NAMES,
            _called(TOOL),
            unlike="parallel tools",
        ),
        Feature(
            "a forced tool",
            _tools(
                "anything",
                {"tool_choice": {"type": "function", "function": {"name": "get_time"}}},
                {"tool_choice": {"type": "tool", "name": "get_time"}},
                {"tool_choice": {"mode": "TOOL_CHOICE_MODE_NAMED", "name": "get_time"}},
                {"toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["get_time"]}}},
            ),
            ("get_time",),
            _called("get_time"),
        ),
        Feature(
            "some tool",
            _tools(
                "anything",
                {"tool_choice": "required"},
                {"tool_choice": {"type": "any"}},
                {"tool_choice": {"mode": "TOOL_CHOICE_MODE_REQUIRED"}},
                {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
            ),
            _NAMES,
            _called(TOOL),
        ),
        Feature(
            "no tool",
            _tools(
                "get weather",
                {"tool_choice": "none"},
                {"tool_choice": {"type": "none"}},
                {"tool_choice": {"mode": "TOOL_CHOICE_MODE_NONE"}},
                {"toolConfig": {"functionCallingConfig": {"mode": "NONE"}}},
            ),
            came=lambda told: not told.calls and told.texts == ["get weather"],
            unlike="tools",
        ),
        Feature("result of a tool", _tools("get weather"), (TOOL, "sunny"), lambda told: told.texts == ["sunny"], again=with_results),
        Feature(
            "schema",
            _with(
                openai={"response_format": _FORM},
                anthropic={"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
                google={"generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}},
                grpc={"response_format": {"json_schema": {"name": "place", "schema_json": SCHEMA_JSON, "strict": True}}},
            ),
            ("city",),
            _conforms,
        ),
        Feature(
            "any JSON",
            _with(
                openai={"response_format": {"type": "json_object"}},
                google={"generationConfig": {"responseMimeType": "application/json"}},
                grpc={"response_format": {"json_object": {}}},
            ),
            came=_is_json,
            unlike="stop",
        ),
        Feature(
            "thinking, by effort",
            _with(
                openai={"reasoning_effort": "high"},
                anthropic={"output_config": {"effort": "high"}, "thinking": {"type": "adaptive"}},
                google={"generationConfig": {"thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": True}}},
                grpc={"reasoning": {"effort": "high"}},
            ),
            came=lambda told: bool(told.thought or told.usage.get("reasoning")),
            unlike="limit of the answer",
        ),
        Feature(
            "thinking, by tokens",
            _with(
                anthropic={"thinking": {"type": "enabled", "budget_tokens": 1024}},
                google={"generationConfig": {"thinkingConfig": {"thinkingBudget": 1024, "includeThoughts": True}}},
                grpc={"reasoning": {"budget_tokens": 1024}},
            ),
            came=lambda told: bool(told.thought or told.usage.get("reasoning")),
            unlike="limit of the answer",
        ),
        Feature(
            "thinking, sent back",
            _tools(
                "get weather",
                {"reasoning_effort": "high"},
                {"thinking": {"type": "enabled", "budget_tokens": 1024}},
                {"reasoning": {"budget_tokens": 1024}, "max_output_tokens": 2048},
                {"generationConfig": {"thinkingConfig": {"thinkingBudget": 1024}, "maxOutputTokens": 2048}},
            ),
            ("sunny",),
            lambda told: told.texts == ["sunny"],
            again=with_results,
        ),
        Feature(
            "cache hint",
            _not_googles(
                _say(
                    [{"type": "text", "text": _TEXT, "cache_control": {"type": "ephemeral"}}],
                    [{"type": "text", "text": _TEXT, "cache_control": {"type": "ephemeral"}}],
                    [{"text": {"text": _TEXT}, "cache_hint": {}}],
                )
            ),
            (_TEXT,),
            lambda told: bool(told.usage.get("written") or told.usage.get("cached")),
            unlike="text",
        ),
        Feature(
            "log-probabilities",
            _with(
                openai={"logprobs": True, "top_logprobs": 2},
                google={"generationConfig": {"responseLogprobs": True, "logprobs": 2}},
                grpc={"logprobs": {"top": 2}},
            ),
            came=lambda told: told.logprobs > 0,
            unlike="limit of the answer",
        ),
        Feature(
            "several answers",
            _with(openai={"n": 2}, google={"generationConfig": {"candidateCount": 2}}, grpc={"candidate_count": 2}),
            came=lambda told: len(told.texts) == 2,
            unlike="limit of the answer",
        ),
        Feature(
            "stop",
            _with(
                openai={"stop": ["five"]},
                anthropic={"stop_sequences": ["five"]},
                google={"generationConfig": {"stopSequences": ["five"]}},
                grpc={"stop": ["five"]},
            ),
            ('"five"',),
            lambda told: told.texts == ["one two three four "],
        ),
        Feature(
            "limit of the answer",
            _with(
                openai={"max_completion_tokens": 3},
                anthropic={"max_tokens": 3},
                google={"generationConfig": {"maxOutputTokens": 3}},
                grpc={"max_output_tokens": 3},
            ),
            ("3",),
            lambda told: told.finish[0] in {"length", "max_tokens"} and told.usage["output"] == 3,
        ),
        Feature(
            "sampling",
            _with(
                openai={"temperature": 0.37, "top_p": 0.73, "seed": 90210, "presence_penalty": 0.21},
                anthropic={"temperature": 0.37, "top_k": 17},
                google={"generationConfig": {"temperature": 0.37, "topP": 0.73, "topK": 17, "seed": 90210}},
                grpc={"sampling": {"temperature": 0.37, "top_p": 0.73, "top_k": 17, "seed": 90210}},
            ),
            ("0.37",),
        ),
        Feature(
            "refusal",
            _say(*_text(_TEXT)),
            (),
            lambda told: bool(told.refusal) or told.finish[0] in {"refusal", "content_filter"},
            "sim-refusal",
        ),
        Feature("usage", _say(*_text(_TEXT)), (), lambda told: told.usage["input"] > 0 and told.usage["output"] == 3, "sim-echo/tokens:1"),
        Feature("usage of a cache", _say(*_text(_TEXT)), (), lambda told: told.usage.get("cached") == 500, "sim-cached"),
        Feature(
            "usage of thinking",
            _say(*_text(_TEXT), google=_SHOWS_THOUGHTS),
            (),
            lambda told: bool(told.usage.get("reasoning") or told.thought),
            "sim-reasoning",
        ),
        Feature("usage that is not said", _say(*_text(_TEXT)), (), lambda told: told.usage.get("output", 0) > 0, "sim-no-usage"),
    )
}
