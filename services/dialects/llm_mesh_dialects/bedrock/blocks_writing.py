"""Parts of the typed payload, to content blocks of the dialect: objects with one key, which says what they are.

Reasoning goes back only with its proof, and unchanged. Ids and names that other providers made are brought to what the provider takes,
the same way at the call and at its result. A hint to cache is a block of its own, behind what it is about.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.bedrock import media
from llm_mesh_dialects.bedrock.families import Family
from llm_mesh_dialects.bedrock.opaque import check_bucket, check_inside, own_block
from llm_mesh_dialects.bedrock.vocabulary import DIALECT
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import parsed, put_back, put_nowhere
from llm_mesh_dialects.openai.names import ToolNames
from llm_mesh_dialects.plain import text_of
from llm_mesh_dialects.proofs import proof_of
from llm_mesh_dialects.report import Report
from llm_mesh_dialects.unsaid import report_unsaid

Block = dict[str, Any]
LONGEST_NAME: Final = 64
_LONGEST_ID: Final = 64
_HASHED: Final = 12
_WRITTEN_FIELDS: Final = {"file": {"filename"}}
_NOT_IN_IDS: Final = re.compile(r"[^A-Za-z0-9_.:-]")
_SHORT: Final = 300
_LONG: Final = 3600
_IN_RESULTS: Final = frozenset({"text", "json", "image", "document", "video", "searchResult"})


def cache_point(hint: content_pb2.CacheHint, path: str, report: Report) -> Block:
    """The block that stands for a hint."""
    point = {"type": "default"}
    seconds = hint.ttl_seconds
    if seconds:
        point["ttl"] = "5m" if seconds <= _SHORT else "1h"
        if seconds not in {_SHORT, _LONG}:
            report.approximated(f"{path}cache_hint.ttl_seconds", "the provider caches for 5 minutes or an hour")
    return {"cachePoint": point}


class ConverseBlocksWriter:
    """Writes the parts of one conversation."""

    def __init__(self, family: Family, report: Report) -> None:
        self._family = family
        self._report = report
        self._ids: dict[str, str] = {}
        self._used: set[str] = set()
        self._documents = media.DocumentNames()
        self.names = ToolNames(LONGEST_NAME)
        self.called: dict[str, None] = {}
        """The names of tools that the conversation calls."""
        self._makers: Mapping[str, Callable[[Any, str], Block | None]] = {
            "text": self._text,
            "image": self._image,
            "audio": self._audio,
            "file": self._file,
            "tool_call": self._tool_use,
            "tool_result": self._tool_result,
            "reasoning": self._reasoning,
            "refusal": self._refusal,
            "opaque": self._opaque,
        }

    def written(self, parts: Iterable[content_pb2.Part], path: str, *, within_result: bool = False) -> list[Block]:
        """The blocks, in order."""
        blocks: list[Block] = []
        for index, part in enumerate(parts):
            place = f"{path}parts[{index}]."
            block = self._block(part, place)
            if block is not None and within_result and not block.keys() <= _IN_RESULTS:
                self._report.dropped(f"{place}{part.WhichOneof('kind')}", "results of tools have no such part")
                continue
            if block is not None:
                blocks.append(block)
            if part.HasField("cache_hint"):
                self._cache(part.cache_hint, blocks, place, within_result=within_result)
        return blocks

    def _block(self, part: content_pb2.Part, path: str) -> Block | None:
        kind = str(part.WhichOneof("kind"))
        made = self._makers.get(kind)
        if made is None:
            self._report.dropped(f"{path}{kind}", "the dialect has no such part")
            return None
        block = made(getattr(part, kind), path)
        if block is not None:
            report_unsaid(part, kind, path, self._report, _WRITTEN_FIELDS)
        inner = next(iter(block.values())) if block else None
        if isinstance(inner, dict) and kind == "file":
            put_back(inner, part.extras, DIALECT, self._report, path, place="part.")
        else:
            put_nowhere(part.extras, DIALECT, self._report, path, place="part.")
        return block

    def _cache(self, hint: content_pb2.CacheHint, blocks: list[Block], path: str, *, within_result: bool) -> None:
        if not self._family.caching:
            self._report.dropped(f"{path}cache_hint", "the model caches nothing on request")
        elif within_result:
            self._report.dropped(f"{path}cache_hint", "results of tools are cached whole or not at all")
        elif blocks:
            blocks.append(cache_point(hint, path, self._report))

    def _text(self, text: content_pb2.Text, path: str) -> Block | None:
        if not text.text.strip():
            if text.text:
                self._report.dropped(f"{path}text", "the provider refuses texts of white space alone")
            return None
        citations = [parsed(each.json, f"{path}text.annotations") for each in text.annotations if each.dialect == DIALECT]
        if len(citations) < len(text.annotations):
            self._report.dropped(f"{path}text.annotations", "sources of another dialect")
        if citations and self._report.gate is not None:
            check_inside(citations, self._report.gate, f"{path}text.annotations")
        if citations:
            return {"citationsContent": {"content": [{"text": text.text}], "citations": citations}}
        return {"text": text.text}

    def _refusal(self, refusal: content_pb2.Refusal, path: str) -> Block | None:
        self._report.approximated(f"{path}refusal", "a refusal is a text like others")
        return {"text": refusal.text} if refusal.text.strip() else None

    def _reasoning(self, reasoning: content_pb2.Reasoning, path: str) -> Block | None:
        if reasoning.redacted:
            return {"reasoningContent": {"redactedContent": b64encode(reasoning.redacted).decode("ascii")}}
        if reasoning.signature and proof_of(reasoning.signature) is not None:
            self._report.dropped(f"{path}reasoning", "a proof of another dialect")
            return None
        if reasoning.signature:
            return {"reasoningContent": {"reasoningText": {"text": reasoning.text, "signature": reasoning.signature}}}
        self._report.dropped(f"{path}reasoning", "the provider takes back only reasoning that carries its own proof")
        return None

    def _image(self, image: content_pb2.Media, path: str) -> Block:
        source = self._source(image, f"{path}image")
        form = media.image_format(image)
        if not form:
            raise DialectError(f"{path}image", "expected an image in JPEG, PNG, GIF or WebP")
        return {"image": {"format": form, "source": source}}

    def _audio(self, sound: content_pb2.Media, path: str) -> Block:
        source = self._source(sound, f"{path}audio")
        form = media.sound_format(sound)
        if not form:
            raise DialectError(f"{path}audio", "expected a sound whose type says its format, such as audio/mpeg")
        return {"audio": {"format": form, "source": source}}

    def _file(self, file: content_pb2.Media, path: str) -> Block | None:
        if file.mime_type.startswith("image/"):
            return self._image(file, path)
        source = self._source(file, f"{path}file")
        film = media.film_format(file)
        if film:
            return {"video": {"format": film, "source": source}}
        form = media.document_format(file)
        if not form:
            kinds = ", ".join(dict.fromkeys(media.DOCUMENTS.values()))
            self._report.dropped(f"{path}file", f"documents are {kinds}, not {file.mime_type or 'of an unknown type'}")
            return None
        name = self._documents.fitting(file.filename, form)
        if file.filename and name != file.filename.removesuffix(f".{form}"):
            self._report.renamed(f"{path}file.filename", "names consist of letters, digits, single spaces, hyphens and brackets")
        return {"document": {"format": form, "name": name, "source": source}}

    def _source(self, medium: content_pb2.Media, field: str) -> Block:
        source = media.source_of(medium)
        if source is None:
            raise DialectError(field, "expected the bytes themselves, or an s3:// address: the provider fetches nothing else")
        if self._report.gate is not None and medium.WhichOneof("source") == "uri":
            check_bucket(self._report.gate, medium.uri, f"{field}.uri")
        return source

    def _tool_use(self, call: content_pb2.ToolCall, path: str) -> Block:
        name = self.names.short(call.name)
        self.called[name] = None
        return {"toolUse": {"toolUseId": self._id(call.id, f"{path}tool_call.id"), "name": name, "input": self._input(call, path)}}

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
        content = self.written(result.parts, f"{path}tool_result.", within_result=True)
        if not content:
            self._report.approximated(f"{path}tool_result.parts", "a result of nothing is sent as an empty object")
            content = [{"json": {}}]
        block: Block = {"toolUseId": self._id(result.tool_call_id, f"{path}tool_result.tool_call_id"), "content": content}
        if result.is_error:
            if self._family.status:
                block["status"] = "error"
            else:
                self._report.dropped(f"{path}tool_result.is_error", "the model is not told whether a tool failed")
        return {"toolResult": block}

    def _opaque(self, part: content_pb2.OpaquePart, path: str) -> Block | None:
        if part.dialect != DIALECT:
            text = text_of(part)
            if text:
                self._report.approximated(f"{path}opaque", f"a {part.type} of the {part.dialect} dialect is sent as its text")
                return {"text": text}
            self._report.dropped(f"{path}opaque", f"a {part.type} part of the {part.dialect} dialect")
            return None
        value = own_block(part, "part_type.", path, self._report)
        if value is not None and "toolUse" in value and isinstance(value["toolUse"], dict):
            self.called[str(value["toolUse"].get("name", ""))] = None
        return value

    def _id(self, call_id: str, path: str) -> str:
        if not call_id:
            raise DialectError(path, "required: expected a string")
        fitting = self._ids.get(call_id)
        if fitting is None:
            fitting = _NOT_IN_IDS.sub("_", call_id)
            if fitting in self._used or len(fitting) > _LONGEST_ID:  # ids that differ only in what is replaced or cut stay apart
                mark = sha256(call_id.encode()).hexdigest()[:_HASHED]
                fitting = f"{fitting[: _LONGEST_ID - _HASHED - 1]}_{mark}"
            self._ids[call_id] = fitting
            self._used.add(fitting)
        if fitting != call_id:
            self._report.renamed(path, f"ids have at most {_LONGEST_ID} letters, digits and _.:-")
        return fitting
