"""From the typed payload to a provider's body of `POST /v1/messages`.

What the model cannot take is left out or replaced by the nearest thing, and reported, unless it says what happens anyway, such as
a penalty of 0. Fields of the typed payload win over extras.
"""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.allowing import ABSENT, NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.anthropic.allowed import TABLE
from llm_mesh_dialects.anthropic.quirks import AnthropicQuirks
from llm_mesh_dialects.anthropic.requests.messages_writing import AnthropicMessagesWriter
from llm_mesh_dialects.anthropic.requests.thinking_writing import ThinkingRoom, think, thinks
from llm_mesh_dialects.anthropic.requests.tools_writing import response_format, tool_choice, tools
from llm_mesh_dialects.anthropic.vocabulary import DIALECT
from llm_mesh_dialects.extras import put_back
from llm_mesh_dialects.report import Report

_DEFAULT_LIMIT: Final = 4096
"""`max_tokens` is required; this much is asked for where neither the attempt nor the request says."""
_COUNTED: Final = frozenset(
    {"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control", "speed", "anthropic_beta"}
)
# Typed fields win, also where they are unset: an extra must not raise what was admitted and reserved. Keys that an extra may complete
# (`thinking`, `output_config`, `tool_choice`, `metadata`) are not here.
_RESERVED: Final = frozenset(
    {"model", "messages", "system", "tools", "max_tokens", "stream", "stop_sequences", "temperature", "top_p", "top_k"}
)
_BETA: Final = "anthropic_beta"
_CONTEXT: Final = "context_management"
_LEAST_TOP_P: Final = 0.95
"""With thinking (https://platform.claude.com/docs/en/build-with-claude/extended-thinking)."""
_NO_SAMPLING: Final = "the model takes no sampling parameters"


