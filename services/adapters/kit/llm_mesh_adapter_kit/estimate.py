"""An upper bound of a request's input tokens: no tokenizer makes more tokens than there are bytes."""

from __future__ import annotations

from collections.abc import Iterable

from llm_mesh.inference.v1 import content_pb2, generate_pb2

_PER_MESSAGE = 16


def upper_bound(request: generate_pb2.GenerateInput, image_tokens: int) -> int:
    """UTF-8 bytes of all text and schemas, 16 per message, and the model's table for images."""
    bound = sum(_PER_MESSAGE + len(message.name.encode()) + _parts(message.parts, image_tokens) for message in request.messages)
    bound += sum(tool.ByteSize() for tool in request.tools)
    return bound + len(request.response_format.json_schema.schema_json.encode())


def _parts(parts: Iterable[content_pb2.Part], image_tokens: int) -> int:
    total = 0
    for part in parts:
        kind = part.WhichOneof("kind")
        if kind == "image":
            total += image_tokens or part.image.ByteSize()
        elif kind == "tool_result":
            total += _parts(part.tool_result.parts, image_tokens)
        else:
            total += part.ByteSize()
    return total
