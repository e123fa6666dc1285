"""`generationConfig`: sampling, limits, thinking and the form of the answer, from the dialect to the typed payload."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.extras import dumped
from llm_mesh_dialects.gemini.proto_fields import ProtoFields
from llm_mesh_dialects.gemini.requests.schemas_reading import json_schema

_INT32: Final = 2**31 - 1
_JSON: Final = "application/json"
_TEXT: Final = "text/plain"
_LEVELS: Final = frozenset({"MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"})
_MODALITY: Final = "MODALITY_"

Left = dict[str, Any]


def read_generation(body: ProtoFields, result: generate_pb2.GenerateInput) -> tuple[Left, bool]:
    """Reads it all; gives what is not modelled, and whether the client wants to see thoughts."""
    config = body.inner("generationConfig")
    if config is None:
        return {}, False
    _sample(config, result)
    result.candidate_count = config.whole("candidateCount", 0, _INT32) or 0
    result.max_output_tokens = config.whole("maxOutputTokens", 1) or 0
    result.stop.extend(config.texts("stopSequences"))
    result.modalities.extend(_modalities(config))
    _logprobs(config, result)
    left = _form(config, result)
    thinking, shown = _thinking(config, result)
    left |= thinking | config.present()
    return ({"generationConfig": left} if left else {}), shown


def _sample(config: ProtoFields, result: generate_pb2.GenerateInput) -> None:
    sampling = generate_pb2.Sampling(
        temperature=config.number("temperature"),
        top_p=config.number("topP"),
        top_k=config.whole("topK", -1, _INT32),
        presence_penalty=config.number("presencePenalty"),
        frequency_penalty=config.number("frequencyPenalty"),
        seed=config.whole("seed"),
    )
    if sampling.ListFields():
        result.sampling.CopyFrom(sampling)


def _modalities(config: ProtoFields) -> list[str]:
    words = [each.lower() for each in config.texts("responseModalities")]
    return [each for each in words if not each.startswith(_MODALITY.lower())]


def _logprobs(config: ProtoFields, result: generate_pb2.GenerateInput) -> None:
    returned, top = config.truth("responseLogprobs"), config.whole("logprobs", 0, _INT32)
    if top and not returned:
        raise config.wrong("logprobs", "expected responseLogprobs: true beside it")
    if returned:
        result.logprobs.top = top or 0
        result.logprobs.SetInParent()


def _form(config: ProtoFields, result: generate_pb2.GenerateInput) -> Left:
    """Reads the form of the answer; gives the keys of a form that is not modelled, such as one word of an enumeration."""
    mime_type = config.text("responseMimeType") or ""
    schema, own = config.raw("responseJsonSchema"), config.raw("responseSchema")
    if schema is not None and own is not None:
        raise config.wrong("responseSchema", "expected either responseSchema or responseJsonSchema")
    if mime_type not in {"", _JSON, _TEXT} or (mime_type == _TEXT and (schema is not None or own is not None)):
        members = {"responseMimeType": mime_type, "responseJsonSchema": schema, "responseSchema": own}
        return {key: value for key, value in members.items() if value is not None}
    if own is not None:
        schema = json_schema(own, config.at("responseSchema"))
    if schema is not None:
        result.response_format.json_schema.schema_json = dumped(schema, config.at("responseJsonSchema")).decode()
    elif mime_type == _JSON:
        result.response_format.json_object.SetInParent()
    return {}


def _thinking(config: ProtoFields, result: generate_pb2.GenerateInput) -> tuple[Left, bool]:
    """Reads how much the model shall think; gives what is not modelled, and whether thoughts are shown."""
    thinking = config.inner("thinkingConfig")
    if thinking is None:
        return {}, False
    level, budget = thinking.word("thinkingLevel"), thinking.whole("thinkingBudget", -1)
    shown = thinking.truth("includeThoughts")
    left: Left = {}
    if level in _LEVELS:
        result.reasoning.effort = level.lower()
    elif level:
        raise thinking.wrong("thinkingLevel", "expected one of " + ", ".join(sorted(_LEVELS)))
    if budget == 0 and not level:
        result.reasoning.effort = "none"
    elif budget and budget > 0:
        result.reasoning.budget_tokens = budget
    elif budget is not None:
        left["thinkingBudget"] = budget  # the model decides
    if shown is not None and not result.HasField("reasoning"):
        left["includeThoughts"] = shown
    left |= thinking.present()
    return ({"thinkingConfig": left} if left else {}), bool(shown)
