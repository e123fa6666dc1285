"""Reranking: bodies of `POST /v2/rerank`, and its answers. The provider bills searches: a query over up to 100 documents is one."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import generate_pb2, rerank_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.cohere.allowed import TABLE
from llm_mesh_dialects.cohere.usage import read_usage
from llm_mesh_dialects.cohere.vocabulary import DIALECT
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import as_extras, put_back
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.report import Report


def input_to_rerank(
    request: rerank_pb2.RerankInput, *, model: str, allowance: Allowance = NOTHING_MORE
) -> tuple[dict[str, Any], list[generate_pb2.Translation]]:
    """The body, and what it lacks of the request."""
    report = Report()
    report.gate = Gate(TABLE, allowance, report)
    body: dict[str, Any] = {"model": model, "query": request.query, "documents": [each.text for each in request.documents]}
    if request.top_n:
        body["top_n"] = min(request.top_n, len(request.documents))
    if request.max_tokens_per_document:
        body["max_tokens_per_doc"] = request.max_tokens_per_document
    if request.end_user:
        report.dropped("end_user", "the provider knows no end users")
    put_back(body, request.extras, DIALECT, report, place="rerank.")
    return body, report.translations


def rerank_into_output(body: object, request: rerank_pb2.RerankInput, output: rerank_pb2.RerankOutput) -> None:
    """Writes an answer: the best document first, whatever the provider's order was."""
    answer = Fields(body)
    results = [_result(each, len(request.documents)) for each in answer.each("results")]
    if len({each.index for each in results}) < len(results):
        raise DialectError("results", "expected each document once")
    results.sort(key=lambda each: (-each.score, each.index))
    output.results.extend(results[: request.top_n or None])
    output.id = answer.text("id") or ""
    usage = read_usage(answer.raw("meta"))
    if usage is not None:
        output.usage.CopyFrom(usage)
    output.extras.extend(as_extras(DIALECT, answer.rest()))


def _result(fields: Fields, documents: int) -> rerank_pb2.RerankResult:
    index, score = fields.whole("index", 0, documents - 1), fields.number("relevance_score")
    if index is None or score is None:
        raise fields.wrong("index" if index is None else "relevance_score", "required: expected a number")
    return rerank_pb2.RerankResult(index=index, score=score)
