"""A resource as lines for people: every field that is set, in their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh_cli.visible import on_one_line
from llm_mesh_runtime.resources.words import enum_text, field_text, message_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

__all__ = ["enum_text", "lines"]

_WIDTH = 24


def lines(message: Message) -> Iterator[str]:
    """One line per field, and one per element of a list of messages."""
    for field, value in message.ListFields():
        if field.is_repeated and field.message_type is not None and not field.message_type.GetOptions().map_entry:
            yield from (f"{field.name:<{_WIDTH}} {on_one_line(message_text(each))}" for each in value)
        else:
            name, text = field_text(field, value)
            yield f"{name:<{_WIDTH}} {on_one_line(text)}"
