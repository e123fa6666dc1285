"""The conversation of a request, from the dialect to the typed payload."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.counting import check_parts
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import as_extras
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai import parts_reading
from llm_mesh_dialects.openai.vocabulary import DIALECT, ROLES

_MOST_MESSAGES = 4_096
_EXPECTED_ROLE = "expected one of " + ", ".join(ROLES)
_PLAIN: Final = frozenset({"role", "content"})
_PLAIN_ROLES: Final = {word: role for word, role in ROLES.items() if role != content_pb2.ROLE_TOOL}


def read_messages(result: generate_pb2.GenerateInput, items: Any) -> None:  # noqa: ANN401 (JSON)
    """Adds the messages, in order."""
    if items is None:
        raise DialectError("messages", "required: expected a list of messages")
    if not isinstance(items, list) or len(items) > _MOST_MESSAGES:
        raise DialectError("messages", f"expected a list of at most {_MOST_MESSAGES} messages")
    check_parts(items)
    added = result.messages
    for index, each in enumerate(items):
        texts = _plain(each)
        if texts is None:
            added.append(_message(Fields(each, f"messages[{index}]")))
        else:
            parts = added.add(role=_PLAIN_ROLES[each["role"]]).parts
            for text in texts:
                parts.add().text.text = text


def _plain(message: Any) -> list[str] | None:  # noqa: ANN401 (JSON)
    """The short way of nearly every message: who speaks, and texts without anything beside them."""
    if type(message) is dict and message.keys() == _PLAIN:
        role = message["role"]
        if type(role) is str and role in _PLAIN_ROLES:
            return parts_reading.plain(message["content"])
    return None


def _message(fields: Fields) -> content_pb2.Message:
    role = ROLES.get(fields.required_text("role"))
    if role is None:
        raise fields.wrong("role", _EXPECTED_ROLE)
    if role == content_pb2.ROLE_TOOL:
        parts = [_tool_result(fields)]
    elif role == content_pb2.ROLE_ASSISTANT:
        parts = parts_reading.answer_parts(fields)
    else:
        parts = parts_reading.content(fields)
        if not parts:
            raise fields.wrong("content", "required: expected a string or a list of parts")
    name = fields.text("name") or ""
    return content_pb2.Message(role=role, name=name, parts=parts, extras=as_extras(DIALECT, fields.rest()))


def _tool_result(fields: Fields) -> content_pb2.Part:
    number = fields.required_text("tool_call_id")
    parts = parts_reading.content(fields)
    return content_pb2.Part(tool_result=content_pb2.ToolResult(tool_call_id=number, parts=parts))
