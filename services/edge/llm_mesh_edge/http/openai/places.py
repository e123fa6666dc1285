"""Where a field of the typed input stands in a body of OpenAI's dialect."""

from __future__ import annotations

from typing import Any

from llm_mesh_edge.domain.places import Body, below, inner_part_of, listed, part_of

_MEDIA = {"image": "image_url", "audio": "input_audio.data", "file": "file.file_data"}
_KINDS = ("text", "refusal", "opaque")
_WITHOUT_PLACE = frozenset({"", "json", "mime_type"})
"""Of such a part these are the whole of it."""


def place(field: str, body: Body) -> str:
    """The place of a part of a message; the field as it is where it is none."""
    part = part_of(field)
    messages = listed(body.get("messages"))
    if part is None or part[0] >= len(messages) or not isinstance(messages[part[0]], dict):
        return field
    number, index, rest = part
    return _in_message(f"messages[{number}]", messages[number], index, rest)


def _in_message(owner: str, message: dict[str, Any], index: int | None, rest: str) -> str:
    content = message.get("content")
    kind, _, more = rest.partition(".")
    if kind == "tool_result":
        inner = inner_part_of(rest)
        if inner is not None:
            return below(f"{owner}.content", content, inner[0], part_place(inner[1]))
        return f"{owner}.{more}" if more else f"{owner}.content"
    if kind == "tool_call" and index is not None:
        calls = listed(message.get("tool_calls"))
        before = len(content) if isinstance(content, list) else int(bool(content))
        call = max(0, min(index - before, len(calls) - 1))
        return f"{owner}.tool_calls[{call}].{'function.arguments' if more == 'arguments_json' else more}"
    return below(f"{owner}.content", content, index, part_place(rest))


def part_place(rest: str) -> str:
    """The place within a part."""
    kind, _, more = rest.partition(".")
    if kind in _MEDIA:
        return "image_url.url" if rest in {"image.uri", "image.data"} else _MEDIA[kind]
    return more if kind in _KINDS and more not in _WITHOUT_PLACE else "" if kind in _KINDS else rest
