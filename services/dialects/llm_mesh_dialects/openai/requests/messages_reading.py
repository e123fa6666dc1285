"""The conversation of a request, from the dialect to the typed payload."""

from __future__ import annotations

from collections.abc import Iterator

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.extras import kept
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai import parts_reading
from llm_mesh_dialects.openai.vocabulary import DIALECT, ROLES

_MOST_MESSAGES = 4_096
_EXPECTED_ROLE = "expected one of " + ", ".join(ROLES)


def messages(body: Fields) -> Iterator[content_pb2.Message]:
    """The messages, in order."""
    given = body.raw("messages")
    if given is None:
        raise body.wrong("messages", "required: expected a list of messages")
    if not isinstance(given, list) or len(given) > _MOST_MESSAGES:
        raise body.wrong("messages", f"expected a list of at most {_MOST_MESSAGES} messages")
    for each in body.each("messages"):
        yield _message(each)


def _message(fields: Fields) -> content_pb2.Message:
    role = ROLES.get(fields.required_text("role"))
    if role is None:
        raise fields.wrong("role", _EXPECTED_ROLE)
    if role == content_pb2.ROLE_TOOL:
        parts = [_tool_result(fields)]
    elif role == content_pb2.ROLE_ASSISTANT:
        parts = parts_reading.said(fields)
    else:
        parts = parts_reading.content(fields)
        if not parts:
            raise fields.wrong("content", "required: expected a string or a list of parts")
    name = fields.text("name") or ""
    return content_pb2.Message(role=role, name=name, parts=parts, extras=kept(DIALECT, fields.rest()))


def _tool_result(fields: Fields) -> content_pb2.Part:
    number = fields.required_text("tool_call_id")
    parts = parts_reading.content(fields)
    return content_pb2.Part(tool_result=content_pb2.ToolResult(tool_call_id=number, parts=parts))
