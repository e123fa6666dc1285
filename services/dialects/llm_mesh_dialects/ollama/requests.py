"""Typed requests, as bodies of `POST /api/chat`. What the dialect cannot say is an error or is reported: nothing is lost silently."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import put_back
from llm_mesh_dialects.ollama.allowed import TABLE
from llm_mesh_dialects.ollama.messages import OllamaMessagesWriter
from llm_mesh_dialects.ollama.options import OPTIONS, options
from llm_mesh_dialects.ollama.thinking import think
from llm_mesh_dialects.ollama.tools import answer_form, tools
from llm_mesh_dialects.ollama.vocabulary import DIALECT
from llm_mesh_dialects.report import Report

_RESERVED: Final = frozenset({"model", "messages", "tools", "format", "stream", "logprobs", "top_logprobs"})
"""Typed fields win over extras, also where they are unset: an extra must not change what was admitted."""


def input_to_chat(
    request: generate_pb2.GenerateInput, *, model: str, stream: bool, max_output_tokens: int = 0, allowance: Allowance = NOTHING_MORE
) -> tuple[dict[str, Any], list[generate_pb2.Translation]]:
    """The body, and what it lacks of the request. `max_output_tokens` is the limit to send; 0 means the request's own."""
    report = Report()
    report.gate = Gate(TABLE, allowance, report)
    body: dict[str, Any] = {"model": model, "messages": OllamaMessagesWriter(report).written(request.messages), "stream": stream}
    if not body["messages"]:
        raise DialectError("messages", "expected at least one message")
    if offered := tools(request, report):
        body["tools"] = offered
    form = answer_form(request.response_format, report)
    if form is not None:
        body["format"] = form
    think(body, request.reasoning, model, report)
    if request.HasField("logprobs"):
        body["logprobs"] = True
        if request.logprobs.top:
            body["top_logprobs"] = request.logprobs.top
    if chosen := options(request, max_output_tokens or request.max_output_tokens, report):
        body[OPTIONS] = chosen
    _leave_out(request, report)
    _extras(body, request, report)
    return body, report.translations


def _leave_out(request: generate_pb2.GenerateInput, report: Report) -> None:
    if request.candidate_count > 1:
        report.dropped("candidate_count", "there is one answer")
    if request.prompt_cache_key:
        report.dropped("prompt_cache_key", "the server caches prefixes by itself")
    if request.end_user:
        report.dropped("end_user", "the server knows no end users")
    if any(each != "text" for each in request.modalities):
        report.dropped("modalities", "answers are texts")


def _extras(body: dict[str, Any], request: generate_pb2.GenerateInput, report: Report) -> None:
    own_keys = [extra for extra in request.extras if extra.dialect == DIALECT]
    reserved = [extra for extra in own_keys if extra.key in _RESERVED or extra.key.startswith(f"{OPTIONS}.")]
    for extra in reserved:
        report.dropped(f"extras[{DIALECT}.{extra.key}]", "the typed payload has a field for it")
    own = [extra for extra in request.extras if extra not in reserved and (extra.dialect, extra.key) != (DIALECT, OPTIONS)]
    put_back(body, own, DIALECT, report)
