"""How tokens are chosen, when an answer ends, and what of it the dialect cannot say."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.anthropic.requests.writing import refused_sampling
from llm_mesh_dialects.bedrock.families import Family
from llm_mesh_dialects.report import Report


def sample(config: dict[str, Any], fields: dict[str, Any], request: generate_pb2.GenerateInput, family: Family, report: Report) -> None:
    """Writes into `inferenceConfig` what all models share, and into the model's own `fields` what only some know."""
    sampling = request.sampling
    refused = refused_sampling(fields, request, family.claude) if family.claude is not None else {}
    for name, key in (("temperature", "temperature"), ("top_p", "topP")):
        if not sampling.HasField(name):
            continue
        value = getattr(sampling, name)
        if name in refused:
            if value != 1:  # which is what happens anyway
                report.dropped(f"sampling.{name}", refused[name])
        elif value > 1:
            report.approximated(f"sampling.{name}", "1 is the highest")
            config[key] = 1.0
        else:
            config[key] = value
    if sampling.HasField("top_k") and sampling.top_k >= 1:  # less is elsewhere a way to say: all
        _top_k(fields, sampling.top_k, family, refused, report)
    _lost(sampling, report)


def _lost(sampling: generate_pb2.Sampling, report: Report) -> None:
    for name, value in (("frequency_penalty", sampling.frequency_penalty), ("presence_penalty", sampling.presence_penalty)):
        if value:
            report.dropped(f"sampling.{name}", "the dialect has no penalties")
    if sampling.HasField("seed"):
        report.dropped("sampling.seed", "sampling cannot be repeated")
    if sampling.logit_bias:
        report.dropped("sampling.logit_bias", "tokens cannot be biased")


def _top_k(fields: dict[str, Any], top_k: int, family: Family, refused: dict[str, str], report: Report) -> None:
    if "top_k" in refused:
        report.dropped("sampling.top_k", refused["top_k"])
    elif family.top_k == "top_k":
        fields["top_k"] = top_k
    elif family.top_k:
        fields["inferenceConfig"] = {"topK": top_k}
    else:
        report.dropped("sampling.top_k", "the model has no such parameter")


def stop(config: dict[str, Any], request: generate_pb2.GenerateInput, family: Family, report: Report) -> None:
    """Writes the sequences that end an answer."""
    taken = [each for each in request.stop if family.claude is None or each.strip()]
    if taken:
        config["stopSequences"] = taken
    if len(taken) < len(request.stop):
        report.dropped("stop", "sequences of nothing but white space are refused")


def leave_out(request: generate_pb2.GenerateInput, family: Family, fields: dict[str, Any], report: Report) -> None:
    """Reports what the dialect has no place for."""
    if request.candidate_count > 1:
        report.dropped("candidate_count", "there is one answer")
    if request.HasField("logprobs"):
        report.dropped("logprobs", "the dialect has none")
    if request.prompt_cache_key:
        report.dropped("prompt_cache_key", "the provider has no key for its cache")
    if request.end_user:
        report.dropped("end_user", "the provider takes no id of a user")
    if any(each != "text" for each in request.modalities):
        report.dropped("modalities", "answers are texts")
    if request.HasField("parallel_tool_calls") and not request.parallel_tool_calls and request.tools:
        if family.claude is not None and not request.tool_choice.mode:
            fields["tool_choice"] = {"type": "auto", "disable_parallel_tool_use": True}
        else:
            report.dropped("parallel_tool_calls", "the provider cannot forbid several calls at once")
