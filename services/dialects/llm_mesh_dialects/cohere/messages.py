"""The conversation of a request, from the typed payload to the dialect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.cohere.parts import Content, content, document, report_beside
from llm_mesh_dialects.cohere.vocabulary import DIALECT
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import parsed, put_nowhere
from llm_mesh_dialects.report import Report

_ROLES: Final = {
    content_pb2.ROLE_SYSTEM: "system",
    content_pb2.ROLE_DEVELOPER: "system",
    content_pb2.ROLE_USER: "user",
    content_pb2.ROLE_ASSISTANT: "assistant",
    content_pb2.ROLE_TOOL: "tool",
}
_TEXTS: Final = frozenset({"system", "tool"})
"""Who says nothing but texts."""


class CohereMessagesWriter:
    """Writes one conversation."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.documents: list[Content] = []
        """Files of text that users sent."""

    def written(self, messages: Iterable[content_pb2.Message]) -> list[dict[str, Any]]:
        """The messages, in order."""
        return [each for number, message in enumerate(messages) for each in self._message(message, f"messages[{number}].")]

    def _message(self, message: content_pb2.Message, path: str) -> Iterator[dict[str, Any]]:
        role = _ROLES.get(message.role)
        if role is None:
            raise DialectError(f"{path}role", f"expected one of {', '.join(sorted(set(_ROLES.values())))}")
        if message.role == content_pb2.ROLE_DEVELOPER:
            self._report.renamed(f"{path}role", "the provider knows system, not developer")
        if message.name:
            self._report.dropped(f"{path}name", "participants have no names")
        rest: list[tuple[content_pb2.Part, str]] = []
        for number, part in enumerate(message.parts):
            place = f"{path}parts[{number}]."
            if part.WhichOneof("kind") == "tool_result":
                report_beside(part, place, self._report)
                yield self._result(part.tool_result, f"{place}tool_result.")
            else:
                rest.append((part, place))
        put_nowhere(message.extras, DIALECT, self._report, path, place="message.")
        if not rest and message.parts:
            return
        yield self._assistant(rest) if role == "assistant" else self._plain(role, rest)

    def _plain(self, role: str, parts: Iterable[tuple[content_pb2.Part, str]]) -> dict[str, Any]:
        role = "user" if role == "tool" else role
        contents = []
        for part, path in parts:
            if part.text.annotations:
                self._report.dropped(f"{path}text.annotations", "only answers have sources")
            if (written := self._content(part, path, role)) is not None:
                contents.append(written)
        return {"role": role, "content": _joined(contents)}

    def _content(self, part: content_pb2.Part, path: str, role: str) -> Content | None:
        if role == "user" and part.WhichOneof("kind") == "file":
            made = document(part.file, f"{path}file", self._report)
            if made is not None:
                self.documents.append(made)
                return None
        written = content(part, path, self._report)
        if written is not None and role in _TEXTS and written["type"] != "text":
            raise DialectError(f"{path}{part.WhichOneof('kind')}", "expected text")
        return written

    def _assistant(self, parts: Iterable[tuple[content_pb2.Part, str]]) -> dict[str, Any]:
        """Text beside calls is the plan of the calls; what the model thought stays content."""
        contents: list[Content] = []
        calls: list[dict[str, Any]] = []
        citations: list[Any] = []
        places: list[str] = []
        for part, path in parts:
            if part.WhichOneof("kind") == "tool_call":
                report_beside(part, path, self._report)
                calls.append(_call(part.tool_call, f"{path}tool_call"))
                continue
            citations += self._citations(part.text, f"{path}text.annotations")
            written = content(part, path, self._report)
            if written is not None:
                contents.append(written)
                places += [f"{path}text"] if written["type"] == "text" else []
        message: dict[str, Any] = {"role": "assistant"}
        if calls:
            message["tool_calls"] = calls
            if plan := "".join(each["text"] for each in contents if each["type"] == "text"):
                message["tool_plan"] = plan
                self._report.renamed(places[0], "text beside calls of tools is the plan of the calls")
            contents = [each for each in contents if each["type"] != "text"]
        if contents or not calls:
            message["content"] = _joined(contents)
        if citations:
            message["citations"] = citations
        return message

    def _citations(self, text: content_pb2.Text, path: str) -> list[Any]:
        own = [parsed(each.json, path) for each in text.annotations if each.dialect == DIALECT]
        if len(own) < len(text.annotations):
            self._report.dropped(path, "sources of another dialect")
        return own

    def _result(self, result: content_pb2.ToolResult, path: str) -> dict[str, Any]:
        if not result.tool_call_id:
            raise DialectError(f"{path}tool_call_id", "required: expected a string")
        if result.is_error:
            self._report.dropped(f"{path}is_error", "results of tools are not marked as failures")
        contents = []
        for number, part in enumerate(result.parts):
            if part.text.annotations:
                self._report.dropped(f"{path}parts[{number}].text.annotations", "only answers have sources")
            if (written := self._content(part, f"{path}parts[{number}].", "tool")) is not None:
                contents.append(written)
        return {"role": "tool", "tool_call_id": result.tool_call_id, "content": _joined(contents)}


def _joined(contents: list[Content]) -> str | list[Content]:
    """One plain text as a string, anything else as a list."""
    if not contents:
        return ""
    if len(contents) == 1 and contents[0]["type"] == "text":
        text: str = contents[0]["text"]
        return text
    return contents


def _call(call: content_pb2.ToolCall, path: str) -> dict[str, Any]:
    if not call.id:
        raise DialectError(f"{path}.id", "required: expected a string")
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments_json or "{}"}}
