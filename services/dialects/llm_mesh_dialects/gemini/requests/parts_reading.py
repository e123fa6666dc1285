"""Parts of a client's contents, from the dialect to the typed payload. A part that is not modelled is kept whole.

Proofs and thoughts are read where a content is (`contents_reading`): they stand beside other parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.gemini.proto_fields import ProtoFields
from llm_mesh_dialects.gemini.requests.calls_reading import CallIds
from llm_mesh_dialects.gemini.requests.media_reading import medium_of, nested
from llm_mesh_dialects.gemini.requests.results_reading import tool_result
from llm_mesh_dialects.gemini.vocabulary import DIALECT

Part = content_pb2.Part
_SIGNATURE: Final = "thoughtSignature"
_OTHERS: Final = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")


class RequestPartsReader:
    """Reads the parts of one conversation. `calls` are its function calls so far."""

    def __init__(self, calls: CallIds) -> None:
        self._calls = calls
        self._readers: Mapping[str, Callable[[ProtoFields], Part]] = {
            "text": _text,
            "inlineData": medium_of,
            "fileData": medium_of,
            "functionCall": self._call,
            "functionResponse": self._response,
        }

    def part(self, fields: ProtoFields) -> Part:
        """One part, without its proof."""
        if fields.peek("functionResponse") is None:
            fields.raw(_SIGNATURE)
        if fields.peek("thought") is not True:
            fields.truth("thought")
        kinds = [key for key in (*self._readers, *_OTHERS) if fields.peek(key) is not None]
        if len(kinds) > 1:
            raise fields.wrong(kinds[1], f"expected none beside {kinds[0]}")
        if not kinds or kinds[0] in _OTHERS:
            return _opaque(fields)
        made = self._readers[kinds[0]](fields)
        made.extras.extend(as_extras(DIALECT, fields.present()))
        return made

    def _call(self, fields: ProtoFields) -> Part:
        call = fields.required("functionCall")
        name = call.required_text("name")
        arguments = call.inner("args")
        made = content_pb2.ToolCall(
            id=self._calls.begun(call.text("id") or "", name),
            name=name,
            arguments_json="{}" if arguments is None else dumped(arguments.whole_object(), call.at("args")).decode(),
        )
        return Part(tool_call=made, extras=nested("functionCall", call))

    def _response(self, fields: ProtoFields) -> Part:
        response = fields.required("functionResponse")
        made = tool_result(response, self._calls)
        return Part(tool_result=made, extras=nested("functionResponse", response))


def _text(fields: ProtoFields) -> Part:
    return Part(text=content_pb2.Text(text=fields.text("text") or ""))


def _opaque(fields: ProtoFields) -> Part:
    left: dict[str, Any] = fields.present()
    if not left:
        raise fields.wrong("text", "required: expected a part with text, inlineData, fileData, functionCall or functionResponse")
    kind = next((key for key in _OTHERS if key in left), next(iter(left)))
    return Part(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=kind, json=dumped(left)))
