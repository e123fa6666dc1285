"""From a client's body of `POST /v1/messages` or `/v1/messages/count_tokens` to the typed payload.

`stream` aside, each key is either modelled or kept as an extra; nothing is lost. Complaints name the deep path.
"""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.anthropic.requests.messages_reading import messages
from llm_mesh_dialects.anthropic.requests.tools_reading import output_config, thinking, tool, tool_choice
from llm_mesh_dialects.anthropic.vocabulary import DIALECT
from llm_mesh_dialects.counting import check_tools
from llm_mesh_dialects.extras import as_extras
from llm_mesh_dialects.fields import Fields

_INT32 = 2**31 - 1


def messages_to_input(body: dict[str, Any], *, count: bool = False) -> generate_pb2.GenerateInput:
    """The typed payload of a request; raises `DialectError` where the body is wrong. A `count` needs no `max_tokens`."""
    result = generate_pb2.GenerateInput()
    messages_into_input(result, body, count=count)
    return result


def messages_into_input(result: generate_pb2.GenerateInput, body: dict[str, Any], *, count: bool = False) -> None:
    """Likewise, into a message that is there already, and empty."""
    fields = Fields(body)
    limit = fields.whole("max_tokens", 1)
    if limit is None and not count:
        raise fields.wrong("max_tokens", "required: expected a whole number")
    result.model = fields.required_text("model")
    result.messages.extend(messages(fields))
    check_tools(fields.peek("tools"))
    result.tools.extend([tool(each) for each in fields.each("tools")])
    result.max_output_tokens = limit or 0
    result.stop.extend(fields.texts("stop_sequences"))
    result.include_usage = True
    result.source_dialect = DIALECT
    fields.raw("stream")  # the caller's way of asking, not what is asked
    left = _choose_tools(result, fields)
    left |= output_config(fields, result)
    left |= thinking(fields, result)
    left |= _user(result, fields)
    _sample(result, fields)
    result.extras.extend(as_extras(DIALECT, fields.rest() | left))


def _choose_tools(result: generate_pb2.GenerateInput, fields: Fields) -> dict[str, Any]:
    choice, parallel, left = tool_choice(fields)
    if choice is not None:
        result.tool_choice.CopyFrom(choice)
    if parallel is not None:
        result.parallel_tool_calls = parallel
    return left


def _user(result: generate_pb2.GenerateInput, fields: Fields) -> dict[str, Any]:
    metadata = fields.inner("metadata")
    if metadata is None:
        return {}
    result.end_user = metadata.text("user_id") or ""
    left = metadata.rest()
    return {"metadata": left} if left else {}


def _sample(result: generate_pb2.GenerateInput, fields: Fields) -> None:
    sampling = generate_pb2.Sampling(
        temperature=fields.number("temperature"), top_p=fields.number("top_p"), top_k=fields.whole("top_k", -1, _INT32)
    )
    if sampling.ListFields():
        result.sampling.CopyFrom(sampling)
