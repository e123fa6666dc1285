"""Reranking: OpenAI has none, and servers of its dialect took over the forms of Jina, of Voyage, and of Hugging Face's TEI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from llm_mesh.inference.v1 import generate_pb2, rerank_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import as_extras, put_back
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.loose import loose_count
from llm_mesh_dialects.openai.allowed import TABLE
from llm_mesh_dialects.openai.quirks import OPENAI
from llm_mesh_dialects.openai.usage import read_usage
from llm_mesh_dialects.openai.vocabulary import DIALECT
from llm_mesh_dialects.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankForm:
    """How one kind of server writes it."""

    path: str = "/rerank"
    at_origin: bool = False
    documents: str = "documents"
    top: str = "top_n"
    """Empty: it answers all, and the mesh cuts."""
    cut: str = ""
    """The key that says that documents are cut at a number of tokens. Empty: there is none."""
    results: str = "results"
    """Empty: the answer is the list."""
    score: str = "relevance_score"
    model: bool = True
    """The request names the model."""
    fixed: Mapping[str, Any] = field(default_factory=dict)


JINA: Final = RerankForm(fixed=MappingProxyType({"return_documents": False}))
"""Jina, Together and vLLM."""
VLLM: Final = RerankForm(cut="truncate_prompt_tokens")
VOYAGE: Final = RerankForm(top="top_k", results="data")
TEI: Final = RerankForm(at_origin=True, documents="texts", top="", results="", score="score", model=False)
FORMS: Final[Mapping[str, RerankForm]] = MappingProxyType({"jina": JINA, "vllm": VLLM, "voyage": VOYAGE, "tei": TEI})


def input_to_body(
    request: rerank_pb2.RerankInput, form: RerankForm, *, model: str, allowance: Allowance = NOTHING_MORE
) -> tuple[dict[str, Any], list[generate_pb2.Translation]]:
    """The typed payload to a provider's body."""
    report = Report()
    report.gate = Gate(TABLE, allowance, report)
    body: dict[str, Any] = {"model": model} if form.model else {}
    body |= {"query": request.query, form.documents: [document.text for document in request.documents]}
    if request.top_n and form.top:
        body[form.top] = min(request.top_n, len(request.documents))
    if request.max_tokens_per_document and form.cut:
        body[form.cut] = request.max_tokens_per_document
    elif request.max_tokens_per_document:
        report.dropped("max_tokens_per_document", "the provider cuts documents at a length of its own")
    if request.end_user:
        report.dropped("end_user", "the provider takes no user with a reranking")
    body |= form.fixed
    put_back(body, request.extras, DIALECT, report, place="rerank.")
    return body, report.translations


def body_into_output(body: object, request: rerank_pb2.RerankInput, form: RerankForm, output: rerank_pb2.RerankOutput) -> None:
    """A provider's answer to the typed payload: the best first, whatever its order was."""
    fields = Fields({"list": body} if not form.results else body)
    results = [_result(each, form, len(request.documents)) for each in fields.each(form.results or "list")]
    if len({each.index for each in results}) < len(results):
        raise DialectError(form.results, "expected each document once")
    results.sort(key=lambda each: (-each.score, each.index))
    output.results.extend(results[: request.top_n or None])
    output.id = fields.text("id") or ""
    output.model = fields.text("model") or ""
    usage = fields.raw("usage")
    if isinstance(usage, dict):
        _usage(usage, output)
    fields.raw("object")
    output.extras.extend(as_extras(DIALECT, fields.rest()))


def _result(fields: Fields, form: RerankForm, documents: int) -> rerank_pb2.RerankResult:
    index, score = fields.whole("index", 0, documents - 1), fields.number(form.score)
    if index is None or score is None:
        raise fields.wrong("index" if index is None else form.score, "required: expected a number")
    return rerank_pb2.RerankResult(index=index, score=score)


def _usage(usage: dict[str, Any], output: rerank_pb2.RerankOutput) -> None:
    """These servers count all tokens as one sum, which is input: nothing is written."""
    output.usage.CopyFrom(read_usage(usage, OPENAI))
    if total := loose_count(usage.get("total_tokens")):
        output.usage.input_tokens = max(output.usage.input_tokens, total)
