"""Content of messages and of results of tools, from the typed payload to the dialect."""

from __future__ import annotations

from collections.abc import Sequence
from mimetypes import guess_extension
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.allowing import ABSENT
from llm_mesh_dialects.extras import put_back, whole
from llm_mesh_dialects.openai import media
from llm_mesh_dialects.openai.vocabulary import audio_word
from llm_mesh_dialects.plain import text_of
from llm_mesh_dialects.report import Report
from llm_mesh_dialects.responses.vocabulary import DIALECT
from llm_mesh_dialects.unsaid import report_beside, report_unsaid

Content = dict[str, Any]
Numbered = Sequence[tuple[int, content_pb2.Part]]
_WRITTEN_FIELDS: Final = {"image": {"detail"}, "file": {"filename"}}
_DETAIL: Final = "auto"


class MessageContentsWriter:
    """Writes the contents of one request."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def content(self, parts: Numbered, path: str) -> str | list[Content]:
        """One plain text as a string, anything else as a list."""
        written = self.listed(parts, path)
        if len(written) == 1 and written[0].keys() == {"type", "text"}:
            text: str = written[0]["text"]
            return text
        return written or ""

    def listed(self, parts: Numbered, path: str) -> list[Content]:
        """The parts as a list."""
        written = (self._part(part, f"{path}parts[{index}].") for index, part in parts)
        return [each for each in written if each is not None]

    def spoken(self, part: content_pb2.Part, path: str) -> Content | None:
        """What the model said before: a text, a refusal or a part of its own dialect. None for what has no place there."""
        kind = part.WhichOneof("kind")
        if kind == "text":
            self._note_sources(part.text, path)
            report_unsaid(part, kind, path, self._report, {})
            return {"type": "output_text", "text": part.text.text}
        if kind == "refusal":
            return {"type": "refusal", "refusal": part.refusal.text}
        if kind == "opaque":
            written = self._opaque(part.opaque, path)
            return {**written, "type": "output_text"} if written is not None and written.get("type") == "input_text" else written
        self._report.dropped(f"{path}{kind}", "the dialect has no place for it in an answer")
        return None

    def _part(self, part: content_pb2.Part, path: str) -> Content | None:
        kind = part.WhichOneof("kind")
        if kind == "opaque":
            report_beside(part, path, self._report)
            return self._opaque(part.opaque, path)
        written = self._made(part, kind, path)
        if written is None:
            return None
        report_unsaid(part, kind, path, self._report, _WRITTEN_FIELDS)
        if part.HasField("cache_hint"):
            self._report.dropped(f"{path}cache_hint", "the provider caches prefixes by itself")
        put_back(written, part.extras, DIALECT, self._report, path, place="part.")
        return written

    def _made(self, part: content_pb2.Part, kind: str | None, path: str) -> Content | None:
        if kind == "text":
            self._note_sources(part.text, path)
            return {"type": "input_text", "text": part.text.text}
        if kind == "refusal":
            self._report.approximated(f"{path}refusal", "a refusal is a text like others")
            return {"type": "input_text", "text": part.refusal.text}
        if kind == "image":
            return self._image(part.image, f"{path}image")
        if kind == "file":
            return self._file(part.file, f"{path}file")
        if kind == "audio" and part.audio.WhichOneof("source") == "data":
            sound = {"data": media.encoded(part.audio.data), "format": audio_word(part.audio.mime_type)}
            return {"type": "input_audio", "input_audio": sound}
        self._report.dropped(f"{path}{kind}", "the dialect has no place for it in this message")
        return None

    def _image(self, image: content_pb2.Media, path: str) -> Content:
        written: Content = {"type": "input_image", "detail": image.detail or _DETAIL}
        if image.WhichOneof("source") == "file_id":
            return {**written, "file_id": image.file_id}
        return {**written, "image_url": self._url(image, path)}

    def _file(self, file: content_pb2.Media, path: str) -> Content:
        source = file.WhichOneof("source")
        if source != "data" and file.filename:
            self._report.dropped(f"{path}.filename", "files that the provider has, or fetches, have their own names")
        if source == "file_id":
            return {"type": "input_file", "file_id": file.file_id}
        if source == "uri":
            return {"type": "input_file", "file_url": self._url(file, path)}
        name = file.filename or f"document{guess_extension(file.mime_type) or ''}"
        return {"type": "input_file", "file_data": media.to_url(file), "filename": name}

    def _url(self, medium: content_pb2.Media, field: str) -> str:
        url = media.to_url(medium)
        gate = self._report.gate
        return url if gate is None or medium.WhichOneof("source") != "uri" else gate.address(url, f"{field}.uri")

    def _opaque(self, opaque: content_pb2.OpaquePart, path: str) -> Content | None:
        if opaque.dialect == DIALECT:
            value = whole(opaque, "part_type.", self._report, f"{path}opaque")
            return None if value is ABSENT else value
        if text := text_of(opaque):
            self._report.approximated(f"{path}opaque", f"a {opaque.type} of the {opaque.dialect} dialect is sent as its text")
            return {"type": "input_text", "text": text}
        self._report.dropped(f"{path}opaque", f"a {opaque.type} part of the {opaque.dialect} dialect")
        return None

    def _note_sources(self, text: content_pb2.Text, path: str) -> None:
        if text.annotations:
            self._report.dropped(f"{path}text.annotations", "sources are not sent back")
