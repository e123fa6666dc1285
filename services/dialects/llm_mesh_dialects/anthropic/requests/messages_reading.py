"""The conversation of a request, from the dialect to the typed payload.

Results of tools stand in user turns here and are messages of their own there, so a user turn is split where they begin and end.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.anthropic import blocks_reading
from llm_mesh_dialects.anthropic.vocabulary import DIALECT
from llm_mesh_dialects.counting import check_parts
from llm_mesh_dialects.extras import as_extras
from llm_mesh_dialects.fields import Fields

_MOST_MESSAGES: Final = 4_096
_ROLES: Final = {"user": content_pb2.ROLE_USER, "assistant": content_pb2.ROLE_ASSISTANT, "system": content_pb2.ROLE_SYSTEM}


def messages(body: Fields) -> Iterator[content_pb2.Message]:
    """The system prompt and the messages, in order."""
    check_parts([{"content": body.peek("system")}])
    system = blocks_reading.content(body, "system")
    if system:
        yield content_pb2.Message(role=content_pb2.ROLE_SYSTEM, parts=system)
    items = body.raw("messages")
    if items is None:
        raise body.wrong("messages", "required: expected a list of messages")
    if not isinstance(items, list) or len(items) > _MOST_MESSAGES:
        raise body.wrong("messages", f"expected a list of at most {_MOST_MESSAGES} messages")
    check_parts(items)
    for each in body.each("messages"):
        yield from _turn(each)


def _turn(fields: Fields) -> Iterator[content_pb2.Message]:
    role = _ROLES.get(fields.required_text("role"))
    if role is None:
        raise fields.wrong("role", "expected one of " + ", ".join(_ROLES))
    if fields.raw("content") is None:
        raise fields.wrong("content", "required: expected a string or a list of blocks")
    parts = blocks_reading.content(fields)
    extras = as_extras(DIALECT, fields.rest())
    if role != content_pb2.ROLE_USER:
        yield content_pb2.Message(role=role, parts=parts, extras=extras)
        return
    runs = [(result, list(run)) for result, run in groupby(parts, key=_is_result)] or [(False, [])]
    for place, (result, run) in enumerate(runs):
        owned = extras if place == len(runs) - 1 else []
        yield content_pb2.Message(role=content_pb2.ROLE_TOOL if result else role, parts=run, extras=owned)


def _is_result(part: content_pb2.Part) -> bool:
    return bool(part.WhichOneof("kind") == "tool_result")
