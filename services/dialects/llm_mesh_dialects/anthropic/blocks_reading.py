"""Content blocks, from the dialect to parts of the typed payload. Requests and answers share it.

A block of a type that is not modelled is kept whole; unmodelled keys of the others are kept as extras of their part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.anthropic import media
from llm_mesh_dialects.anthropic.vocabulary import DIALECT, ttl_seconds
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.fields import Fields

Part = content_pb2.Part


def content(owner: Fields, key: str = "content") -> list[Part]:
    """The parts of a content: a text, a list of blocks, or nothing."""
    value = owner.raw(key)
    if value is None:
        return []
    if isinstance(value, str):
        return [Part(text=content_pb2.Text(text=value))]
    if not isinstance(value, list):
        raise owner.wrong(key, "expected a string or a list of blocks")
    return [part(each) for each in owner.each(key)]


def part(block: Fields) -> Part:
    """One block."""
    read = _KINDS.get(block.required_text("type"))
    result = read(block) if read is not None else None
    if result is None:
        return opaque(block)
    hint, left = cache_hint(block)
    if hint is not None:
        result.cache_hint.CopyFrom(hint)
    left = block.rest() | left
    if left:
        result.extras.extend(as_extras(DIALECT, left))
    return result


def opaque(block: Fields) -> Part:
    """A block of a type that is not modelled, whole."""
    return Part(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=block.required_text("type"), json=dumped(block.whole_object())))


def cache_hint(owner: Fields) -> tuple[content_pb2.CacheHint | None, dict[str, Any]]:
    """The hint that stands there, and what of it is not modelled."""
    control = owner.inner("cache_control")
    if control is None:
        return None, {}
    hint = content_pb2.CacheHint()
    left: dict[str, Any] = {}
    kind = control.required_text("type")
    if kind != "ephemeral":
        return None, {"cache_control": control.whole_object()}
    ttl = control.text("ttl")
    if ttl:
        seconds = ttl_seconds(ttl)
        if seconds is None:
            left["ttl"] = ttl
        hint.ttl_seconds = seconds or 0
    left |= control.rest()
    return hint, {"cache_control": left} if left else {}


def _text(block: Fields) -> Part:
    text = block.text("text")
    if text is None:
        raise block.wrong("text", "required: expected a string")
    annotations = [
        content_pb2.Extra(dialect=DIALECT, key=each.text("type") or "", json=dumped(each.whole_object()))
        for each in block.each("citations")
    ]
    return Part(text=content_pb2.Text(text=text, annotations=annotations))


def _image(block: Fields) -> Part | None:
    source = block.required("source")
    image = media.from_source(source)
    return None if image is None else Part(image=image, extras=_nested("source", source))


def _document(block: Fields) -> Part | None:
    source = block.required("source")
    document = media.from_source(source)
    if document is None:
        return None
    document.filename = block.text("title") or ""
    return Part(file=document, extras=_nested("source", source))


def _thinking(block: Fields) -> Part:
    text = block.text("thinking")
    if text is None:
        raise block.wrong("thinking", "required: expected a string")
    return Part(reasoning=content_pb2.Reasoning(text=text, signature=block.text("signature") or ""))


def _redacted(block: Fields) -> Part:
    return Part(reasoning=content_pb2.Reasoning(redacted=block.required_text("data").encode()))


def _tool_use(block: Fields) -> Part:
    arguments = block.inner("input")
    json = dumped(arguments.whole_object(), block.at("input")).decode() if arguments is not None else "{}"
    return Part(tool_call=content_pb2.ToolCall(id=block.required_text("id"), name=block.required_text("name"), arguments_json=json))


def _tool_result(block: Fields) -> Part:
    result = content_pb2.ToolResult(
        tool_call_id=block.required_text("tool_use_id"), parts=content(block), is_error=block.truth("is_error") or False
    )
    return Part(tool_result=result)


def _nested(key: str, inner: Fields) -> list[content_pb2.Extra]:
    left = inner.rest()
    return as_extras(DIALECT, {key: left}) if left else []


_KINDS: Final[Mapping[str, Callable[[Fields], Part | None]]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
}
