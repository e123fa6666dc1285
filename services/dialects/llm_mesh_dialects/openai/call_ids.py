"""Ids for tool calls that a provider gave none: the result of a call names it by its id."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from secrets import token_hex

from llm_mesh.inference.v1 import content_pb2


def name_calls(parts: Iterable[content_pb2.Part], answer: str, choice: int) -> None:
    """Gives an id to each call that has none."""
    number = 0
    for part in parts:
        if part.WhichOneof("kind") == "tool_call":
            part.tool_call.id = part.tool_call.id or made_id(answer, choice, number)
            number += 1


def made_id(answer: str, choice: int, number: int) -> str:
    """The same id for the same call of the same answer, whole or streamed; any id where the answer has none itself."""
    if not answer:
        return f"call_{token_hex(12)}"
    return f"call_{sha256(f'{answer}/{choice}/{number}'.encode()).hexdigest()[:24]}"
