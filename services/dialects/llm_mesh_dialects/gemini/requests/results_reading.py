"""Responses of functions, from the dialect to results of tools.

The dialect has an object where others have a text. `results_writing` does the reverse.
"""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.gemini.proto_fields import ProtoFields
from llm_mesh_dialects.gemini.requests.calls_reading import CallIds
from llm_mesh_dialects.gemini.requests.media_reading import medium_of
from llm_mesh_dialects.gemini.vocabulary import DIALECT

_OUTPUT: Final = "output"
_ERROR: Final = "error"


def tool_result(response: ProtoFields, calls: CallIds) -> content_pb2.ToolResult:
    """One result, of the call that it answers."""
    name, call_id = response.required_text("name"), response.text("id") or ""
    if call_id and calls.name_of(call_id) not in {"", name}:
        raise response.wrong("name", "expected the name of the function call with this id")
    answered = calls.answered(call_id, name)
    if not answered:
        raise response.wrong("name", "expected the name of a function call that is not answered yet, or its id beside the name")
    text, failed = _text_of(response)
    made = content_pb2.ToolResult(tool_call_id=answered, is_error=failed)
    if text or response.peek("parts") is None:
        made.parts.add().text.text = text
    made.parts.extend(_medium(each) for each in response.each("parts"))
    return made


def _text_of(response: ProtoFields) -> tuple[str, bool]:
    """What a function output, and whether that is how it failed."""
    inner = response.inner("response")
    output: dict[str, Any] = {} if inner is None else inner.whole_object()
    for key in (_OUTPUT, _ERROR):
        text = output.get(key)
        if output.keys() == {key} and isinstance(text, str) and (key == _ERROR or not text.lstrip().startswith("{")):
            return text, key == _ERROR
    return dumped(output, response.at("response")).decode() if inner is not None else "", False


def _medium(fields: ProtoFields) -> content_pb2.Part:
    made = medium_of(fields)
    made.extras.extend(as_extras(DIALECT, fields.present()))
    return made
