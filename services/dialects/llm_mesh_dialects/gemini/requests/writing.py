"""From the typed payload to a provider's body of `:generateContent` and `:countTokens`.

What the model cannot take is left out or replaced by the nearest thing, and reported. Fields of the typed payload win over extras.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.extras import put_back
from llm_mesh_dialects.gemini.allowed import TABLE
from llm_mesh_dialects.gemini.quirks import GeminiQuirks
from llm_mesh_dialects.gemini.requests.contents_writing import ContentsWriter
from llm_mesh_dialects.gemini.requests.names_writing import fitting_names
from llm_mesh_dialects.gemini.requests.thinking_writing import thinking_config
from llm_mesh_dialects.gemini.requests.tools_writing import put_config, response_format, tool_config, tools
from llm_mesh_dialects.gemini.vocabulary import DIALECT
from llm_mesh_dialects.proofs import ProofOrigin
from llm_mesh_dialects.report import Report

_COUNTED: Final = ("contents", "systemInstruction", "tools")
_RESERVED: Final = frozenset({"contents", "systemInstruction", "tools", "model", "stream"})
_LIMITS: Final = frozenset({"candidateCount", "maxOutputTokens"})
_SAMPLING: Final = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "seed": "seed",
}
_MODALITIES: Final = {"text": "TEXT", "audio": "AUDIO", "image": "IMAGE"}
_MOST_STOPS: Final = 5
_MOST_SEED: Final = 2**31 - 1


class WrittenBody(NamedTuple):
    """A request's body, what its translation changed, and the whole names of functions by those that the provider is sent."""

    body: dict[str, Any]
    translations: Sequence[generate_pb2.Translation]
    names: Mapping[str, str]


def input_to_body(
    request: generate_pb2.GenerateInput,
    quirks: GeminiQuirks,
    *,
    origin: ProofOrigin | None = None,
    max_output_tokens: int = 0,
    zero_retention: bool = False,
    allowance: Allowance = NOTHING_MORE,
) -> WrittenBody:
    """The body. `origin` knows the proofs that may go back; None: none may; `max_output_tokens` the limit to send, 0 the request's own.

    Raises `CostlyError` and `MediaAddressError` for what `allowance` does not let through.
    """
    report = Report()
    report.gate = Gate(TABLE, allowance, report)
    limit = max_output_tokens or request.max_output_tokens
    body: dict[str, Any] = {}
    conversation = ContentsWriter(quirks, report, origin)
    conversation.write(request.messages)
    conversation.into(body)
    _extras(body, request, report)
    if written := tools(request, report):
        body["tools"] = written
    functions = bool(written) and "functionDeclarations" in written[0]
    put_config(body, "toolConfig", tool_config(request, report, functions=functions) or {})
    put_config(body, "generationConfig", _generation(request, quirks, limit, report))
    if zero_retention:
        body["store"] = False
    _leave_out(request, report)
    names = fitting_names(body, request, report)
    return WrittenBody(body, report.translations, names)


def input_to_count(
    request: generate_pb2.GenerateInput, quirks: GeminiQuirks, *, model: str = "", allowance: Allowance = NOTHING_MORE
) -> Any:  # noqa: ANN401 (JSON)
    """The body of a count: what has tokens. With a `model`, as the Gemini API has it, which takes more than contents only around them."""
    whole = input_to_body(request, quirks, allowance=allowance).body
    counted = {key: whole[key] for key in _COUNTED if key in whole}
    if not model or counted.keys() == {"contents"}:
        return counted
    return {"generateContentRequest": {"model": f"models/{model}", **counted}}


def _extras(body: dict[str, Any], request: generate_pb2.GenerateInput, report: Report) -> None:
    """Typed fields win, also where they are unset: what they stand for is no extra."""
    reserved = [extra for extra in request.extras if extra.dialect == DIALECT and extra.key in _RESERVED]
    for extra in reserved:
        report.dropped(f"extras[{extra.key}]", "the typed payload has a field for it")
    put_back(body, [extra for extra in request.extras if extra not in reserved], DIALECT, report)
    config = body.get("generationConfig")
    if isinstance(config, dict):
        for key in _LIMITS & config.keys():
            del config[key]
            report.dropped(f"extras[generationConfig.{key}]", "the typed payload has a field for it")


def _generation(request: generate_pb2.GenerateInput, quirks: GeminiQuirks, limit: int, report: Report) -> dict[str, Any]:
    config: dict[str, Any] = _sampled(request.sampling, report)
    if limit:
        config["maxOutputTokens"] = limit
    if request.candidate_count > 1:
        config["candidateCount"] = request.candidate_count
    if request.stop:
        config["stopSequences"] = list(request.stop[:_MOST_STOPS])
        if len(request.stop) > _MOST_STOPS:
            report.dropped("stop", f"the provider takes {_MOST_STOPS} sequences: the first ones are sent")
    if request.HasField("logprobs"):
        config["responseLogprobs"] = True
        if request.logprobs.top:
            config["logprobs"] = request.logprobs.top
    response_format(config, request.response_format, report)
    if modalities := _modalities(request, report):
        config["responseModalities"] = modalities
    if thinking := thinking_config(request, quirks, limit, report):
        config["thinkingConfig"] = thinking
    return config


def _sampled(sampling: generate_pb2.Sampling, report: Report) -> dict[str, Any]:
    config = {word: getattr(sampling, name) for name, word in _SAMPLING.items() if sampling.HasField(name)}
    if config.get("topK", 1) < 1:  # elsewhere a way to say: all
        del config["topK"]
    if not -_MOST_SEED - 1 <= config.get("seed", 0) <= _MOST_SEED:
        config["seed"] %= _MOST_SEED + 1
        report.approximated("sampling.seed", "a seed has 32 bits")
    if sampling.logit_bias:
        report.dropped("sampling.logit_bias", "tokens cannot be biased")
    return config


def _modalities(request: generate_pb2.GenerateInput, report: Report) -> list[str]:
    if all(each == "text" for each in request.modalities):
        return []
    written: list[str] = []
    for each in request.modalities:
        word = _MODALITIES.get(each)
        if word is None:
            report.dropped("modalities", f"answers have no {each}")
            continue
        if each == "image" and report.gate is not None:
            report.gate.demand("modalities.image", "modalities")
        written.append(word)
    return written


def _leave_out(request: generate_pb2.GenerateInput, report: Report) -> None:
    if request.end_user:
        report.dropped("end_user", "the provider takes no id of users")
    if request.prompt_cache_key:
        report.dropped("prompt_cache_key", "the provider has no key for its cache")
