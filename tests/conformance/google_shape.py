"""The shape of a request of Google's, as its SDK declares the parts of one: names are spelled as there, which readers of its JSON take."""

from __future__ import annotations

import base64
import enum
import re
from collections.abc import Mapping
from typing import Any, Final, get_type_hints

from google.genai import types

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.gemini import requests
from tests.conformance.samples import ADDRESS, CALL, IMAGE, SCHEMA, TOOL
from tests.conformance.sdk_shapes import SdkShapes
from tests.conformance.shapes import Choice, Leaf, Listing, Record, Shape

Body = dict[str, Any]
_PLAIN: Final = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}
_SAMPLES: Mapping[str, Any] = {
    "inline_data.data": IMAGE,
    "inline_data.mime_type": "image/png",
    "inline_data+": ("data", "mime_type"),
    "file_data.file_uri": ADDRESS,
    "file_data.mime_type": "image/png",
    "file_data+": ("file_uri",),
    "function_call.name": TOOL,
    "function_call.id": CALL,
    "function_call.args": {"city": "Bern"},
    "function_call+": ("name",),
    "function_response.name": TOOL,
    "function_response.id": CALL,
    "function_response.response": ({"output": "sunny"}, {"error": "no"}, {"city": "Bern"}),
    "function_response.parts": [{"inline_data": {"mime_type": "image/png", "data": IMAGE}}],
    "function_response+": ("name",),
    "thought_signature": base64.b64encode(b"sample").decode(),
    "function_declarations[].name": TOOL,
    "function_declarations[].response": dict(_PLAIN),
    "function_declarations[].parameters_json_schema": dict(SCHEMA),
    "function_declarations[]+": ("name",),
    "parameters+": ("type",),
    "parameters.type": "OBJECT",
    "parameters.items": {"type": "STRING"},
    "parameters.any_of": [dict(_PLAIN)],
    "parameters.properties": {"city": {"type": "STRING"}},
    "parameters.defs": {"city": {"type": "STRING"}},
    "parameters.additional_properties": False,
    "response_schema": dict(_PLAIN),
    "response_json_schema": dict(SCHEMA),
    "response_mime_type": ("application/json", "text/plain"),
    "response_modalities": (["TEXT"], ["TEXT", "AUDIO"]),
    "stop_sequences": ["halt"],
    "temperature": 0.37,
    "top_p": 0.73,
    "top_k": 17,
    "candidate_count": 2,
    "logprobs": 3,
    "max_output_tokens": 2048,
    "thinking_config.thinking_budget": (1024, 0, -1),
    "thinking_config.thinking_level": ("LOW", "HIGH"),
    "function_calling_config.mode": ("AUTO", "ANY", "NONE", "VALIDATED"),
    "function_calling_config.allowed_function_names": [TOOL],
    "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    "video_metadata": {"startOffset": "1s", "endOffset": "2s"},
    "part_metadata": {"a": "sample"},
}
_WHOLE = (
    r"^tools\[\]\.(?!function_declarations)\w+$",
    r"parts\[\]\S*\.(audio_transcription|\w+_metadata|executable_code|code_execution_result|tool_call|tool_response|partial_args)$",
    r"generation_config\.(model_selection_config|routing_config|speech_config|translation_config|audio_transcription_config)$",
    r"generation_config\.response_format$",
    r"retrieval_config$",
)
"""What the payload does not model: it travels as it came, whatever is in it."""
_KINDS: Final = ("text", "inline_data", "file_data", "function_call", "function_response", "executable_code", "code_execution_result")
_SERVED: Final = ("tool_call", "tool_response")
_UNNAMED: Final = "UNSPECIFIED"
_OPTIONAL: Final = re.compile(r"(?<!\])<\w+>")
_WITH_MORE: Final = frozenset({"text", "inline_data"})
"""Parts with which the keys are sent that any part may have."""


