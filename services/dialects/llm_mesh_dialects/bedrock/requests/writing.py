"""From the typed payload to a provider's body of `POST /model/{id}/converse`, `/converse-stream` and `/count-tokens`.

What the model cannot take is left out or replaced by the nearest thing, and reported, unless it says what happens anyway, such as
a penalty of 0. Fields of the typed payload win over extras.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.bedrock import families
from llm_mesh_dialects.bedrock.allowed import TABLE
from llm_mesh_dialects.bedrock.requests.messages_writing import MessagesWriter
from llm_mesh_dialects.bedrock.requests.sampling_writing import leave_out, sample, stop
from llm_mesh_dialects.bedrock.requests.thinking_writing import reasoning
from llm_mesh_dialects.bedrock.requests.tools_writing import ToolsWriter
from llm_mesh_dialects.bedrock.vocabulary import DIALECT
from llm_mesh_dialects.extras import put_back
from llm_mesh_dialects.report import Report

_FIELDS: Final = "additionalModelRequestFields"
_COUNTED: Final = frozenset({"messages", "system", "toolConfig", _FIELDS})
# Typed fields win, also where they are unset: an extra must not raise what was admitted and reserved.
_RESERVED: Final = frozenset({"messages", "system", "toolConfig", "inferenceConfig", "modelId"})


class Converse(NamedTuple):
    """A body, what its translation changed, and the whole names of tools whose names were shortened."""

    body: dict[str, Any]
    translations: list[generate_pb2.Translation]
    tool_names: Mapping[str, str]


def input_to_converse(
    request: generate_pb2.GenerateInput,
    *,
    model: str,
    max_output_tokens: int = 0,
    allowance: Allowance = NOTHING_MORE,
    guardrail: Mapping[str, Any] | None = None,
) -> Converse:
    """The body of a request to `model`. `max_output_tokens` is the limit to send; 0 means the request's own.

    `guardrail` is what the endpoint's operator screens all requests with. Raises `CostlyError` and `MediaAddressError` for what
    `allowance` does not let through.
    """
    report = Report()
    report.gate = Gate(TABLE, allowance, report)
    family = families.of_model(model)
    conversation = MessagesWriter(family, report)
    conversation.write(request.messages)
    limit = max_output_tokens or request.max_output_tokens
    config: dict[str, Any] = {"maxTokens": limit} if limit else {}
    body: dict[str, Any] = {"messages": [], "inferenceConfig": config}
    fields: dict[str, Any] = {}
    tools = ToolsWriter(family, report, conversation.blocks)
    if (defined := tools.config(request)) is not None:
        body["toolConfig"] = defined
    reasoning(body, fields, request, family, conversation, report)
    instruction = tools.response_format(body, request.response_format, own=request.source_dialect == DIALECT)
    if instruction:
        conversation.system.append({"text": instruction})
    conversation.into(body)
    sample(config, fields, request, family, report)
    stop(config, request, family, report)
    leave_out(request, family, fields, report)
    if guardrail:
        body["guardrailConfig"] = dict(guardrail)
    if fields:
        body[_FIELDS] = fields
    if not config:
        del body["inferenceConfig"]
    _extras(body, request, report)
    return Converse(body, report.translations, conversation.blocks.names.whole)


def input_to_count(request: generate_pb2.GenerateInput, *, model: str, allowance: Allowance = NOTHING_MORE) -> dict[str, Any]:
    """The body of a count: what has tokens, and nothing else."""
    body = input_to_converse(request, model=model, allowance=allowance).body
    return {"input": {"converse": {key: value for key, value in body.items() if key in _COUNTED}}}


def _extras(body: dict[str, Any], request: generate_pb2.GenerateInput, report: Report) -> None:
    taken = {extra.key for extra in request.extras if extra.dialect == DIALECT} & (
        _RESERVED | ({"guardrailConfig"} if "guardrailConfig" in body else set())
    )
    for key in sorted(taken):
        report.dropped(f"extras[{DIALECT}.{key}]", "the request or the operator says so already")
    rest = [extra for extra in request.extras if extra.dialect != DIALECT or extra.key not in taken]
    put_back(body, rest, DIALECT, report)
