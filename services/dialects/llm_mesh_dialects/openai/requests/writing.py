"""From the typed payload to a provider's body of `POST /chat/completions`.

What a provider cannot take is left out or replaced by the nearest thing, and reported. Fields of the typed payload win over extras.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.extras import put_back
from llm_mesh_dialects.openai.allowed import TABLE
from llm_mesh_dialects.openai.efforts import effort_for
from llm_mesh_dialects.openai.quirks import OpenAIQuirks
from llm_mesh_dialects.openai.requests.messages_writing import OpenAIMessagesWriter
from llm_mesh_dialects.openai.requests.tools_writing import response_format, tool, tool_choice
from llm_mesh_dialects.openai.vocabulary import DIALECT
from llm_mesh_dialects.report import Report

_FORCED = frozenset({content_pb2.TOOL_CHOICE_MODE_REQUIRED, content_pb2.TOOL_CHOICE_MODE_NAMED})
_SAMPLING = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
# Fields of the dialect beside the paths of the typed payload, for the report.
_PATHS = {
    **{name: f"sampling.{name}" for name in (*_SAMPLING, "top_k", "seed", "logit_bias")},
    "n": "candidate_count",
    "user": "end_user",
    "reasoning_effort": "reasoning.effort",
    "top_logprobs": "logprobs.top",
}

# Typed fields win, also where they are unset: an extra must not raise what was admitted and reserved, by whatever name a server
# of the dialect has for it. Keys that an extra may complete (`stream_options`, `response_format`, `tool_choice`) are not here.
_RESERVED = frozenset(
    {"model", "messages", "tools", "stream", "n", "best_of", "max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens"}
    | {"n_predict", "num_predict", "stop", "logprobs", "top_logprobs", "modalities", "user", "prompt_cache_key", "parallel_tool_calls"}
    | {"reasoning_effort", "random_seed", *_SAMPLING, "top_k", "seed", "logit_bias"}
)


def input_to_chat(
    request: generate_pb2.GenerateInput,
    quirks: OpenAIQuirks,
    *,
    model: str,
    stream: bool,
    max_output_tokens: int = 0,
    allowance: Allowance = NOTHING_MORE,
) -> tuple[dict[str, Any], list[generate_pb2.Translation]]:
    """The body, and what its translation changed. `max_output_tokens` is the limit to send; 0 means the request's own.

    Raises `CostlyError` and `MediaAddressError` for what `allowance` does not let through.
    """
    report = Report()
    report.gate = Gate(TABLE, allowance, report)
    body: dict[str, Any] = {"model": model, "messages": []}
    if max_output_tokens:
        body[quirks.max_tokens] = max_output_tokens
    if stream:
        body["stream"] = True
        if quirks.stream_usage:
            body["stream_options"] = {"include_usage": True}  # the ledger wants it, whoever else does
    for field, value in request.ListFields():  # in the order of their numbers: extras are last
        write = _WRITERS.get(field.name)
        if write is not None:
            write(body, value, quirks, report)
    if request.HasField("tool_choice") or (request.HasField("parallel_tool_calls") and "tools" not in body):
        _choose(body, request, quirks, report)
    if request.HasField("reasoning"):
        _reason(body, request, quirks, report)
    if not (stream and quirks.stream_usage):
        body.pop("stream_options", None)  # it says how to stream; nothing of what is asked is lost
    if quirks.unsupported:
        _leave_out(body, quirks, report)
    return body, report.translations


Body = dict[str, Any]
Writer = Callable[[Body, Any, OpenAIQuirks, Report], None]


def _messages(body: Body, messages: Any, quirks: OpenAIQuirks, report: Report) -> None:  # noqa: ANN401 (a field of any kind)
    body["messages"] = OpenAIMessagesWriter(quirks, report).written(messages)


def _tools(body: Body, tools: Any, quirks: OpenAIQuirks, report: Report) -> None:  # noqa: ANN401
    tools = [tool(each, f"tools[{index}].", quirks, report) for index, each in enumerate(tools)]
    _put(body, "tools", [each for each in tools if each is not None] or None)


def _choose(body: Body, request: generate_pb2.GenerateInput, quirks: OpenAIQuirks, report: Report) -> None:
    choice = request.tool_choice
    allowed = frozenset(choice.allowed)
    if allowed and not quirks.allowed_tools and "tools" in body:
        report.approximated("tool_choice.allowed", "only the allowed tools are sent")
        body["tools"] = [each for each in body["tools"] if each.get("function", {}).get("name") in allowed]
        if not body["tools"]:
            del body["tools"]
    if request.source_dialect == DIALECT:
        _put(body, "tool_choice", tool_choice(choice, quirks))
    elif "tools" not in body:  # the dialect refuses a choice without tools
        body.pop("parallel_tool_calls", None)
        if choice.mode in _FORCED:
            report.dropped("tool_choice", "no tool is left to call")
    elif choice.mode == content_pb2.TOOL_CHOICE_MODE_NAMED and choice.name not in _names(body["tools"]):
        report.dropped("tool_choice", f"the tool {choice.name} is not sent to the provider")
    else:
        _put(body, "tool_choice", tool_choice(choice, quirks))


def _names(tools: list[dict[str, Any]]) -> set[str]:
    return {each.get("function", {}).get("name", "") for each in tools}


def _limit(body: Body, limit: int, quirks: OpenAIQuirks, _report: Report) -> None:
    body.setdefault(quirks.max_tokens, limit)


def _as(key: str) -> Writer:
    def write(body: Body, value: Any, _quirks: OpenAIQuirks, _report: Report) -> None:  # noqa: ANN401
        body[key] = value

    return write


def _stop(body: Body, stops: Any, quirks: OpenAIQuirks, report: Report) -> None:  # noqa: ANN401
    body["stop"] = list(stops)
    if quirks.most_stops and len(stops) > quirks.most_stops:
        body["stop"] = body["stop"][: quirks.most_stops]
        report.dropped("stop", f"the provider takes {quirks.most_stops} stop sequences, not {len(stops)}")


def _user(body: Body, user: str, quirks: OpenAIQuirks, report: Report) -> None:
    if quirks.longest_user and len(user) > quirks.longest_user:
        report.approximated("end_user", f"more than {quirks.longest_user} characters are sent as their hash")
        user = sha256(user.encode()).hexdigest()[: quirks.longest_user]
    body["user"] = user


def _modalities(body: Body, modalities: Any, _quirks: OpenAIQuirks, report: Report) -> None:  # noqa: ANN401
    """Sound and images cost other prices than the text that is reserved for."""
    requested = list(modalities)
    if report.gate is not None and any(each != "text" for each in requested):
        report.gate.demand("modalities", "modalities")
    body["modalities"] = requested


def _sample(body: Body, sampling: generate_pb2.Sampling, quirks: OpenAIQuirks, report: Report) -> None:
    for name in _SAMPLING:
        if sampling.HasField(name):
            body[name] = getattr(sampling, name)
    if sampling.HasField("top_k"):
        if quirks.top_k:
            body["top_k"] = sampling.top_k
        else:
            report.dropped("sampling.top_k", "the provider has no top_k")
    if sampling.HasField("seed"):
        body[quirks.seed] = sampling.seed
    if sampling.logit_bias:
        body["logit_bias"] = {token: int(bias) if bias.is_integer() else bias for token, bias in sampling.logit_bias.items()}


def _reason(body: Body, request: generate_pb2.GenerateInput, quirks: OpenAIQuirks, report: Report) -> None:
    reasoning = request.reasoning
    if quirks.reasoning == "reasoning":
        fields: dict[str, Any] = {}
        if reasoning.effort:
            fields["effort"] = reasoning.effort
        if reasoning.budget_tokens:
            fields["max_tokens"] = reasoning.budget_tokens
        _put(body, "reasoning", fields or None)
    elif request.source_dialect != DIALECT:
        if reasoning.effort or reasoning.budget_tokens:
            _put(body, "reasoning_effort", effort_for(reasoning, body["model"], report) or None)
    elif reasoning.effort:
        body["reasoning_effort"] = reasoning.effort
    elif reasoning.budget_tokens:
        report.dropped("reasoning.budget_tokens", "the provider takes an effort, not a number of tokens")


def _logprobs(body: Body, options: generate_pb2.LogprobOptions, _quirks: OpenAIQuirks, _report: Report) -> None:
    body["logprobs"] = True
    if options.top:
        body["top_logprobs"] = options.top


def _cache_key(body: Body, key: str, quirks: OpenAIQuirks, report: Report) -> None:
    if quirks.prompt_cache_key:
        body["prompt_cache_key"] = key
    else:
        report.dropped("prompt_cache_key", "the provider has no key for its cache")


def _extras(body: Body, extras_of_input: Any, _quirks: OpenAIQuirks, report: Report) -> None:  # noqa: ANN401
    for extra in extras_of_input:
        if extra.dialect == DIALECT and extra.key in _RESERVED:
            report.dropped(f"extras[{extra.dialect}.{extra.key}]", "typed fields say this")
    put_back(body, [extra for extra in extras_of_input if extra.dialect != DIALECT or extra.key not in _RESERVED], DIALECT, report)


_WRITERS: Final[Mapping[str, Writer]] = {
    "messages": _messages,
    "tools": _tools,
    "parallel_tool_calls": _as("parallel_tool_calls"),
    "response_format": lambda body, form, _quirks, _report: _put(body, "response_format", response_format(form)),
    "sampling": _sample,
    "candidate_count": _as("n"),
    "max_output_tokens": _limit,
    "stop": _stop,
    "logprobs": _logprobs,
    "modalities": _modalities,
    "end_user": _user,
    "prompt_cache_key": _cache_key,
    "extras": _extras,
}


def _leave_out(body: dict[str, Any], quirks: OpenAIQuirks, report: Report) -> None:
    for name in sorted(quirks.unsupported & body.keys()):
        del body[name]
        report.dropped(_PATHS.get(name, name), f"the provider refuses {name}")


def _put(body: dict[str, Any], key: str, value: object) -> None:
    if value is not None:
        body[key] = value
