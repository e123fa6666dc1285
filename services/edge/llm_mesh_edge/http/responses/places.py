"""Where a field of the typed input stands in a body of Responses: its messages are made of items."""

from __future__ import annotations

from llm_mesh_dialects.responses import places_of
from llm_mesh_edge.domain.places import Body, inner_part_of, part_of

_WORDS = {
    "image.uri": "image_url",
    "image.data": "image_url",
    "image.mime_type": "image_url",
    "file.uri": "file_url",
    "file.data": "file_data",
    "file.mime_type": "file_data",
    "audio.data": "input_audio.data",
    "audio.uri": "input_audio.data",
    "audio.mime_type": "input_audio.format",
    "tool_call.id": "call_id",
    "tool_call.arguments_json": "arguments",
    "tool_result.tool_call_id": "call_id",
    "reasoning.signature": "encrypted_content",
    "reasoning.text": "summary",
}
_WHOLE = frozenset({"", "json", "parts", "parts_json", "mime_type"})


def place(field: str, body: Body) -> str:
    """The place of a part of an item; the field as it is where it is none."""
    part = part_of(field)
    if part is None:
        return field
    message, index, rest = part
    places = places_of(body)
    if message >= len(places):
        return field
    parts = places[message]
    if index is None or index >= len(parts):
        return parts[0].partition(".")[0] if parts else "input"
    return _below(parts[index], rest)


def _below(owner: str, rest: str) -> str:
    if rest.startswith("tool_result.parts"):
        inner = inner_part_of(rest)
        number, more = inner if inner is not None else (None, "")
        return _below(f"{owner}.output" if number is None else f"{owner}.output[{number}]", more)
    word = _WORDS.get(rest)
    if word is None:
        _, _, more = rest.partition(".")
        word = "" if more in _WHOLE else more
    if owner.endswith((".content", ".output")) or owner == "input":
        return owner  # a text, which has nothing inside
    return f"{owner}.{word}" if word else owner
