"""From a provider's answer to `POST /v1/messages` to the typed payload. What is absent or null is tolerated, what is wrong is not."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.anthropic import blocks_reading
from llm_mesh_dialects.anthropic.usage import read_usage
from llm_mesh_dialects.anthropic.vocabulary import DIALECT, finish_of
from llm_mesh_dialects.extras import keep
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.loose import loose_text

_OF_CHOICE = frozenset({"stop_sequence", "stop_details"})


def message_to_output(body: dict[str, Any]) -> generate_pb2.GenerateOutput:
    """The typed answer; raises `DialectError` where the body is none."""
    result = generate_pb2.GenerateOutput()
    message_into_output(result, body)
    return result


def message_into_output(result: generate_pb2.GenerateOutput, body: dict[str, Any]) -> None:
    """Likewise, into a message that is there already, and empty."""
    fields = Fields(body)
    if not isinstance(fields.raw("content"), list):
        raise fields.wrong("content", "required: expected a list of blocks")
    word = fields.text("stop_reason") or ""
    result.id = loose_text(fields.raw("id"))
    result.model = loose_text(fields.raw("model"))
    usage = fields.inner("usage") if isinstance(fields.peek("usage"), dict) else None
    if usage is not None:
        result.usage.CopyFrom(read_usage(usage))
    parts = blocks_reading.content(fields)
    for modelled in ("type", "role"):
        fields.raw(modelled)
    left = {key: value for key, value in fields.rest().items() if value is not None}
    reason = finish_of(word)
    if word == "end_turn" and any(part.WhichOneof("kind") == "tool_call" for part in parts):
        reason = generate_pb2.FINISH_REASON_TOOL_CALLS
    choice = result.choices.add(finish_reason=reason, native_finish_reason=word)
    message = choice.message
    message.role = content_pb2.ROLE_ASSISTANT
    message.parts.extend(parts)
    own = {key: value for key, value in left.items() if key in _OF_CHOICE}
    if choice.finish_reason == generate_pb2.FINISH_REASON_OTHER:  # a word that clients of the dialect may know
        own["stop_reason"] = word
    keep(choice, DIALECT, own)
    keep(result, DIALECT, {key: value for key, value in left.items() if key not in _OF_CHOICE})
