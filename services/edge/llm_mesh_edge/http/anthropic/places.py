"""Where a field of the typed input stands in a body of Anthropic's dialect.

The system prompt is a message of its own there, and a user turn is split where results of tools begin and end: the walk is the reader's.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from llm_mesh_edge.domain.places import Body, below, inner_part_of, listed, part_of

_BLOCK = {"image": "source", "file": "source", "audio": "source", "opaque": ""}
_FIELDS = {
    "tool_call.id": "id",
    "tool_call.arguments_json": "input",
    "tool_call.name": "name",
    "tool_result.tool_call_id": "tool_use_id",
}


def place(field: str, body: Body) -> str:
    """The place of a message or of a part of one; the field as it is where it is none."""
    part = part_of(field)
    if part is None:
        return field
    number, index, rest = part
    owners = list(_owners(body))
    if number >= len(owners):
        return field
    owner, content, first = owners[number]
    return below(owner, content, None if index is None else first + index, _of_block(rest, _block(content, first, index)))


def _owners(body: Body) -> Iterator[tuple[str, object, int]]:
    """For each typed message the content that it came of, and the first block of it."""
    if system := body.get("system"):
        yield "system", system, 0
    for number, message in enumerate(listed(body.get("messages"))):
        content = message.get("content") if isinstance(message, dict) else None
        owner, first = f"messages[{number}].content", 0
        if not isinstance(message, dict) or message.get("role") != "user" or not listed(content):
            yield owner, content, 0
            continue
        for _, run in groupby(listed(content), key=_is_result):
            yield owner, content, first
            first += len(list(run))


def _is_result(block: object) -> bool:
    return isinstance(block, dict) and block.get("type") == "tool_result"


def _block(content: object, first: int, index: int | None) -> dict[str, Any]:
    blocks = listed(content)
    block = blocks[first + index] if index is not None and first + index < len(blocks) else {}
    return block if isinstance(block, dict) else {}


def _of_block(rest: str, block: dict[str, Any]) -> str:
    inner = inner_part_of(rest)
    if inner is not None:
        return below("content", block.get("content"), inner[0], _of_block(inner[1], {}))
    kind, _, more = rest.partition(".")
    if rest in _FIELDS:
        return _FIELDS[rest]
    if kind in _BLOCK:
        return _BLOCK[kind]
    return "content" if kind == "tool_result" else _of_text(more) if kind == "text" else rest


def _of_text(field: str) -> str:
    """A field of a text; its type has no place of its own."""
    return "" if field == "mime_type" else field
