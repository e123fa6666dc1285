"""Embeddings: bodies of `POST /v2/embed`, and its answers, whose vectors were taken out.

The provider must be told what vectors are for. A request says it by its extra `input_type`; what says nothing is a text to be searched
in, as the texts of a corpus are: a query that is embedded so finds less well, and the answer reports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.cohere.allowed import TABLE
from llm_mesh_dialects.cohere.usage import read_usage
from llm_mesh_dialects.cohere.vocabulary import DIALECT
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import as_extras, put_back
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai.vectors import number_of
from llm_mesh_dialects.report import Report

LISTS: Final = ("float", "base64")
"""The keys under which an answer has its vectors."""
INPUT_TYPE: Final = "search_document"
"""What vectors are for, where neither the request nor the operator says."""
_KEY: Final = "input_type"
_MOST: Final = 96
_RESERVED: Final = frozenset({"model", "texts", "images", "inputs", "embedding_types", "output_dimension"})


def input_to_embed(
    request: embed_pb2.EmbedInput, *, model: str, input_type: str = INPUT_TYPE, allowance: Allowance = NOTHING_MORE
) -> tuple[dict[str, Any], list[generate_pb2.Translation]]:
    """The body, and what it lacks of the request."""
    report = Report()
    report.gate = Gate(TABLE, allowance, report)
    if len(request.items) > _MOST:
        raise DialectError("items", f"expected at most {_MOST} texts: the provider takes no more at once")
    texts = [_text(item, number) for number, item in enumerate(request.items)]
    body: dict[str, Any] = {"texts": texts, "model": model, "embedding_types": ["float"]}
    if request.dimensions:
        body["output_dimension"] = request.dimensions
    if request.end_user:
        report.dropped("end_user", "the provider knows no end users")
    reserved = [extra for extra in request.extras if extra.dialect == DIALECT and extra.key in _RESERVED]
    for extra in reserved:
        report.dropped(f"extras[{DIALECT}.{extra.key}]", "the typed payload has a field for it")
    put_back(body, [extra for extra in request.extras if extra not in reserved], DIALECT, report, place="embedding.")
    if _KEY not in body:
        body[_KEY] = input_type
        report.approximated(f"extras[{DIALECT}.{_KEY}]", f"the request does not say what the vectors are for: {input_type}")
    return body, report.translations


def embed_to_output(body: object, vectors: Sequence[bytes]) -> tuple[embed_pb2.EmbedOutput, list[bytes]]:
    """Everything but the vectors, and these in their order."""
    answer = Fields(body)
    lists = answer.required("embeddings")
    numbers = [number_of(each) for key in LISTS for each in lists.items(key)]
    output = embed_pb2.EmbedOutput()
    usage = read_usage(answer.raw("meta"))
    if usage is not None:
        output.usage.CopyFrom(usage)
    answer.raw("texts")  # the caller's own
    output.extras.extend(as_extras(DIALECT, {key: value for key, value in answer.rest().items() if value is not None}))
    return output, [vectors[number] for number in numbers if number is not None and number < len(vectors)]


def _text(item: embed_pb2.EmbedItem, number: int) -> str:
    if item.WhichOneof("kind") != "text":
        raise DialectError(f"items[{number}].tokens", "expected a text: the provider takes no tokens")
    return item.text
