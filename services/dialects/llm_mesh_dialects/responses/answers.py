"""From a provider's answer to `POST /responses` to the typed payload."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import keep
from llm_mesh_dialects.fields import Fields, unread
from llm_mesh_dialects.loose import loose_count, loose_text
from llm_mesh_dialects.responses.items_reading import CALLS, output_parts
from llm_mesh_dialects.responses.usage import read_usage
from llm_mesh_dialects.responses.vocabulary import DIALECT, OBJECT, finish_of

_HEAD: Final = frozenset({"id", "object", "created_at", "model", "output", "usage", "status", "error", "incomplete_details"})
_ECHOED: Final = frozenset(
    {"instructions", "metadata", "parallel_tool_calls", "temperature", "tool_choice", "tools", "top_p", "background", "max_output_tokens"}
    | {"max_tool_calls", "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"}
    | {"reasoning", "safety_identifier", "text", "top_logprobs", "truncation", "user", "store", "include", "conversation", "image"}
    | {"frequency_penalty", "presence_penalty", "context_management", "output_text"}
)
"""What a response repeats of its request, which whoever asked has."""


def is_response(body: object) -> bool:
    """Whether a whole answer is one of this dialect."""
    return isinstance(body, dict) and body.get("object") == OBJECT


def rest_of(response: dict[str, Any]) -> dict[str, Any]:
    """What of a response is neither modelled nor an echo of its request."""
    return {key: value for key, value in unread(response, _HEAD | _ECHOED).items() if value is not None}


def body_into_output(output: generate_pb2.GenerateOutput, body: dict[str, Any]) -> None:
    """Writes the typed answer into an empty message; raises `DialectError` where the body is none."""
    answer = Fields(body)
    if not is_response(body) or not isinstance(body.get("output"), list):
        raise DialectError("output", "required: expected a list of items")
    output.id = loose_text(body.get("id"))
    output.model = loose_text(body.get("model"))
    output.created = int(loose_count(body.get("created_at")) or 0)
    choice = output.choices.add()
    choice.message.role = content_pb2.ROLE_ASSISTANT
    for part, logprobs in output_parts(answer):
        choice.message.parts.append(part)
        choice.logprobs.extend(logprobs)
    calls = any(item.get("type") in CALLS for item in body["output"])
    choice.finish_reason, choice.native_finish_reason = finish_of(body, calls=calls)
    used = read_usage(body)
    if used is not None:
        output.usage.CopyFrom(used)
    keep(output, DIALECT, rest_of(body))
