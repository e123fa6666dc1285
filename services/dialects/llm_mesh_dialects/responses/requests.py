"""From the typed payload to a provider's body of `POST /responses`.

Nothing is kept at the provider (`store`), so that the whole conversation goes with each request. What the
dialect cannot say is left out or replaced by the nearest thing, and reported. Fields of the typed payload win over extras.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.extras import put_back
from llm_mesh_dialects.openai.efforts import effort_for, efforts_of
from llm_mesh_dialects.proofs import ProofOrigin
from llm_mesh_dialects.report import Report
from llm_mesh_dialects.responses.allowed import SHARED, TABLE
from llm_mesh_dialects.responses.inputs_writing import InputsWriter
from llm_mesh_dialects.responses.tools_writing import text_format, tool_choice, tools
from llm_mesh_dialects.responses.vocabulary import DIALECT, ENCRYPTED, LOGPROBS

_COUNTED: Final = frozenset({"model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning"})
_RESERVED: Final = frozenset(
    {"model", "input", "instructions", "tools", "stream", "max_output_tokens", "temperature", "top_p", "top_logprobs", "user"}
    | {"prompt_cache_key", "parallel_tool_calls", "background", "include", "n"}
)
"""Typed fields win, also where they are unset: an extra must not raise what was admitted and reserved. Nothing runs in the background."""
_LONGEST_USER: Final = 64
_UNSAYABLE: Final = {
    "frequency_penalty": "the dialect has no penalties",
    "presence_penalty": "the dialect has no penalties",
    "seed": "sampling cannot be repeated",
    "top_k": "the provider has no top_k",
}


def input_to_body(
    request: generate_pb2.GenerateInput,
    *,
    model: str,
    stream: bool,
    origin: ProofOrigin,
    max_output_tokens: int = 0,
    allowance: Allowance = NOTHING_MORE,
) -> tuple[dict[str, Any], list[generate_pb2.Translation]]:
    """The body, and what its translation changed. `max_output_tokens` is the limit to send; 0 means the request's own.

    `origin` stands for tenant, endpoint, credential and model: reasoning of other origins stays here. Raises `CostlyError` and
    `MediaAddressError` for what `allowance` does not let through.
    """
    report = Report()
    report.gate = Gate(TABLE, allowance, report)
    conversation = InputsWriter(report, origin)
    conversation.write(request.messages)
    body: dict[str, Any] = {"model": model, "input": conversation.items}
    if conversation.instructions:
        body["instructions"] = conversation.instructions
    if limit := max_output_tokens or request.max_output_tokens:
        body["max_output_tokens"] = limit
    if stream:
        body["stream"] = True
    own = request.source_dialect == DIALECT
    if written := tools(request, report, own=own):
        body["tools"] = written
    if (choice := tool_choice(request.tool_choice, body.get("tools", ()), report)) is not None:
        body["tool_choice"] = choice
    if request.HasField("parallel_tool_calls") and ("tools" in body or own):
        body["parallel_tool_calls"] = request.parallel_tool_calls
    if (form := text_format(request.response_format)) is not None:
        body["text"] = {"format": form}
    _reason(body, request, report, own=own)
    _sample(body, request, report)
    _label(body, request, report)
    _leave_out(request, report)
    _extras(body, request, report)
    body.setdefault("store", False)
    _include(body, request)
    return body, report.translations


def input_to_count(
    request: generate_pb2.GenerateInput, *, model: str, origin: ProofOrigin, allowance: Allowance = NOTHING_MORE
) -> dict[str, Any]:
    """The body of `POST /responses/input_tokens`: what has tokens, and nothing else."""
    body, _ = input_to_body(request, model=model, stream=False, origin=origin, allowance=allowance)
    return {key: value for key, value in body.items() if key in _COUNTED}


def _reason(body: dict[str, Any], request: generate_pb2.GenerateInput, report: Report, *, own: bool) -> None:
    reasoning = request.reasoning
    if not reasoning.effort and not reasoning.budget_tokens:
        return
    effort = reasoning.effort if own and reasoning.effort else effort_for(reasoning, body["model"], report)
    if effort:
        body["reasoning"] = {"effort": effort}


def _sample(body: dict[str, Any], request: generate_pb2.GenerateInput, report: Report) -> None:
    sampling = request.sampling
    for name in ("temperature", "top_p"):
        if sampling.HasField(name):
            body[name] = getattr(sampling, name)
    for name, why in _UNSAYABLE.items():
        if sampling.HasField(name) and (name in {"seed", "top_k"} or getattr(sampling, name)):  # a penalty of 0 is what happens anyway
            report.dropped(f"sampling.{name}", why)
    if sampling.logit_bias:
        report.dropped("sampling.logit_bias", "tokens cannot be biased")
    if request.HasField("logprobs"):
        body["top_logprobs"] = request.logprobs.top


def _label(body: dict[str, Any], request: generate_pb2.GenerateInput, report: Report) -> None:
    if request.prompt_cache_key:
        body["prompt_cache_key"] = request.prompt_cache_key
    if user := request.end_user:
        if len(user) > _LONGEST_USER:
            report.approximated("end_user", f"more than {_LONGEST_USER} characters are sent as their hash")
            user = sha256(user.encode()).hexdigest()[:_LONGEST_USER]
        body["safety_identifier"] = user


def _leave_out(request: generate_pb2.GenerateInput, report: Report) -> None:
    if request.candidate_count > 1:
        report.dropped("candidate_count", "there is one answer")
    if request.stop:
        report.dropped("stop", "the dialect has no stop sequences")
    if any(each != "text" for each in request.modalities):
        report.dropped("modalities", "answers are texts")


def _extras(body: dict[str, Any], request: generate_pb2.GenerateInput, report: Report) -> None:
    passed: list[content_pb2.Extra] = []
    for extra in request.extras:
        if extra.dialect == DIALECT and extra.key in _RESERVED:
            report.dropped(f"extras[{DIALECT}.{extra.key}]", "typed fields say this, or nothing may")
        elif extra.dialect == "openai" and extra.key in SHARED:
            passed.append(content_pb2.Extra(dialect=DIALECT, key=extra.key, json=extra.json))
        elif extra.dialect == "openai" and extra.key == "verbosity":
            passed.append(content_pb2.Extra(dialect=DIALECT, key="text", json=b'{"verbosity":' + extra.json + b"}"))
        else:
            passed.append(extra)
    if "stream" not in body:  # it says how to stream; nothing of what is asked is lost
        passed = [extra for extra in passed if extra.key != "stream_options"]
    put_back(body, passed, DIALECT, report)


def _include(body: dict[str, Any], request: generate_pb2.GenerateInput) -> None:
    """What is shown beside the text: reasoning that can be sent back, since nothing is stored, and log-probabilities."""
    include = [ENCRYPTED] if not body["store"] and efforts_of(body["model"]) else []  # a model that does not reason refuses it
    if request.HasField("logprobs"):
        include.append(LOGPROBS)
    if include:
        body["include"] = include
