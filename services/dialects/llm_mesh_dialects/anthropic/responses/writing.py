"""From the typed payload to a client's answer to `POST /v1/messages`. The dialect has one answer: the first."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_dialects.anthropic.blocks_writing import BlocksWriter
from llm_mesh_dialects.anthropic.streams.reading import MESSAGE
from llm_mesh_dialects.anthropic.usage import write_usage
from llm_mesh_dialects.anthropic.vocabulary import DIALECT, finish_word
from llm_mesh_dialects.extras import put_back
from llm_mesh_dialects.report import Report


def output_to_message(output: generate_pb2.GenerateOutput, *, id: str = "", model: str = "") -> dict[str, Any]:  # noqa: A002 (the dialect's name)
    """The body. `id` and `model` replace what the provider said."""
    choice = output.choices[0] if output.choices else generate_pb2.Choice()
    reason = choice.finish_reason
    if reason == generate_pb2.FINISH_REASON_STOP and any(part.WhichOneof("kind") == "refusal" for part in choice.message.parts):
        reason = generate_pb2.FINISH_REASON_REFUSAL
    body: dict[str, Any] = {
        "id": id or output.id,
        "type": "message",
        "role": "assistant",
        "model": model or output.model,
        "content": BlocksWriter(Report(), answer=True).written(choice.message.parts, ""),
        "stop_reason": finish_word(reason, choice.native_finish_reason),
        "stop_sequence": None,
        "usage": write_usage(output.usage),
    }
    stop: dict[str, Any] = {}
    put_back(stop, choice.extras, DIALECT)
    put_back(body, output.extras, DIALECT)
    beside = stop.pop(MESSAGE, None)
    return body | stop | (beside if isinstance(beside, dict) else {})


def count_to_body(count: embed_pb2.TokenCount) -> dict[str, Any]:
    """The answer to `POST /v1/messages/count_tokens`."""
    return {"input_tokens": count.input_tokens}
