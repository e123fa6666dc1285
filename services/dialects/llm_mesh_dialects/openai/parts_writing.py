"""Parts of messages, from the typed payload to the dialect. Requests and answers share it."""

from __future__ import annotations

from mimetypes import guess_extension
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.allowing import ABSENT
from llm_mesh_dialects.extras import put_back, whole
from llm_mesh_dialects.openai import media
from llm_mesh_dialects.openai.caching import hint
from llm_mesh_dialects.openai.quirks import OpenAIQuirks
from llm_mesh_dialects.openai.vocabulary import DIALECT, audio_word
from llm_mesh_dialects.plain import text_of
from llm_mesh_dialects.report import Report
from llm_mesh_dialects.unsaid import report_beside, report_unsaid

_PLAIN: Final = frozenset({"type", "text"})
_WRITTEN_FIELDS: Final = {"image": {"detail"}, "file": {"filename"}}
Numbered = list[tuple[int, content_pb2.Part]]


class PartsWriter:
    """Writes the parts of one conversation or answer."""

    def __init__(self, quirks: OpenAIQuirks, report: Report) -> None:
        self._quirks = quirks
        self._report = report

    def content(self, parts: Numbered, path: str) -> str | list[dict[str, Any]]:
        """A content: one plain text as a string, which every server takes; anything else as a list."""
        if len(parts) == 1:
            text = plain_text(parts[0][1])
            if text is not None:
                return text
        written = self.listed(parts, path)
        if any(each.keys() != _PLAIN or each["type"] != "text" for each in written):
            return written
        if len(written) > 1 and self._quirks.text_lists:
            return written
        if len(written) > 1:
            self._report.renamed(f"{path}parts", "several texts are sent as one, since the provider takes no list of them")
        return "\n".join(each["text"] for each in written)

    def listed(self, parts: Numbered, path: str) -> list[dict[str, Any]]:
        """The parts as a list."""
        written: list[dict[str, Any]] = []
        for index, part in parts:
            self._part(part, f"{path}parts[{index}].", written)
        return written

    def tool_call(self, part: content_pb2.Part, path: str) -> dict[str, Any]:
        call = part.tool_call
        written: dict[str, Any] = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments_json}}
        hint(written, part, path, self._quirks, self._report)
        put_back(written, part.extras, DIALECT, self._report, path, place="part.")
        return written

    def opaque(self, part: content_pb2.Part, path: str, written: list[dict[str, Any]]) -> None:
        """A part that only its own dialect understands."""
        if part.opaque.dialect == DIALECT:
            value = whole(part.opaque, "part_type.", self._report, f"{path}opaque")
            if value is not ABSENT:
                written.append(value)
        elif text := text_of(part.opaque):
            note = f"a {part.opaque.type} of the {part.opaque.dialect} dialect is sent as its text"
            self._report.approximated(f"{path}opaque", note)
            written.append({"type": "text", "text": text})
        else:
            self._report.dropped(f"{path}opaque", f"a {part.opaque.type} part of the {part.opaque.dialect} dialect")

    def _part(self, part: content_pb2.Part, path: str, written: list[dict[str, Any]]) -> None:
        kind = part.WhichOneof("kind")
        if kind == "opaque":
            self.opaque(part, path, written)
            report_beside(part, path, self._report)
            return
        made = self._made(part, kind, path)
        if made is None:
            self._report.dropped(f"{path}{kind}", "the dialect has no place for it in this message")
            return
        report_unsaid(part, kind, path, self._report, _WRITTEN_FIELDS)
        hint(made, part, path, self._quirks, self._report)
        put_back(made, part.extras, DIALECT, self._report, path, place="part.")
        written.append(made)

    def _made(self, part: content_pb2.Part, kind: str | None, path: str) -> dict[str, Any] | None:
        if kind == "text":
            if part.text.annotations:
                self._report.dropped(f"{path}text.annotations", "sources are not sent back")
            return {"type": "text", "text": part.text.text}
        if kind == "refusal":
            return {"type": "refusal", "refusal": part.refusal.text}
        if kind == "image":
            return self._image(part.image, path)
        if kind == "audio":
            return self._audio(part.audio)
        return self._file(part.file, path) if kind == "file" else None

    def _image(self, image: content_pb2.Media, path: str) -> dict[str, Any] | None:
        if image.WhichOneof("source") == "file_id":
            return None
        made = {"url": self._url(image, f"{path}image")}
        if image.detail:
            made["detail"] = image.detail
        return {"type": "image_url", "image_url": made}

    def _audio(self, audio: content_pb2.Media) -> dict[str, Any] | None:
        if audio.WhichOneof("source") != "data":
            return None
        return {"type": "input_audio", "input_audio": {"data": media.encoded(audio.data), "format": audio_word(audio.mime_type)}}

    def _file(self, file: content_pb2.Media, path: str) -> dict[str, Any] | None:
        source = file.WhichOneof("source")
        if source == "file_id":
            return {"type": "file", "file": {"file_id": file.file_id, **({"filename": file.filename} if file.filename else {})}}
        if source != "data":
            return None
        if file.mime_type.startswith("text/") and (text := _decoded(file.data)) is not None:
            self._report.approximated(f"{path}file", "a document of text is sent as a text")
            return {"type": "text", "text": f"{file.filename}\n{text}" if file.filename else text}
        name = file.filename or f"document{guess_extension(file.mime_type) or ''}"
        return {"type": "file", "file": {"file_data": media.to_url(file), "filename": name}}

    def _url(self, medium: content_pb2.Media, field: str) -> str:
        url = media.to_url(medium)
        gate = self._report.gate
        return url if gate is None or medium.WhichOneof("source") != "uri" else gate.address(url, f"{field}.uri")


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def plain_text(part: content_pb2.Part) -> str | None:
    """The text of a part that is a text and nothing else; None for any other."""
    if part.WhichOneof("kind") != "text" or part.HasField("cache_hint") or part.extras:
        return None
    text = part.text
    return None if text.annotations or text.mime_type else text.text
