"""From a client's body of `POST /v1/responses` to the typed payload.

`stream` and `model` aside, each key is either modelled or kept as an extra; nothing is lost. Complaints name the deep path.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.counting import check_tools
from llm_mesh_dialects.extras import as_extras
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.responses.inputs_reading import InputPlaces, InputsReader
from llm_mesh_dialects.responses.tools_reading import response_format, tool, tool_choice
from llm_mesh_dialects.responses.vocabulary import DIALECT, ENCRYPTED, LOGPROBS

_ELSEWHERE: Final = ("stream", "store", "background", "previous_response_id", "conversation")
"""How a client asks, and what the mesh keeps for it: not what the model is asked."""
_MOST_TOP_LOGPROBS: Final = 20

Input = generate_pb2.GenerateInput


def body_into_input(result: Input, body: dict[str, Any]) -> None:
    """Writes the typed payload into a message that is there already, and empty. Raises `DialectError` where the body is wrong."""
    fields = Fields(body)
    result.model, result.source_dialect, result.include_usage = fields.required_text("model"), DIALECT, True
    _converse(InputsReader(result), fields)
    check_tools(fields.peek("tools"))
    result.tools.extend([tool(each) for each in fields.each("tools")])
    left = _choose_tool(result, fields) | _form(result, fields) | _reason(result, fields) | _include(result, fields)
    _sample(result, fields)
    _label(result, fields)
    for key in _ELSEWHERE:
        fields.raw(key)
    result.extras.extend(as_extras(DIALECT, {key: value for key, value in fields.rest().items() if value is not None} | left))


def places_of(body: Mapping[str, Any]) -> list[list[str]]:
    """Where each part of the typed messages stands in the body, by message and part."""
    inputs = InputPlaces(Input())
    _converse(inputs, Fields(dict(body)))
    return inputs.places


def _converse(inputs: InputsReader, fields: Fields) -> None:
    if instructions := fields.text("instructions"):
        inputs.instruct(instructions)
    inputs.read(fields.raw("input"))


def _choose_tool(result: Input, fields: Fields) -> dict[str, Any]:
    if (parallel := fields.truth("parallel_tool_calls")) is not None:
        result.parallel_tool_calls = parallel
    value = fields.raw("tool_choice")
    if value is None:
        return {}
    choice = tool_choice(value)
    if choice is None:
        return {"tool_choice": value}
    result.tool_choice.CopyFrom(choice)
    return {}


def _form(result: Input, fields: Fields) -> dict[str, Any]:
    text = fields.inner("text")
    if text is None:
        return {}
    form = response_format(text)
    if form is not None:
        result.response_format.CopyFrom(form)
    return {"text": left} if (left := text.rest()) else {}


def _reason(result: Input, fields: Fields) -> dict[str, Any]:
    reasoning = fields.inner("reasoning")
    if reasoning is None:
        return {}
    result.reasoning.effort = reasoning.text("effort") or ""
    left = {key: value for key, value in reasoning.rest().items() if value is not None}
    return {"reasoning": left} if left else {}


def _include(result: Input, fields: Fields) -> dict[str, Any]:
    """Reasoning that can be sent back is always shown."""
    top = fields.whole("top_logprobs", 0, _MOST_TOP_LOGPROBS)
    shown = fields.texts("include")
    if top or LOGPROBS in shown:
        result.logprobs.SetInParent()
        result.logprobs.top = top or 0
    left = [each for each in shown if each not in {ENCRYPTED, LOGPROBS}]
    return {"include": left} if left else {}


def _sample(result: Input, fields: Fields) -> None:
    result.max_output_tokens = fields.whole("max_output_tokens", 1) or 0
    for name in ("temperature", "top_p"):
        if (value := fields.number(name)) is not None:
            setattr(result.sampling, name, value)


def _label(result: Input, fields: Fields) -> None:
    result.end_user = fields.text("safety_identifier") or fields.text("user") or ""
    result.prompt_cache_key = fields.text("prompt_cache_key") or ""
