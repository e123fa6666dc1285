"""The conversation of a request, from the typed payload to the dialect.

Results of tools are messages of their own here and must follow the calls without a gap: what else a message has, and media that
a tool answered, come after the last of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.extras import put_back
from llm_mesh_dialects.openai.caching import hint
from llm_mesh_dialects.openai.parts_writing import Numbered, PartsWriter, plain_text
from llm_mesh_dialects.openai.quirks import OpenAIQuirks
from llm_mesh_dialects.openai.vocabulary import DIALECT, ROLE_WORDS
from llm_mesh_dialects.plain import text_of
from llm_mesh_dialects.report import Report
from llm_mesh_dialects.unsaid import report_beside

_IN_CONTENT: Final = "thinking"


class OpenAIMessagesWriter:
    """Writes one conversation."""

    def __init__(self, quirks: OpenAIQuirks, report: Report) -> None:
        self._quirks = quirks
        self._report = report
        self._written: list[dict[str, Any]] = []
        self._held: list[dict[str, Any]] = []

    def written(self, messages: Sequence[content_pb2.Message]) -> list[dict[str, Any]]:
        """The messages, in order."""
        for index, message in enumerate(messages[:]):  # the end of a loop over the field itself would be an exception with a text
            role = message.role
            text = None if role == content_pb2.ROLE_TOOL else _text(message)
            if text is None:
                self._message(message, index)
            else:
                if self._held:
                    self._release()
                self._written.append({"role": self._role(role, index), "content": text})
        self._release()
        return self._written

    @cached_property
    def _parts(self) -> PartsWriter:
        """Most conversations have no part that needs it."""
        return PartsWriter(self._quirks, self._report)

    def _message(self, message: content_pb2.Message, place: int) -> None:
        path = f"messages[{place}]."
        results = [each for each in enumerate(message.parts) if each[1].WhichOneof("kind") == "tool_result"]
        others = [each for each in enumerate(message.parts) if each[1].WhichOneof("kind") != "tool_result"]
        for number, (index, part) in enumerate(results):
            self._result(message if number == 0 and not others else None, part, f"{path}parts[{index}].")
        if results and not others:
            return
        self._release()
        role = content_pb2.ROLE_USER if message.role == content_pb2.ROLE_TOOL else message.role
        if role == content_pb2.ROLE_ASSISTANT:
            written = self._assistant(others, path)
        else:
            written = {"role": self._role(role, place), "content": self._parts.content(others, path)}
        self._finish(written, message, path)

    def _finish(self, written: dict[str, Any], message: content_pb2.Message, path: str) -> None:
        if message.name and self._quirks.message_names:
            written["name"] = message.name
        elif message.name:
            self._report.dropped(f"{path}name", "the provider takes no names of participants")
        put_back(written, message.extras, DIALECT, self._report, path, place="message.")
        self._written.append(written)

    def _role(self, role: content_pb2.Role, place: int) -> str:
        if role == content_pb2.ROLE_DEVELOPER and not self._quirks.developer_role:
            self._report.renamed(f"messages[{place}].role", "the provider knows system, not developer")
            return "system"
        return ROLE_WORDS.get(role, "user")

    def _assistant(self, parts: Numbered, path: str) -> dict[str, Any]:
        written: dict[str, Any] = {"role": "assistant"}
        calls: list[dict[str, Any]] = []
        contents: Numbered = []
        for index, part in parts:
            if not self._beside_content(part, f"{path}parts[{index}].", written, calls):
                contents.append((index, part))
        if len(contents) == 1 and _is_plain_refusal(contents[0][1]):
            written["refusal"] = contents[0][1].refusal.text
        elif contents:
            written["content"] = self._parts.content(contents, path)
        elif calls or "audio" in written:
            written["content"] = None  # some servers refuse a message without the key
        else:
            written["content"] = ""
        if thought := written.pop(_IN_CONTENT, ""):
            written["content"] = _thinking_first(thought, written["content"])
        if calls:
            written["tool_calls"] = calls
            if self._quirks.reasoning_at_calls:
                written.setdefault(self._quirks.reasoning_history, "")
        return written

    def _beside_content(self, part: content_pb2.Part, path: str, written: dict[str, Any], calls: list[dict[str, Any]]) -> bool:
        """Writes what stands beside an assistant's content; answers False for what stands in it."""
        kind = part.WhichOneof("kind")
        if kind == "tool_call":
            calls.append(self._parts.tool_call(part, path))
        elif kind == "opaque" and part.opaque.type.startswith("tool_call."):
            self._parts.opaque(part, path, calls)
            report_beside(part, path, self._report)
        elif kind == "reasoning":
            self._reasoning(written, part.reasoning, path)
            report_beside(part, path, self._report)
        elif kind == "audio" and part.audio.file_id:
            written["audio"] = {"id": part.audio.file_id}
            put_back(written, part.extras, DIALECT, self._report, path, place="part.")
        else:
            return False
        return True

    def _reasoning(self, written: dict[str, Any], reasoning: content_pb2.Reasoning, path: str) -> None:
        key = self._quirks.reasoning_history
        if not key or not reasoning.text:
            self._report.dropped(f"{path}reasoning", "the provider takes no earlier reasoning")
            return
        if reasoning.signature or reasoning.redacted:
            self._report.dropped(f"{path}reasoning.signature", "a proof of another dialect")
        written[key] = written.get(key, "") + reasoning.text

    def _result(self, message: content_pb2.Message | None, part: content_pb2.Part, path: str) -> None:
        result = part.tool_result
        texts = [each for each in enumerate(result.parts) if _is_textual(each[1])]
        media = [each for each in enumerate(result.parts) if each[1].WhichOneof("kind") in {"image", "audio", "file"}]
        for index, other in enumerate(result.parts):
            kind = other.WhichOneof("kind")
            if kind not in {"image", "audio", "file"} and not _is_textual(other):
                self._report.dropped(f"{path}tool_result.parts[{index}]", f"a tool's result has no {kind}")
        inner = f"{path}tool_result."
        written = {"role": "tool", "tool_call_id": result.tool_call_id, "content": self._parts.content(texts, inner) if texts else ""}
        if result.is_error:
            self._report.dropped(f"{path}tool_result.is_error", "results have no such flag; the text says how it failed")
        if media:
            self._report.approximated(f"{path}tool_result.parts", "media of a tool follow in a user's message")
            self._held.extend(self._parts.listed(media, inner))
        hint(written, part, path, self._quirks, self._report)
        put_back(written, part.extras, DIALECT, self._report, path, place="part.")
        if message is None:
            self._written.append(written)
        else:
            self._finish(written, message, path.partition("parts[")[0])

    def _release(self) -> None:
        """The media of tools, once the run of their results is over."""
        if self._held:
            self._written.append({"role": "user", "content": self._held})
            self._held = []


def _is_plain_refusal(part: content_pb2.Part) -> bool:
    return part.WhichOneof("kind") == "refusal" and not part.extras and not part.HasField("cache_hint")


def _is_textual(part: content_pb2.Part) -> bool:
    kind = part.WhichOneof("kind")
    return kind == "text" or (kind == "opaque" and bool(text_of(part.opaque)))


def _text(message: content_pb2.Message) -> str | None:
    """The text of a message that has nothing beside it, as nearly all are; None for any other."""
    parts = message.parts
    if len(parts) != 1 or message.name or message.extras:
        return None
    return plain_text(parts[0])


def _thinking_first(thought: str, content: str | list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """A content that begins with what was thought, as Mistral has it."""
    rest = [{"type": "text", "text": content}] if isinstance(content, str) and content else content or []
    return [{"type": "thinking", "thinking": [{"type": "text", "text": thought}]}, *rest]
