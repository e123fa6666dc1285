"""From the typed payload to a provider's body of `POST /chat/completions`.

What a provider cannot take is left out or replaced by the nearest thing, and reported. Fields of the typed payload win over extras.
"""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.extras import put_back
from llm_mesh_dialects.openai.quirks import Quirks
from llm_mesh_dialects.openai.requests.messages_writing import MessagesWriter
from llm_mesh_dialects.openai.requests.tools_writing import response_format, tool, tool_choice
from llm_mesh_dialects.openai.vocabulary import DIALECT
from llm_mesh_dialects.report import Report

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
    request: generate_pb2.GenerateInput, quirks: Quirks, *, model: str, stream: bool, max_output_tokens: int = 0
) -> tuple[dict[str, Any], list[generate_pb2.Translation]]:
    """The body, and what its translation changed. `max_output_tokens` is the limit to send; 0 means the request's own."""
    report = Report()
    body: dict[str, Any] = {"model": model, "messages": MessagesWriter(quirks, report).written(request.messages)}
    tools = [tool(each, f"tools[{index}].", quirks, report) for index, each in enumerate(request.tools)]
    _put(body, "tools", [each for each in tools if each is not None] or None)
    if request.HasField("tool_choice"):
        _put(body, "tool_choice", tool_choice(request.tool_choice))
    if request.HasField("parallel_tool_calls"):
        body["parallel_tool_calls"] = request.parallel_tool_calls
    if request.HasField("response_format"):
        body["response_format"] = response_format(request.response_format)
    _sample(body, request.sampling, quirks, report)
    _bound(body, request, quirks, max_output_tokens)
    _reason(body, request.reasoning, quirks, report)
    _answer(body, request, quirks, report)
    if stream:
        body["stream"] = True
        if quirks.stream_usage:
            body["stream_options"] = {"include_usage": True}  # the ledger wants it, whoever else does
    for extra in request.extras:
        if extra.dialect == DIALECT and extra.key in _RESERVED:
            report.dropped(f"extras[{extra.dialect}.{extra.key}]", "typed fields say this")
    put_back(body, [extra for extra in request.extras if extra.dialect != DIALECT or extra.key not in _RESERVED], DIALECT, report)
    if not (stream and quirks.stream_usage):
        body.pop("stream_options", None)  # it says how to stream; nothing of what is asked is lost
    _leave_out(body, quirks, report)
    return body, report.translations


def _sample(body: dict[str, Any], sampling: generate_pb2.Sampling, quirks: Quirks, report: Report) -> None:
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


def _bound(body: dict[str, Any], request: generate_pb2.GenerateInput, quirks: Quirks, limit: int) -> None:
    limit = limit or request.max_output_tokens
    if limit:
        body[quirks.max_tokens] = limit
    if request.candidate_count:
        body["n"] = request.candidate_count


def _reason(body: dict[str, Any], reasoning: generate_pb2.ReasoningOptions, quirks: Quirks, report: Report) -> None:
    if quirks.reasoning == "reasoning":
        wanted: dict[str, Any] = {}
        if reasoning.effort:
            wanted["effort"] = reasoning.effort
        if reasoning.budget_tokens:
            wanted["max_tokens"] = reasoning.budget_tokens
        _put(body, "reasoning", wanted or None)
        return
    if reasoning.effort:
        body["reasoning_effort"] = reasoning.effort
    if reasoning.budget_tokens:
        report.dropped("reasoning.budget_tokens", "the provider takes an effort, not a number of tokens")


def _answer(body: dict[str, Any], request: generate_pb2.GenerateInput, quirks: Quirks, report: Report) -> None:
    if request.stop:
        body["stop"] = list(request.stop)
    if request.HasField("logprobs"):
        body["logprobs"] = True
        if request.logprobs.top:
            body["top_logprobs"] = request.logprobs.top
    if request.modalities:
        body["modalities"] = list(request.modalities)
    if request.end_user:
        body["user"] = request.end_user
    if request.prompt_cache_key:
        if quirks.prompt_cache_key:
            body["prompt_cache_key"] = request.prompt_cache_key
        else:
            report.dropped("prompt_cache_key", "the provider has no key for its cache")


def _leave_out(body: dict[str, Any], quirks: Quirks, report: Report) -> None:
    for name in sorted(quirks.unsupported & body.keys()):
        del body[name]
        report.dropped(_PATHS.get(name, name), f"the provider refuses {name}")


def _put(body: dict[str, Any], key: str, value: object) -> None:
    if value is not None:
        body[key] = value
