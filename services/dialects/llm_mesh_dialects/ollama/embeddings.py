"""Embeddings: bodies of `POST /api/embed`, and its answers, whose vectors were taken out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import as_extras, put_back
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.ollama.allowed import TABLE
from llm_mesh_dialects.ollama.usage import COUNTS, read_usage
from llm_mesh_dialects.ollama.vocabulary import DIALECT
from llm_mesh_dialects.openai.vectors import number_of
from llm_mesh_dialects.report import Report

LISTS = ("embeddings",)
"""The key under which an answer has its vectors."""


def input_to_embed(
    request: embed_pb2.EmbedInput, *, model: str, allowance: Allowance = NOTHING_MORE
) -> tuple[dict[str, Any], list[generate_pb2.Translation]]:
    """The body, and what it lacks of the request."""
    report = Report()
    report.gate = Gate(TABLE, allowance, report)
    body: dict[str, Any] = {"model": model, "input": [_text(item, number) for number, item in enumerate(request.items)]}
    if request.dimensions:
        body["dimensions"] = request.dimensions
    if request.end_user:
        report.dropped("end_user", "the server knows no end users")
    put_back(body, request.extras, DIALECT, report, place="embedding.")
    return body, report.translations


def embed_to_output(body: object, vectors: Sequence[bytes]) -> tuple[embed_pb2.EmbedOutput, list[bytes]]:
    """Everything but the vectors, and these in their order."""
    answer = Fields(body)
    numbers = [number_of(each) for each in answer.items("embeddings")]
    output = embed_pb2.EmbedOutput(model=answer.text("model") or "")
    usage = read_usage(answer.whole_object())
    if usage is not None:
        output.usage.CopyFrom(usage)
    for key in COUNTS:
        answer.raw(key)
    output.extras.extend(as_extras(DIALECT, answer.rest()))
    return output, [vectors[number] for number in numbers if number is not None and number < len(vectors)]


def _text(item: embed_pb2.EmbedItem, number: int) -> str:
    if item.WhichOneof("kind") != "text":
        raise DialectError(f"items[{number}].tokens", "expected a text: the server takes no tokens")
    return item.text
