"""Parts of messages, from the typed payload to the dialect's contents: texts, thinking, images by address."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.cohere.vocabulary import DIALECT
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.openai.media import to_url
from llm_mesh_dialects.plain import text_of
from llm_mesh_dialects.report import Report
from llm_mesh_dialects.unsaid import report_never_beside, report_unsaid

Content = dict[str, Any]
_WRITTEN_FIELDS: Final = {"image": {"detail"}, "file": {"detail"}}


def content(part: content_pb2.Part, path: str, report: Report) -> Content | None:
    """The content that a part is; None where it is none, which is reported. Raises `DialectError` where the answer would miss it."""
    kind = part.WhichOneof("kind")
    report_beside(part, path, report)
    report_unsaid(part, kind, path, report, _WRITTEN_FIELDS)
    if kind == "text":
        return {"type": "text", "text": part.text.text} if part.text.text else None
    if kind == "refusal":
        report.approximated(f"{path}refusal", "a refusal is a text like others")
        return {"type": "text", "text": part.refusal.text}
    if kind == "reasoning":
        return _thinking(part.reasoning, f"{path}reasoning", report)
    if kind == "image":
        return _image(part.image, f"{path}image", report)
    if kind == "file" and part.file.mime_type.startswith("image/"):
        return _image(part.file, f"{path}file", report)
    if kind == "opaque":
        return _opaque(part.opaque, f"{path}opaque", report)
    raise DialectError(f"{path}{kind}", "expected text, an image, or a file that is text: the dialect has nothing else")


def report_beside(part: content_pb2.Part, path: str, report: Report) -> None:
    """Reports what stands beside the content of a part."""
    report_never_beside(part, DIALECT, path, report, caching="the provider caches by itself")


def document(file: content_pb2.Media, path: str, report: Report) -> Content | None:
    """The document that a file of text is; None where it is no text."""
    if file.WhichOneof("source") != "data" or not file.mime_type.startswith("text/"):
        return None
    try:
        text = file.data.decode()
    except UnicodeDecodeError:
        return None
    report.approximated(path, "a file of text is a document of the request, which the answer may cite")
    return {"data": {"text": text} | ({"title": file.filename} if file.filename else {})}


def _thinking(reasoning: content_pb2.Reasoning, path: str, report: Report) -> Content | None:
    if reasoning.signature or reasoning.redacted:
        report.dropped(path, "reasoning with a proof of another provider")
        return None
    return {"type": "thinking", "thinking": reasoning.text} if reasoning.text else None


def _image(image: content_pb2.Media, path: str, report: Report) -> Content:
    if image.file_id:
        raise DialectError(f"{path}.file_id", "expected the bytes of the image, or its address: the provider keeps no files")
    if report.gate is not None and image.WhichOneof("source") == "uri":
        report.gate.address(image.uri, f"{path}.uri")
    shown: Content = {"url": to_url(image)}
    if image.detail:
        shown["detail"] = image.detail
    return {"type": "image_url", "image_url": shown}


def _opaque(part: content_pb2.OpaquePart, path: str, report: Report) -> Content | None:
    text = text_of(part)
    if text:
        report.approximated(path, f"a {part.type} of the {part.dialect} dialect is sent as its text")
        return {"type": "text", "text": text}
    report.dropped(path, f"a {part.type} part of the {part.dialect} dialect")
    return None
