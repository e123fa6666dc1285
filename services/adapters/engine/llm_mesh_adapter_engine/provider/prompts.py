"""From a request to the prompt of its model: messages and tools as chat templates read them, which is as OpenAI's dialect has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.allowing import Allowance
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.openai.quirks import OpenAIQuirks
from llm_mesh_dialects.openai.requests import input_to_chat

_QUIRKS: Final = OpenAIQuirks(
    max_tokens="max_tokens",
    stream_usage=False,
    top_k=True,
    reasoning_history="reasoning_content",
    prompt_cache_key=False,
    text_lists=False,
    longest_tool_name=0,
    longest_user=0,
    most_stops=0,
    unsupported=frozenset({"user", "verbosity", "metadata", "safety_identifier"}),
)
"""Engines take whatever the template makes of a request; what a template does not read is left out there."""
NO_EFFORT: Final = "none"

Body = dict[str, Any]


def chat_of(
    request: generate_pb2.GenerateInput, *, model: str, stream: bool, max_output_tokens: int, allowance: Allowance
) -> tuple[Body, list[generate_pb2.Translation]]:  # fmt: skip
    """The request in OpenAI's dialect, and what that changed. Raises `DialectError` for what no template can read."""
    body, translations = input_to_chat(
        request, _QUIRKS, model=model, stream=stream, max_output_tokens=max_output_tokens, allowance=allowance
    )
    for index, message in enumerate(body["messages"]):
        _plain(message, index)
    return body, translations


def variables_of(body: Body, translations: list[generate_pb2.Translation]) -> Mapping[str, Any]:
    """What the template is told beside messages and tools."""
    more: dict[str, Any] = {}
    kwargs = body.pop("chat_template_kwargs", None)
    if isinstance(kwargs, dict):
        more |= {key: value for key, value in kwargs.items() if isinstance(key, str)}
    thinking = body.pop("enable_thinking", None)
    if isinstance(thinking, bool):
        more["enable_thinking"] = thinking
    effort = body.pop("reasoning_effort", None)
    if effort is not None:
        more |= {"reasoning_effort": effort, "enable_thinking": effort != NO_EFFORT, "thinking": effort != NO_EFFORT}
        translations.append(_approximated("reasoning", "told to the chat template, which decides what it makes of it"))
    return more


def functions_of(tools: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The tools, all of which must be functions."""
    for index, tool in enumerate(tools):
        if tool.get("type") != "function":
            raise DialectError(f"tools[{index}]", "expected a function: an engine has no tools of its own")
    return tools


def _plain(message: dict[str, Any], index: int) -> None:
    """Templates read texts, and arguments as objects."""
    content = message.get("content")
    if isinstance(content, list):
        if any(part.get("type") != "text" for part in content):
            raise DialectError(f"messages[{index}]", "expected text: images, sound and files cannot be sent to an engine as tokens")
        message["content"] = "".join(part["text"] for part in content)
    elif content is None:
        message["content"] = ""
    for call in message.get("tool_calls", ()):
        function = call.get("function", {})
        try:
            function["arguments"] = orjson.loads(function.get("arguments") or "{}")
        except orjson.JSONDecodeError:
            continue  # a model wrote it; the template gets the text


def _approximated(field: str, note: str) -> generate_pb2.Translation:
    return generate_pb2.Translation(field=field, action=generate_pb2.TRANSLATION_ACTION_APPROXIMATED, note=note)


def dropped(field: str, note: str) -> generate_pb2.Translation:
    """What was not passed on."""
    return generate_pb2.Translation(field=field, action=generate_pb2.TRANSLATION_ACTION_DROPPED, note=note)
