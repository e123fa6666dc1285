"""Content blocks of an answer, to parts of the typed payload. A block that is not modelled is kept whole, under its own key."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.bedrock.media import TYPES
from llm_mesh_dialects.bedrock.vocabulary import DIALECT
from llm_mesh_dialects.extras import dumped
from llm_mesh_dialects.fields import Fields

Part = content_pb2.Part
CITATION: Final = "citation"


def parts_of(message: Fields) -> list[Part]:
    """The parts of a message."""
    if not isinstance(message.raw("content"), list):
        raise message.wrong("content", "required: expected a list of blocks")
    return [_part(each) for each in message.each("content")]


def opaque(values: Mapping[str, Any], kind: str = "") -> Part:
    """A block that is not modelled, whole."""
    return Part(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=kind or next(iter(values), ""), json=dumped(dict(values))))


def redacted_of(owner: Fields) -> bytes:
    """Reasoning that is shown only encrypted; empty where there is none."""
    return blob_of(owner, "redactedContent")


def blob_of(owner: Fields, key: str) -> bytes:
    """Bytes, as the dialect writes them."""
    try:
        return b64decode(owner.text(key) or "", validate=True)
    except (Base64Error, ValueError):
        raise owner.wrong(key, "expected base64") from None


def citation_extra(citation: Mapping[str, Any]) -> content_pb2.Extra:
    """A source, as texts carry it."""
    return content_pb2.Extra(dialect=DIALECT, key=CITATION, json=dumped(dict(citation)))


def _part(block: Fields) -> Part:
    values = block.whole_object()
    kind = next((each for each in _KINDS if values.get(each) is not None), "")
    made = _KINDS[kind](block) if kind else None
    return opaque(values, kind) if made is None else made


def _text(block: Fields) -> Part:
    return Part(text=content_pb2.Text(text=block.text("text") or ""))


def _tool_use(block: Fields) -> Part | None:
    use = block.required("toolUse")
    if use.text("type"):  # the provider's own tool, whose result stands beside it
        return None
    json = dumped(use.raw("input") if use.peek("input") is not None else {}, use.at("input")).decode()
    return Part(tool_call=content_pb2.ToolCall(id=use.required_text("toolUseId"), name=use.required_text("name"), arguments_json=json))


def _reasoning(block: Fields) -> Part:
    content = block.required("reasoningContent")
    shown = content.inner("reasoningText")
    if shown is None:
        return Part(reasoning=content_pb2.Reasoning(redacted=redacted_of(content)))
    return Part(reasoning=content_pb2.Reasoning(text=shown.text("text") or "", signature=shown.text("signature") or ""))


def _cited(block: Fields) -> Part:
    cited = block.required("citationsContent")
    text = "".join(each.text("text") or "" for each in cited.each("content"))
    annotations = [citation_extra(each.whole_object()) for each in cited.each("citations")]
    return Part(text=content_pb2.Text(text=text, annotations=annotations))


def _image(block: Fields) -> Part | None:
    image = block.required("image")
    source = image.inner("source")
    if source is None or source.peek("bytes") is None:
        return None
    return Part(image=content_pb2.Media(data=blob_of(source, "bytes"), mime_type=TYPES.get(image.text("format") or "", "image/png")))


_KINDS: Final[Mapping[str, Callable[[Fields], Part | None]]] = {
    "text": _text,
    "toolUse": _tool_use,
    "reasoningContent": _reasoning,
    "citationsContent": _cited,
    "image": _image,
}
