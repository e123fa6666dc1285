"""From a client's body of `POST /chat/completions` to the typed payload.

`stream` and `model` aside, each key is either modelled or kept as an extra; nothing is lost. Complaints name the deep path. Each key of
the body is looked at once, by the function that the table has for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.counting import check_tools
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.fields import Fields, a_number, a_text, a_truth, a_whole, some_texts
from llm_mesh_dialects.openai.requests.messages_reading import read_messages
from llm_mesh_dialects.openai.requests.tools_reading import response_format, tool, tool_choice
from llm_mesh_dialects.openai.vocabulary import DIALECT

_MOST_CANDIDATES = 128
_MOST_TOP_LOGPROBS = 20
_INT32 = 2**31 - 1

Input = generate_pb2.GenerateInput


def chat_to_input(body: dict[str, Any]) -> Input:
    """The typed payload of a request; raises `DialectError` where the body is wrong."""
    result = Input()
    chat_into_input(result, body)
    return result


def chat_into_input(result: Input, body: dict[str, Any]) -> None:
    """Likewise, into a message that is there already, and empty."""
    if not isinstance(body, dict):
        raise DialectError("", "expected an object")
    model = a_text(body.get("model"), "model")
    if not model:
        raise DialectError("model", "required: expected a string")
    result.model, result.source_dialect = model, DIALECT
    read_messages(result, body.get("messages"))
    for key, value in body.items():
        read = _READERS.get(key)
        if read is None:
            result.extras.add(dialect=DIALECT, key=key, json=dumped(value, key))
        elif value is not None:
            read(result, value, body)


Reader = Callable[[Input, Any, dict[str, Any]], None]
"""Reads a value that is there into the payload; the body is there for what depends on another key."""


def _elsewhere(result: Input, value: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 (JSON)
    """Read before, or the caller's way of asking and not what is asked (`stream`)."""


def _value(name: str, read: Callable[[Any], Any]) -> Reader:
    def reader(result: Input, value: Any, _body: dict[str, Any]) -> None:  # noqa: ANN401 (JSON)
        setattr(result, name, read(value))

    return reader


def _texts(name: str) -> Reader:
    def reader(result: Input, value: Any, _body: dict[str, Any]) -> None:  # noqa: ANN401 (JSON)
        getattr(result, name).extend(some_texts(value, name))

    return reader


def _sampled(name: str, read: Callable[[Any, str], float] = a_number) -> Reader:
    def reader(result: Input, value: Any, _body: dict[str, Any]) -> None:  # noqa: ANN401 (JSON)
        setattr(result.sampling, name, read(value, name))

    return reader


def _older_limit(result: Input, value: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 (JSON)
    """The newer name wins over the older one."""
    limit = a_whole(value, "max_tokens", 1)
    if body.get("max_completion_tokens") is None:
        result.max_output_tokens = limit


def _tools(result: Input, value: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 (JSON)
    check_tools(value)
    result.tools.extend([tool(each) for each in Fields(body).each("tools")])


def _tool_choice(result: Input, _value: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 (JSON)
    choice, left = tool_choice(Fields(body))
    if choice is not None:
        result.tool_choice.CopyFrom(choice)
    result.extras.extend(as_extras(DIALECT, left))


def _response_format(result: Input, _value: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 (JSON)
    response_form, left = response_format(Fields(body))
    if response_form is not None:
        result.response_format.CopyFrom(response_form)
    result.extras.extend(as_extras(DIALECT, left))


def _logit_bias(result: Input, value: Any, _body: dict[str, Any]) -> None:  # noqa: ANN401 (JSON)
    bias = Fields(value, "logit_bias")
    for token in bias.whole_object():
        result.sampling.logit_bias[token] = bias.number(token) or 0.0


def _logprobs(result: Input, value: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 (JSON)
    if a_truth(value, "logprobs"):
        top = body.get("top_logprobs")
        result.logprobs.SetInParent()
        result.logprobs.top = 0 if top is None else a_whole(top, "top_logprobs", 0, _MOST_TOP_LOGPROBS)


def _top_logprobs(_result: Input, value: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 (JSON)
    if a_whole(value, "top_logprobs", 0, _MOST_TOP_LOGPROBS) and not body.get("logprobs"):
        raise DialectError("top_logprobs", "allowed only with logprobs: true")


def _reasoning_effort(result: Input, value: Any, _body: dict[str, Any]) -> None:  # noqa: ANN401 (JSON)
    effort = a_text(value, "reasoning_effort")
    if effort:
        result.reasoning.effort = effort


def _stream_options(result: Input, value: Any, _body: dict[str, Any]) -> None:  # noqa: ANN401 (JSON)
    options = Fields(value, "stream_options")
    result.include_usage = options.truth("include_usage") or False
    left = options.rest()
    if left:
        result.extras.extend(as_extras(DIALECT, {"stream_options": left}))


_READERS: Final[Mapping[str, Reader]] = {
    "model": _elsewhere,
    "messages": _elsewhere,
    "stream": _elsewhere,
    "tools": _tools,
    "tool_choice": _tool_choice,
    "parallel_tool_calls": _value("parallel_tool_calls", lambda value: a_truth(value, "parallel_tool_calls")),
    "response_format": _response_format,
    "n": _value("candidate_count", lambda value: a_whole(value, "n", 1, _MOST_CANDIDATES)),
    "max_completion_tokens": _value("max_output_tokens", lambda value: a_whole(value, "max_completion_tokens", 1)),
    "max_tokens": _older_limit,
    "stop": _texts("stop"),
    "modalities": _texts("modalities"),
    "user": _value("end_user", lambda value: a_text(value, "user")),
    "prompt_cache_key": _value("prompt_cache_key", lambda value: a_text(value, "prompt_cache_key")),
    "temperature": _sampled("temperature"),
    "top_p": _sampled("top_p"),
    "frequency_penalty": _sampled("frequency_penalty"),
    "presence_penalty": _sampled("presence_penalty"),
    "top_k": _sampled("top_k", lambda value, path: a_whole(value, path, -1, _INT32)),
    "seed": _sampled("seed", a_whole),
    "logit_bias": _logit_bias,
    "logprobs": _logprobs,
    "top_logprobs": _top_logprobs,
    "reasoning_effort": _reasoning_effort,
    "stream_options": _stream_options,
}
