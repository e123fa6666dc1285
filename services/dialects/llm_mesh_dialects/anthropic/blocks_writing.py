"""Parts of the typed payload, to content blocks of the dialect. Requests and answers share it.

Reasoning goes back only with its proof, and unchanged; ids of tool calls that other providers made are brought to the alphabet
that the dialect demands, the same way at the call and at its result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.allowing import ABSENT
from llm_mesh_dialects.anthropic import media
from llm_mesh_dialects.anthropic.caching import hint
from llm_mesh_dialects.anthropic.vocabulary import DIALECT
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import parsed, put_back, whole
from llm_mesh_dialects.plain import text_of
from llm_mesh_dialects.proofs import proof_of
from llm_mesh_dialects.report import Report
from llm_mesh_dialects.unsaid import report_beside, report_unsaid

_FOREIGN: Final = re.compile(r"[^A-Za-z0-9_-]")
_HASHED: Final = 12
_WRITTEN_FIELDS: Final = {"file": {"filename"}}

Block = dict[str, Any]


class BlocksWriter:
    """Writes the parts of one conversation, or of an `answer`, in which reasoning without a proof has a place too.

    `own` says that the parts came in this dialect: the provider's own complaint about them is better than ours.
    """

    def __init__(self, report: Report, *, answer: bool = False, own: bool = False) -> None:
        self._report = report
        self._own = own
        self._answer = answer
        self._ids: dict[str, str] = {}
        self._used: set[str] = set()
        self._makers: Mapping[str, Callable[[Any, str], Block | None]] = {
            "text": self._text,
            "tool_call": self._tool_use,
            "tool_result": self._tool_result,
            "reasoning": self._thinking,
            "image": self._image,
            "file": self._document,
            "refusal": self._refusal,
        }

    def written(self, parts: Iterable[content_pb2.Part], path: str) -> list[Block]:
        """The blocks, in order. A text without a visible character is no block: the dialect refuses it."""
        blocks: list[Block] = []
        for index, part in enumerate(parts):
            block = self._block(part, f"{path}parts[{index}].")
            if block is not None:
                blocks.append(block)
        return blocks

    def _block(self, part: content_pb2.Part, path: str) -> Block | None:
        kind = part.WhichOneof("kind")
        if kind == "opaque":
            report_beside(part, path, self._report)
            return self._opaque(part.opaque, path)
        if kind == "text" and not self._answer and not self._own and not part.text.text.strip():
            if part.text.text:
                self._report.dropped(f"{path}text", "the provider refuses texts of white space alone")
            return None
        if kind == "text" and not (part.text.text or part.extras or part.HasField("cache_hint")):
            return None
        block = self._made(part, kind, path)
        if block is not None:
            report_unsaid(part, kind, path, self._report, _WRITTEN_FIELDS)
            hint(block, part, path, self._report)
            put_back(block, part.extras, DIALECT, self._report, path, place="part.")
        return block

    def _made(self, part: content_pb2.Part, kind: str | None, path: str) -> Block | None:
        made = self._makers.get(kind or "")
        if made is None:
            self._report.dropped(f"{path}{kind}", "the dialect has no such part")
            return None
        return made(getattr(part, str(kind)), path)

    def _text(self, text: content_pb2.Text, path: str) -> Block:
        block: Block = {"type": "text", "text": text.text}
        citations = [parsed(each.json, f"{path}text.annotations") for each in text.annotations if each.dialect == DIALECT]
        if citations:
            block["citations"] = citations
        if len(citations) < len(text.annotations):
            self._report.dropped(f"{path}text.annotations", "sources of another dialect")
        return block

    def _refusal(self, refusal: content_pb2.Refusal, path: str) -> Block:
        self._report.approximated(f"{path}refusal", "a refusal is a text like others")
        return {"type": "text", "text": refusal.text}

    def _thinking(self, reasoning: content_pb2.Reasoning, path: str) -> Block | None:
        if reasoning.redacted:
            return {"type": "redacted_thinking", "data": reasoning.redacted.decode(errors="replace")}
        if not self._answer and reasoning.signature and proof_of(reasoning.signature) is not None:
            self._report.dropped(f"{path}reasoning", "a proof of another dialect")
            return None
        if reasoning.signature or self._answer:
            return {"type": "thinking", "thinking": reasoning.text, "signature": reasoning.signature}
        self._report.dropped(f"{path}reasoning", "the provider takes back only reasoning that carries its own proof")
        return None

    def _image(self, image: content_pb2.Media, path: str) -> Block:
        self._check_address(image, f"{path}image")
        mime_type = media.image_type(image)
        if not mime_type and not self._answer and not self._own and image.WhichOneof("source") == "data":
            raise DialectError(f"{path}image", "expected an image in JPEG, PNG, GIF or WebP")
        return {"type": "image", "source": media.image_source(image, mime_type or image.mime_type)}

    def _document(self, file: content_pb2.Media, path: str) -> Block | None:
        if file.mime_type.startswith("image/"):
            return self._image(file, path)
        self._check_address(file, f"{path}file")
        source = media.document_source(file)
        if source is None:
            self._report.dropped(f"{path}file", f"documents are PDF or text, not {file.mime_type or 'of an unknown type'}")
            return None
        if source["type"] == "text" and file.mime_type != source["media_type"]:
            self._report.approximated(f"{path}file.mime_type", "texts are plain")
        return {"type": "document", "source": source, **({"title": file.filename} if file.filename else {})}

    def _check_address(self, medium: content_pb2.Media, field: str) -> None:
        if self._report.gate is not None and medium.WhichOneof("source") == "uri":
            self._report.gate.address(medium.uri, f"{field}.uri")

    def _tool_use(self, call: content_pb2.ToolCall, path: str) -> Block:
        return {"type": "tool_use", "id": self._id(call.id, f"{path}tool_call.id"), "name": call.name, "input": self._input(call, path)}

    def _input(self, call: content_pb2.ToolCall, path: str) -> dict[str, Any]:
        if not call.arguments_json.strip():
            return {}
        try:
            value = parsed(call.arguments_json)
        except DialectError:
            value = None
        if isinstance(value, dict):
            return value
        self._report.approximated(f"{path}tool_call.arguments_json", "arguments that are no JSON object stand inside of one")
        return {"arguments": call.arguments_json}

    def _tool_result(self, result: content_pb2.ToolResult, path: str) -> Block:
        block: Block = {"type": "tool_result", "tool_use_id": self._id(result.tool_call_id, f"{path}tool_result.tool_call_id")}
        content = self.written(result.parts, f"{path}tool_result.")
        if content:
            block["content"] = content
        if result.is_error:
            block["is_error"] = True
        return block

    def _opaque(self, part: content_pb2.OpaquePart, path: str) -> Block | None:
        if part.dialect == DIALECT:
            value = whole(part, "part_type.", self._report, f"{path}opaque")
            return None if value is ABSENT else value
        text = text_of(part)
        if text:
            self._report.approximated(f"{path}opaque", f"a {part.type} of the {part.dialect} dialect is sent as its text")
            return {"type": "text", "text": text}
        self._report.dropped(f"{path}opaque", f"a {part.type} part of the {part.dialect} dialect")
        return None

    def _id(self, call_id: str, path: str) -> str:
        if self._answer:  # it comes back as the provider of the answer knows it
            return call_id
        if not call_id:
            raise DialectError(path, "required: expected a string")
        fitting = self._ids.get(call_id)
        if fitting is None:
            fitting = _FOREIGN.sub("_", call_id)
            if fitting in self._used:  # two ids that differ only in what is replaced stay two
                fitting = f"{fitting}_{sha256(call_id.encode()).hexdigest()[:_HASHED]}"
            self._ids[call_id] = fitting
            self._used.add(fitting)
        if fitting != call_id:
            self._report.renamed(path, "ids consist of letters, digits, _ and -")
        return fitting