class GoogleShapes(SdkShapes):
    """Reads types of Google's SDK, whose parts say by their keys of which kind they are."""

    def of(self, hint: Any, path: str, within: tuple[Any, ...] = ()) -> Shape | None:  # noqa: PLR0911 (a way for each kind of type)
        """The shape of a type. What may be absent is the only one of its kind, which the path need not say."""
        path = _OPTIONAL.sub("", path)
        if (known := self._sample(path)) is not None:
            return known
        if any(re.search(each, path) for each in _WHOLE):
            return Leaf(({"a": "sample"},))
        if hint is types.PartDict:
            return self._part(path, (*within, hint))
        if hint is bytes:
            return Leaf((base64.b64encode(b"sample").decode(),))
        if hint is Any:
            return Leaf(({"a": "sample"},))
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            return Leaf(tuple(each.value for each in hint if _UNNAMED not in each.value.upper())[:1])
        return super().of(hint, path, within)

    def _part(self, path: str, within: tuple[Any, ...]) -> Shape:
        hints = get_type_hints(types.PartDict)
        kinds = (*_KINDS, *_SERVED)
        beside = {name: hint for name, hint in hints.items() if name not in kinds}
        options: dict[str, Shape] = {}
        for kind in kinds:
            place = f"{path}<{kind}>"
            own = {kind: hints[kind], **(beside if kind in _WITH_MORE else {"thought_signature": hints["thought_signature"]})}
            fields = {name: self.of(hint, f"{place}.{name}", within) for name, hint in own.items()}
            options[kind] = Record({name: shape for name, shape in fields.items() if shape is not None}, frozenset({kind}))
        return Choice(options)


def google_shape() -> Shape:
    """The shape of a body of `:generateContent`: what stands at its root in the SDK's own converter."""
    shapes = GoogleShapes(_SAMPLES)
    content = Record(
        {"role": Leaf(("user", "model")), "parts": Listing(_made(shapes, types.PartDict, "contents[].parts[]"))},
        frozenset({"role", "parts"}),
    )
    roots: dict[str, Any] = {
        "tools": list[types.ToolDict],
        "tool_config": types.ToolConfigDict,
        "generation_config": types.GenerationConfigDict,
        "safety_settings": list[types.SafetySettingDict],
        "labels": dict[str, str],
        "cached_content": str,
        "service_tier": types.ServiceTier,
        "store": bool,
        "continuation_token": bytes,
    }
    fields = {name: _made(shapes, hint, name) for name, hint in roots.items()}
    instruction = Record({"parts": Leaf(([{"text": "be terse"}],))}, frozenset({"parts"}))
    return Record({"contents": Listing(content), "system_instruction": instruction, **fields}, frozenset())


def _made(shapes: GoogleShapes, hint: Any, path: str) -> Shape:
    shape = shapes.of(hint, path)
    assert shape is not None
    return shape


_ASKS: Body = {"role": "user", "parts": [{"text": "sample"}]}


def complete_google(body: Body, probe: Body) -> Body:
    """With a question before what the model says, a call before its response, and tools where they are chosen."""
    (asked,) = body.get("contents") or [_ASKS]
    kinds = {kind for part in asked["parts"] for kind in part}
    made = {**body, "contents": [asked]}
    if asked["role"] == "model":
        response = {"functionResponse": {"name": TOOL, "response": {"output": "sunny"}}}
        results = [response] if "function_call" in kinds else []
        made["contents"] = [_ASKS, asked, {"role": "user", "parts": [*results, {"text": "sample"}]}]
    elif "function_response" in kinds:
        named = {key: value for key, value in asked["parts"][0]["function_response"].items() if key == "id"}
        called = {"functionCall": {"name": TOOL, "args": {}, **named}}
        made["contents"] = [_ASKS, {"role": "model", "parts": [called]}, asked]
    elif "function_call" in kinds:
        response = {"functionResponse": {"name": TOOL, "response": {"output": "sunny"}}}
        made["contents"] = [asked, {"role": "user", "parts": [response]}]
    config = probe.get("generation_config", {})
    if "logprobs" in config:
        made["generation_config"] = {**body.get("generation_config", {}), "response_logprobs": True}
    if "tool_config" in probe and "tools" not in made:
        made["tools"] = [{"functionDeclarations": [{"name": name, "parametersJsonSchema": SCHEMA} for name in (TOOL, "get_time")]}]
    return made


def read_google(body: Body) -> generate_pb2.GenerateInput:
    """The typed payload of a body."""
    made = generate_pb2.GenerateInput()
    requests.body_into_input(made, body, model="replaced")
    return made
