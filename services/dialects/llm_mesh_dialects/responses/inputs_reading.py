"""The conversation of a request, from a client's items to the messages of the typed payload.

What the model said in one turn (reasoning, a text, calls of tools) becomes one message of the assistant, and the results that follow one
message of the tools: other dialects know no smaller ones. An item of a type that is not modelled stays whole, in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.counting import check_parts
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai.vocabulary import ROLES
from llm_mesh_dialects.responses.contents_reading import content
from llm_mesh_dialects.responses.items_reading import ITEM
from llm_mesh_dialects.responses.proofs import BREAK
from llm_mesh_dialects.responses.redacted import redacted_of
from llm_mesh_dialects.responses.vocabulary import DIALECT

MOST_ITEMS: Final = 4_096
_ROLES: Final = {word: role for word, role in ROLES.items() if role != content_pb2.ROLE_TOOL}
_EXPECTED_ROLE: Final = "expected one of " + ", ".join(_ROLES)
_EXPECTED: Final = f"expected a string, or a list of at most {MOST_ITEMS} items"
_OF_THE_MODEL: Final = ("_call", "reasoning", "mcp_list_tools", "mcp_approval_request", "compaction", "program")
"""How the types of items end that the model writes."""

Part = content_pb2.Part


class InputsReader:
    """Reads one conversation into the messages of a request."""

    def __init__(self, result: generate_pb2.GenerateInput) -> None:
        self._messages = result.messages
        self._has_content = False
        self.places: list[list[str]] = []
        """By message and part, where the body has it."""

    def instruct(self, text: str) -> None:
        """What the model is told before everything else."""
        self._add(content_pb2.ROLE_SYSTEM, [_text(text)], ["instructions"])

    def read(self, value: Any) -> None:  # noqa: ANN401 (JSON)
        """Adds all items, in order; one text is what the user says."""
        if isinstance(value, str):
            self._add(content_pb2.ROLE_USER, [_text(value)], ["input"])
            return
        if not isinstance(value, list) or len(value) > MOST_ITEMS:
            raise DialectError("input", _EXPECTED)
        check_parts(value, "input")
        for index, each in enumerate(value):
            self._item(Fields(each, f"input[{index}]"), f"input[{index}]")

    def _item(self, item: Fields, place: str) -> None:
        kind = item.text("type") or ("message" if item.peek("role") is not None else "")
        if kind == "message":
            self._message(item, place)
        elif kind == "item_reference":  # left out, it would be missed by nobody but the model
            raise item.wrong("type", "expected the item itself: no item is kept that could be referred to")
        elif kind:
            role = _OF_KIND.get(kind) or (content_pb2.ROLE_ASSISTANT if kind.endswith(_OF_THE_MODEL) else content_pb2.ROLE_USER)
            self._append(role, [self._part(item, kind)], [place])
        else:
            raise item.wrong("type", "required: expected the type of an item, or a role")

    def _message(self, item: Fields, place: str) -> None:
        role = _ROLES.get(item.required_text("role"))
        if role is None:
            raise item.wrong("role", _EXPECTED_ROLE)
        parts = self._contents(item, role)
        listed = isinstance(item.peek("content"), list)
        places = [f"{place}.content[{index}]" if listed else f"{place}.content" for index in range(len(parts))]
        if role != content_pb2.ROLE_ASSISTANT or self._has_content:
            self._add(role, parts, places)
        else:
            self._append(role, parts, places)
        self._has_content = role == content_pb2.ROLE_ASSISTANT

    def _part(self, item: Fields, kind: str) -> Part:
        """An item that is a part of a message."""
        read = _PARTS.get(kind)
        return read(item) if read is not None else _opaque(item, kind)

    def _contents(self, item: Fields, role: content_pb2.Role) -> list[Part]:
        """The parts of an item that is a message. What an answer has beside them stands at the first."""
        parts = content(item, "content")
        if role != content_pb2.ROLE_ASSISTANT and not parts:
            raise item.wrong("content", "required: expected at least one part")
        if role == content_pb2.ROLE_ASSISTANT and parts and (left := item.rest()):
            parts[0].extras.extend(as_extras(DIALECT, {ITEM: left}))
        return parts

    def _add(self, role: content_pb2.Role, parts: list[Part], places: list[str]) -> None:
        """A message of its own."""
        self._messages.add(role=role, parts=parts)
        self.places.append(places)
        self._has_content = False

    def _append(self, role: content_pb2.Role, parts: list[Part], places: list[str]) -> None:
        """More of the last message, where it is of that role, else a new one."""
        if not self._messages or self._messages[-1].role != role:
            self._add(role, [], [])
        self._messages[-1].parts.extend(parts)
        self.places[-1].extend(places)


def _text(text: str) -> Part:
    return Part(text=content_pb2.Text(text=text))


def _opaque(item: Fields, kind: str) -> Part:
    json = dumped(item.whole_object(), item.at("type"))
    return Part(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=kind, json=json, item=True))


def _call(item: Fields) -> Part:
    call = content_pb2.ToolCall(
        id=item.required_text("call_id"), name=item.required_text("name"), arguments_json=item.text("arguments") or ""
    )
    return Part(tool_call=call, extras=as_extras(DIALECT, item.rest()))


def _result(item: Fields) -> Part:
    result = content_pb2.ToolResult(tool_call_id=item.required_text("call_id"), parts=content(item, "output"))
    return Part(tool_result=result, extras=as_extras(DIALECT, item.rest()))


def _reasoning(item: Fields) -> Part:
    texts = [each.text("text") or "" for key in ("summary", "content") for each in item.each(key)]
    proof = item.text("encrypted_content") or ""
    redacted = redacted_of(proof, item.at("encrypted_content"))
    return Part(
        reasoning=content_pb2.Reasoning(
            text=BREAK.join(text for text in texts if text), signature="" if redacted else proof, redacted=redacted
        )
    )


_PARTS: Final[Mapping[str, Callable[[Fields], Part]]] = {
    "function_call": _call,
    "function_call_output": _result,
    "reasoning": _reasoning,
}
_OF_KIND: Final = {
    "function_call": content_pb2.ROLE_ASSISTANT,
    "function_call_output": content_pb2.ROLE_TOOL,
    "reasoning": content_pb2.ROLE_ASSISTANT,
}
"""Whose message an item belongs to."""


class InputPlaces(InputsReader):
    """Tells only where parts stand in a body that was read before. Contents are counted, not read: there may be many megabytes of them."""

    def _part(self, item: Fields, kind: str) -> Part:
        del item, kind
        return Part()

    def _contents(self, item: Fields, role: content_pb2.Role) -> list[Part]:
        del role
        value = item.peek("content")
        return [Part() for _ in value] if isinstance(value, list) else [Part()]
