"""Embeddings, in all four directions."""

from __future__ import annotations

import array
import sys
from typing import Any

from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import kept, put_back
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai import media
from llm_mesh_dialects.openai.allowed import TABLE
from llm_mesh_dialects.openai.quirks import OPENAI, Quirks
from llm_mesh_dialects.openai.usage import read_usage
from llm_mesh_dialects.openai.vocabulary import DIALECT
from llm_mesh_dialects.report import Report

_MOST_ITEMS = 2_048
_INT32 = 2**31 - 1
_EXPECTED = "expected a string, a list of strings, or token ids"


def body_to_input(body: dict[str, Any]) -> embed_pb2.EmbedInput:
    """A client's body to the typed payload."""
    fields = Fields(body)
    return embed_pb2.EmbedInput(
        model=fields.required_text("model"),
        items=_items(fields),
        dimensions=fields.whole("dimensions", 1, _INT32) or 0,
        end_user=fields.text("user") or "",
        source_dialect=DIALECT,
        extras=kept(DIALECT, fields.rest()),
    )


def input_to_body(
    request: embed_pb2.EmbedInput, *, model: str, allowance: Allowance = NOTHING_MORE
) -> tuple[dict[str, Any], list[generate_pb2.Translation]]:
    """The typed payload to a provider's body. Raises `CostlyError` for what `allowance` does not let through."""
    report = Report()
    report.gate = Gate(TABLE, allowance, report)
    texts = [item.text if item.WhichOneof("kind") == "text" else list(item.tokens.ids) for item in request.items]
    body: dict[str, Any] = {"model": model, "input": texts}
    if request.dimensions:
        body["dimensions"] = request.dimensions
    if request.end_user:
        body["user"] = request.end_user
    put_back(body, request.extras, DIALECT, report, place="embedding.")
    return body, report.translations


def body_to_output(body: dict[str, Any], quirks: Quirks = OPENAI) -> embed_pb2.EmbedOutput:
    """A provider's body to the typed payload."""
    fields = Fields(body)
    found = [_embedding(each, place) for place, each in enumerate(fields.each("data"))]
    found.sort(key=lambda each: each.index)
    fields.raw("object")
    result = embed_pb2.EmbedOutput(model=fields.text("model") or "", embeddings=found)
    usage = fields.raw("usage")
    if usage is not None:
        result.usage.CopyFrom(read_usage(usage, quirks))
    result.extras.extend(kept(DIALECT, fields.rest()))
    return result


def output_to_body(output: embed_pb2.EmbedOutput, *, model: str = "", base64: bool = False) -> dict[str, Any]:
    """The typed payload to a client's body."""
    data = [
        {"object": "embedding", "index": each.index, "embedding": _base64(each) if base64 else list(each.values)}
        for each in output.embeddings
    ]
    body: dict[str, Any] = {"object": "list", "data": data, "model": model or output.model}
    if output.HasField("usage"):
        used = output.usage.input_tokens
        usage: dict[str, Any] = {"prompt_tokens": used, "total_tokens": used + output.usage.output_tokens}
        put_back(usage, output.usage.extras, DIALECT)
        body["usage"] = usage
    put_back(body, output.extras, DIALECT)
    return body


def _items(fields: Fields) -> list[embed_pb2.EmbedItem]:
    given = fields.raw("input")
    if isinstance(given, str) or (isinstance(given, list) and given and all(type(each) is int for each in given)):
        given = [given]
    if not isinstance(given, list) or not 1 <= len(given) <= _MOST_ITEMS:
        raise fields.wrong("input", f"required: {_EXPECTED}; at most {_MOST_ITEMS} items")
    return [_item(each, f"{fields.at('input')}[{index}]") for index, each in enumerate(given)]


def _item(given: object, path: str) -> embed_pb2.EmbedItem:
    if isinstance(given, str):
        return embed_pb2.EmbedItem(text=given)
    if isinstance(given, list) and given and all(type(each) is int and 0 <= each <= _INT32 for each in given):
        return embed_pb2.EmbedItem(tokens=embed_pb2.TokenIds(ids=given))
    raise DialectError(path, _EXPECTED)


def _embedding(fields: Fields, place: int) -> embed_pb2.Embedding:
    index = fields.whole("index", 0, _INT32)
    value = fields.raw("embedding")
    if isinstance(value, str):
        raw = media.decoded(value, fields.at("embedding"))
        if len(raw) % 4:
            raise fields.wrong("embedding", "expected base64 of 32-bit numbers")
        numbers = array.array("f", raw)
        if sys.byteorder == "big":
            numbers.byteswap()
        value = numbers.tolist()
    if not isinstance(value, list) or not all(isinstance(each, int | float) for each in value):
        raise fields.wrong("embedding", "expected a list of numbers, or base64")
    return embed_pb2.Embedding(index=place if index is None else index, values=value)


def _base64(each: embed_pb2.Embedding) -> str:
    numbers = array.array("f", each.values)
    if sys.byteorder == "big":
        numbers.byteswap()
    return media.encoded(numbers.tobytes())
