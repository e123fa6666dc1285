"""Embeddings: bodies of `POST /model/{id}/invoke` as Amazon's Titan and Cohere's models take and answer them."""

from __future__ import annotations

import array
import sys
from collections.abc import Iterator
from typing import Any, Final

from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.bedrock.allowed import TABLE
from llm_mesh_dialects.bedrock.families import says_nothing
from llm_mesh_dialects.bedrock.vocabulary import DIALECT
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import keep, put_back
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.loose import loose_count
from llm_mesh_dialects.report import Report

_MOST_TEXTS: Final = 96
_KIND: Final = "search_document"
"""What Cohere's models are told that texts are for where the request does not say: it must be said."""
_FLOAT: Final = "float"
_EXPECTED: Final = "expected a list of numbers"


def input_to_body(
    request: embed_pb2.EmbedInput, *, model: str, allowance: Allowance = NOTHING_MORE
) -> tuple[dict[str, Any], list[generate_pb2.Translation]]:
    """The body for a model, and what its translation changed. A name that says nothing of its family is taken for Cohere's."""
    report = Report()
    report.gate = Gate(TABLE, allowance, report)
    texts = [_text(item, f"items[{index}]") for index, item in enumerate(request.items)]
    as_cohere = "cohere." in model or ("titan" not in model and says_nothing(model))
    if as_cohere:
        body = _cohere(request, texts, model, report)
    elif "titan-embed" in model:
        body = _titan(request, texts, model, report)
    else:
        raise DialectError("model", "expected one of Amazon's Titan or Cohere's models: others embed in ways of their own")
    if request.end_user:
        report.dropped("end_user", "the provider takes no id of a user")
    put_back(body, request.extras, DIALECT, report, place="embedding.")
    if as_cohere:
        body.setdefault("input_type", _KIND)
    return body, report.translations


class InvokedAnswer:
    """One answer: everything but its vectors, and these as 32-bit numbers, little-endian."""

    def __init__(self, answer: Fields) -> None:
        self.vectors = [_packed(values, place) for values, place in _lists(answer)]
        self.output = embed_pb2.EmbedOutput()
        tokens = loose_count(answer.raw("inputTextTokenCount"))
        if tokens is not None:
            self.output.usage.input_tokens = tokens
        for echoed in ("texts", "response_type", "embeddingsByType"):
            answer.raw(echoed)
        keep(self.output, DIALECT, {key: value for key, value in answer.rest().items() if value is not None})


def _text(item: embed_pb2.EmbedItem, path: str) -> str:
    if item.WhichOneof("kind") != "text":
        raise DialectError(path, "expected a text: the model takes no tokens")
    return item.text


def _titan(request: embed_pb2.EmbedInput, texts: list[str], model: str, report: Report) -> dict[str, Any]:
    if len(texts) != 1:
        raise DialectError("items", "expected 1 item: the model embeds one text in each request")
    body: dict[str, Any] = {"inputText": texts[0]}
    if "text-v2" in model:
        body["embeddingTypes"] = [_FLOAT]
        if request.dimensions:
            body["dimensions"] = request.dimensions
    elif request.dimensions:
        report.dropped("dimensions", "the model has one length of vectors")
    return body


def _cohere(request: embed_pb2.EmbedInput, texts: list[str], model: str, report: Report) -> dict[str, Any]:
    if len(texts) > _MOST_TEXTS:
        raise DialectError("items", f"expected at most {_MOST_TEXTS} items: the model takes no more in one request")
    body: dict[str, Any] = {"texts": texts, "embedding_types": [_FLOAT]}
    if request.dimensions and "embed-v4" in model:
        body["output_dimension"] = request.dimensions
    elif request.dimensions:
        report.dropped("dimensions", "the model has one length of vectors")
    return body


def _lists(answer: Fields) -> Iterator[tuple[Any, str]]:
    """The vectors, each with its place: one, a list of them, or such a list by type."""
    if answer.peek("embedding") is not None:
        yield answer.raw("embedding"), "embedding"
        return
    place, listed = "embeddings", answer.raw("embeddings")
    if isinstance(listed, dict):
        place, listed = f"embeddings.{_FLOAT}", listed.get(_FLOAT)
    if not isinstance(listed, list):
        raise DialectError(place, "required: expected a list of vectors")
    for index, values in enumerate(listed):
        yield values, f"{place}[{index}]"


def _packed(values: Any, place: str) -> bytes:  # noqa: ANN401 (JSON)
    if not isinstance(values, list) or not values:
        raise DialectError(place, _EXPECTED)
    try:
        numbers: array.array[float] = array.array("f", values)
    except (TypeError, OverflowError):
        raise DialectError(place, _EXPECTED) from None
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()