def input_to_messages(
    request: generate_pb2.GenerateInput,
    quirks: AnthropicQuirks,
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
    limit = max_output_tokens or request.max_output_tokens or _DEFAULT_LIMIT
    body: dict[str, Any] = {"model": model, "max_tokens": limit}
    conversation = AnthropicMessagesWriter(quirks, report, own=request.source_dialect == DIALECT)
    conversation.write(request.messages)
    _tools(body, request, quirks, report)
    think(body, request, quirks, _room(request, conversation, limit), report)
    own = request.source_dialect == DIALECT
    instruction = response_format(body, request.response_format, quirks, report, own=own)
    if instruction:
        conversation.system.append({"type": "text", "text": instruction})
    conversation.into(body)
    _sample(body, request, quirks, report)
    _stop(body, request, report)
    if request.end_user:
        body["metadata"] = {"user_id": request.end_user}
    _leave_out(request, report)
    if stream:
        body["stream"] = True
    _extras(body, request, report)
    return body, report.translations


def input_to_count(
    request: generate_pb2.GenerateInput, quirks: AnthropicQuirks, *, model: str, allowance: Allowance = NOTHING_MORE
) -> dict[str, Any]:
    """The body of `POST /v1/messages/count_tokens`: what has tokens, and nothing else."""
    body, _ = input_to_messages(request, quirks, model=model, stream=False, allowance=allowance)
    return {key: value for key, value in body.items() if key in _COUNTED}


def _extras(body: dict[str, Any], request: generate_pb2.GenerateInput, report: Report) -> None:
    reserved = [extra for extra in request.extras if extra.dialect == DIALECT and extra.key in _RESERVED]
    for extra in reserved:
        report.dropped(f"extras[{extra.key}]", "the typed payload has a field for it")
    put_back(body, [extra for extra in request.extras if extra not in reserved], DIALECT, report)
    if report.gate is not None and isinstance(management := body.get(_CONTEXT), dict):
        _edit(body, management, report.gate, report)
    betas = body.get(_BETA)
    if report.gate is not None and betas is not None:
        if not isinstance(betas, list):
            report.dropped(f"extras[{DIALECT}.{_BETA}]", "expected a list of features")
        body[_BETA] = [each for each in betas if _known(each, report.gate)] if isinstance(betas, list) else []


def _edit(body: dict[str, Any], management: dict[str, Any], gate: Gate, report: Report) -> None:
    """Keeps the edits of a conversation that may be asked for; what is left out is reported."""
    edits = management.get("edits")
    passed = []
    if not isinstance(edits, list):
        report.dropped(f"extras[{DIALECT}.{_CONTEXT}].edits", "expected a list of edits")
    for place, edit in enumerate(edits if isinstance(edits, list) else []):
        kind = edit.get("type") if isinstance(edit, dict) else None
        name = kind if isinstance(kind, str) else ""
        if gate.judged(f"edit.{name}", edit, f"extras[{DIALECT}.{_CONTEXT}].edits[{place}]") is not ABSENT:
            passed.append(edit)
    if passed:
        body[_CONTEXT] = {**management, "edits": passed}
    else:
        del body[_CONTEXT]


def _known(beta: Any, gate: Gate) -> bool:  # noqa: ANN401 (JSON)
    """Whether a feature in trial may be asked for; what is left out is reported."""
    name = beta if isinstance(beta, str) else ""
    return gate.judged(f"beta.{name}", beta, f"extras[{DIALECT}.{_BETA}][{name}]") is not ABSENT


def _tools(body: dict[str, Any], request: generate_pb2.GenerateInput, quirks: AnthropicQuirks, report: Report) -> None:
    written = tools(request, quirks, report)
    if written:
        body["tools"] = written
    choice = tool_choice(request, any_tools=bool(written))
    if choice is not None:
        body["tool_choice"] = choice


def _room(request: generate_pb2.GenerateInput, conversation: AnthropicMessagesWriter, limit: int) -> ThinkingRoom:
    obstacle = ""
    if conversation.begins_answer:
        obstacle = "a model does not think in an answer that is begun already"
    elif conversation.continues_calls_without_thinking:
        obstacle = "the provider wants its own proof of the thinking before the tool call, which the request has not"
    return ThinkingRoom(limit, obstacle, own=request.source_dialect == DIALECT)


def _sample(body: dict[str, Any], request: generate_pb2.GenerateInput, quirks: AnthropicQuirks, report: Report) -> None:
    sampling = request.sampling
    for name, value in (("frequency_penalty", sampling.frequency_penalty), ("presence_penalty", sampling.presence_penalty)):
        if value:
            report.dropped(f"sampling.{name}", "the dialect has no penalties")
    if sampling.HasField("seed"):
        report.dropped("sampling.seed", "sampling cannot be repeated")
    if sampling.logit_bias:
        report.dropped("sampling.logit_bias", "tokens cannot be biased")
    settings = {name: getattr(sampling, name) for name in ("temperature", "top_p", "top_k") if sampling.HasField(name)}
    if settings.get("top_k", 1) < 1:  # elsewhere a way to say: all
        del settings["top_k"]
    refused = refused_sampling(body, request, quirks)
    for name, value in settings.items():
        if name in refused:
            if name == "top_k" or value != 1:  # 1 is what happens anyway
                report.dropped(f"sampling.{name}", refused[name])
        elif name == "temperature" and value > 1:
            report.approximated("sampling.temperature", "1 is the highest")
            body[name] = 1.0
        else:
            body[name] = value


def refused_sampling(body: dict[str, Any], request: generate_pb2.GenerateInput, quirks: AnthropicQuirks) -> dict[str, str]:
    """The sampling parameters that the model would refuse, each with why."""
    if quirks.sampling == "none":
        return dict.fromkeys(("temperature", "top_p", "top_k"), _NO_SAMPLING)
    refused: dict[str, str] = {}
    if thinks(body) and request.source_dialect != DIALECT:
        refused |= dict.fromkeys(("temperature", "top_k"), "a model that thinks takes none")
        if request.sampling.top_p < _LEAST_TOP_P:
            refused["top_p"] = f"a model that thinks takes {_LEAST_TOP_P} to 1"
    if quirks.sampling == "one" and request.sampling.HasField("temperature") and "temperature" not in refused:
        refused["top_p"] = "the model takes temperature or top_p, not both"
    return refused


def _stop(body: dict[str, Any], request: generate_pb2.GenerateInput, report: Report) -> None:
    visible = [each for each in request.stop if each.strip()]
    if visible:
        body["stop_sequences"] = visible
    if len(visible) < len(request.stop):
        report.dropped("stop", "sequences of nothing but white space are refused")


def _leave_out(request: generate_pb2.GenerateInput, report: Report) -> None:
    if request.candidate_count > 1:
        report.dropped("candidate_count", "there is one answer")
    if request.HasField("logprobs"):
        report.dropped("logprobs", "the dialect has none")
    if request.prompt_cache_key:
        report.dropped("prompt_cache_key", "the provider has no key for its cache")
    if any(each != "text" for each in request.modalities):
        report.dropped("modalities", "answers are texts")
