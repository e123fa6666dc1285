"""From a client's body of `POST /chat/completions` to the typed payload.

`stream` and `model` aside, each key is either modelled or kept as an extra; nothing is lost. Complaints name the deep path.
"""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.extras import kept
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai.requests.messages_reading import messages
from llm_mesh_dialects.openai.requests.tools_reading import response_format, tool, tool_choice
from llm_mesh_dialects.openai.vocabulary import DIALECT

_MOST_CANDIDATES = 128
_MOST_TOP_LOGPROBS = 20
_INT32 = 2**31 - 1


def chat_to_input(body: dict[str, Any]) -> generate_pb2.GenerateInput:
    """The typed payload of a request; raises `DialectError` where the body is wrong."""
    fields = Fields(body)
    result = generate_pb2.GenerateInput(
        model=fields.required_text("model"),
        messages=messages(fields),
        tools=[tool(each) for each in fields.each("tools")],
        candidate_count=fields.whole("n", 1, _MOST_CANDIDATES) or 0,
        max_output_tokens=_output_limit(fields),
        stop=fields.texts("stop"),
        modalities=fields.texts("modalities"),
        end_user=fields.text("user") or "",
        prompt_cache_key=fields.text("prompt_cache_key") or "",
        source_dialect=DIALECT,
    )
    fields.raw("stream")  # the caller's way of asking, not what is asked
    parallel = fields.truth("parallel_tool_calls")
    if parallel is not None:
        result.parallel_tool_calls = parallel
    _choose_tools(result, fields)
    _sample(result, fields)
    _format(result, fields)
    _logprobs(result, fields)
    effort = fields.text("reasoning_effort")
    if effort:
        result.reasoning.effort = effort
    left = _stream_options(result, fields)
    result.extras.extend(kept(DIALECT, fields.rest() | left))
    return result


def _output_limit(fields: Fields) -> int:
    """The newer name wins over the older one."""
    older = fields.whole("max_tokens", 1)
    return fields.whole("max_completion_tokens", 1) or older or 0


def _choose_tools(result: generate_pb2.GenerateInput, fields: Fields) -> None:
    choice, left = tool_choice(fields)
    if choice is not None:
        result.tool_choice.CopyFrom(choice)
    result.extras.extend(kept(DIALECT, left))


def _sample(result: generate_pb2.GenerateInput, fields: Fields) -> None:
    sampling = generate_pb2.Sampling(
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.whole("top_k", -1, _INT32),
        frequency_penalty=fields.number("frequency_penalty"),
        presence_penalty=fields.number("presence_penalty"),
        seed=fields.whole("seed"),
    )
    bias = fields.inner("logit_bias")
    if bias is not None:
        for token in bias.whole_object():
            sampling.logit_bias[token] = bias.number(token) or 0.0
    if sampling.ByteSize():
        result.sampling.CopyFrom(sampling)


def _format(result: generate_pb2.GenerateInput, fields: Fields) -> None:
    found, left = response_format(fields)
    if found is not None:
        result.response_format.CopyFrom(found)
    result.extras.extend(kept(DIALECT, left))


def _logprobs(result: generate_pb2.GenerateInput, fields: Fields) -> None:
    wanted, top = fields.truth("logprobs"), fields.whole("top_logprobs", 0, _MOST_TOP_LOGPROBS)
    if wanted:
        result.logprobs.CopyFrom(generate_pb2.LogprobOptions(top=top or 0))
    elif top:
        raise fields.wrong("top_logprobs", "allowed only with logprobs: true")


def _stream_options(result: generate_pb2.GenerateInput, fields: Fields) -> dict[str, Any]:
    options = fields.inner("stream_options")
    if options is None:
        return {}
    result.include_usage = options.truth("include_usage") or False
    left = options.rest()
    return {"stream_options": left} if left else {}
