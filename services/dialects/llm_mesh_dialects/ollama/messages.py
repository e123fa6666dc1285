"""The conversation of a request, from the typed payload to the dialect: texts, images as bytes, calls and results of tools by name."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import parsed, put_nowhere
from llm_mesh_dialects.ollama.calls import CallNames
from llm_mesh_dialects.ollama.vocabulary import DIALECT
from llm_mesh_dialects.plain import text_of
from llm_mesh_dialects.report import Report
from llm_mesh_dialects.unsaid import report_never_beside, report_unsaid

_ROLES: Final = {
    content_pb2.ROLE_SYSTEM: "system",
    content_pb2.ROLE_DEVELOPER: "system",
    content_pb2.ROLE_USER: "user",
    content_pb2.ROLE_ASSISTANT: "assistant",
    content_pb2.ROLE_TOOL: "tool",
}
_BETWEEN_TEXTS: Final = "\n"


class OllamaMessagesWriter:
    """Writes one conversation."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._calls = CallNames()

    def written(self, messages: Iterable[content_pb2.Message]) -> list[dict[str, Any]]:
        """The messages, in order."""
        return [each for number, message in enumerate(messages) for each in self._message(message, f"messages[{number}].")]

    def _message(self, message: content_pb2.Message, path: str) -> Iterator[dict[str, Any]]:
        role = _ROLES.get(message.role)
        if role is None:
            raise DialectError(f"{path}role", f"expected one of {', '.join(sorted(set(_ROLES.values())))}")
        if message.role == content_pb2.ROLE_DEVELOPER:
            self._report.renamed(f"{path}role", "the server knows system, not developer")
        if message.name:
            self._report.dropped(f"{path}name", "participants have no names")
        results = [each for each in message.parts if each.WhichOneof("kind") == "tool_result"]
        for number, part in enumerate(message.parts):
            if part.WhichOneof("kind") == "tool_result":
                _report_beside(part, f"{path}parts[{number}].", self._report)
                yield self._result(part.tool_result, f"{path}parts[{number}].tool_result.")
        put_nowhere(message.extras, DIALECT, self._report, path, place="message.")
        if len(results) == len(message.parts) and results:
            return
        written = OllamaMessageWriter("user" if role == "tool" else role, self._report, self._calls)
        for number, part in enumerate(message.parts):
            if part.WhichOneof("kind") != "tool_result":
                written.add(part, f"{path}parts[{number}].")
        yield written.body()

    def _result(self, result: content_pb2.ToolResult, path: str) -> dict[str, Any]:
        written = OllamaMessageWriter("tool", self._report, self._calls)
        for number, part in enumerate(result.parts):
            written.add(part, f"{path}parts[{number}].")
        if result.is_error:
            self._report.dropped(f"{path}is_error", "results of tools are not marked as failures")
        body = written.body()
        if name := self._calls.of(result.tool_call_id):
            body["tool_name"] = name
        else:
            self._report.dropped(f"{path}tool_call_id", "no earlier message calls a tool by this id, and the dialect knows only names")
        return body


def _report_beside(part: content_pb2.Part, path: str, report: Report) -> None:
    """Reports what stands beside the content of a part."""
    report_never_beside(part, DIALECT, path, report, caching="the server caches prefixes by itself")


class OllamaMessageWriter:
    """One message of the dialect."""

    def __init__(self, role: str, report: Report, calls: CallNames) -> None:
        self._role = role
        self._report = report
        self._calls = calls
        self._texts: list[str] = []
        self._thinking: list[str] = []
        self._images: list[str] = []
        self._tool_calls: list[dict[str, Any]] = []

    def body(self) -> dict[str, Any]:
        """The message as it is sent."""
        body: dict[str, Any] = {"role": self._role}
        if text := _BETWEEN_TEXTS.join(self._texts):
            body["content"] = text
        if thinking := "".join(self._thinking):
            body["thinking"] = thinking
        if self._images:
            body["images"] = self._images
        if self._tool_calls:
            body["tool_calls"] = self._tool_calls
        return body

    def add(self, part: content_pb2.Part, path: str) -> None:
        """Adds a part. Raises `DialectError` for one without which the answer would be about something else."""
        kind = part.WhichOneof("kind")
        _report_beside(part, path, self._report)
        report_unsaid(part, kind, path, self._report, {})
        if kind == "text":
            self._text(part.text, path)
        elif kind == "image":
            self._image(part.image, f"{path}image")
        elif kind == "tool_call":
            self._tool_call(part.tool_call, f"{path}tool_call")
        elif kind == "reasoning":
            self._reasoning(part.reasoning, f"{path}reasoning")
        elif kind == "refusal":
            self._report.approximated(f"{path}refusal", "a refusal is a text like others")
            self._texts.append(part.refusal.text)
        elif kind == "opaque":
            self._opaque(part.opaque, f"{path}opaque")
        elif kind == "file" and part.file.mime_type.startswith("image/"):
            self._image(part.file, f"{path}file")
        else:
            raise DialectError(f"{path}{kind}", "expected text or an image: the dialect has nothing else")

    def _text(self, text: content_pb2.Text, path: str) -> None:
        if text.annotations:
            self._report.dropped(f"{path}text.annotations", "texts have no sources")
        if text.text:
            self._texts.append(text.text)

    def _image(self, image: content_pb2.Media, path: str) -> None:
        if image.WhichOneof("source") != "data":
            raise DialectError(path, "expected the bytes of the image: the server fetches no addresses and keeps no files")
        self._images.append(b64encode(image.data).decode("ascii"))

    def _reasoning(self, reasoning: content_pb2.Reasoning, path: str) -> None:
        if reasoning.signature or reasoning.redacted:
            self._report.dropped(path, "reasoning with a proof of another provider")
        elif reasoning.text:
            self._thinking.append(reasoning.text)

    def _tool_call(self, call: content_pb2.ToolCall, path: str) -> None:
        self._calls.note(call.id, call.name)
        self._tool_calls.append({"function": {"name": call.name, "arguments": self._arguments(call, path)}})

    def _arguments(self, call: content_pb2.ToolCall, path: str) -> dict[str, Any]:
        if not call.arguments_json.strip():
            return {}
        try:
            value = parsed(call.arguments_json)
        except DialectError:
            value = None
        if isinstance(value, dict):
            return value
        self._report.approximated(f"{path}.arguments_json", "arguments that are no JSON object stand inside of one")
        return {"arguments": call.arguments_json}

    def _opaque(self, part: content_pb2.OpaquePart, path: str) -> None:
        text = text_of(part)
        if text:
            self._report.approximated(path, f"a {part.type} of the {part.dialect} dialect is sent as its text")
            self._texts.append(text)
        else:
            self._report.dropped(path, f"a {part.type} part of the {part.dialect} dialect")
