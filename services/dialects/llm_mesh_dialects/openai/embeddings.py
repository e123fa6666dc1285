"""Embeddings, in all four directions."""

from __future__ import annotations

import array
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import orjson

from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import as_extras, put_back
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.loose import loose_count
from llm_mesh_dialects.openai import media
from llm_mesh_dialects.openai.allowed import TABLE
from llm_mesh_dialects.openai.quirks import OPENAI, OpenAIQuirks
from llm_mesh_dialects.openai.tiers import TIER, served_tier
from llm_mesh_dialects.openai.usage import read_usage
from llm_mesh_dialects.openai.vectors import number_of
from llm_mesh_dialects.openai.vocabulary import DIALECT
from llm_mesh_dialects.report import Report

_MOST_ITEMS = 2_048
_INT32 = 2**31 - 1
_EXPECTED = "expected a string, a list of strings, or token ids"
_FORMS: Final = (None, "float", "base64")
"""How the same vectors can be written."""
_NO_DATA: Final = b'"data":[]'


def body_to_input(body: dict[str, Any]) -> embed_pb2.EmbedInput:
    """A client's body to the typed payload."""
    fields = Fields(body)
    return embed_pb2.EmbedInput(
        model=fields.required_text("model"),
        items=_items(fields),
        dimensions=fields.whole("dimensions", 1, _INT32) or 0,
        end_user=fields.text("user") or "",
        source_dialect=DIALECT,
        extras=as_extras(DIALECT, fields.rest()),
    )


def input_to_body(
    request: embed_pb2.EmbedInput, quirks: OpenAIQuirks = OPENAI, *, model: str, allowance: Allowance = NOTHING_MORE, base64: bool = False
) -> tuple[dict[str, Any], list[generate_pb2.Translation]]:
    """The typed payload to a provider's body. Raises `CostlyError` for what `allowance` does not let through.

    How vectors are written on the way from the provider is the mesh's own affair: a third of the bytes in `base64`, else as that server
    does it unasked. A form with another meaning, such as one bit per number, is the caller's.
    """
    report = Report()
    report.gate = Gate(TABLE, allowance, report)
    texts = [item.text if item.WhichOneof("kind") == "text" else list(item.tokens.ids) for item in request.items]
    body: dict[str, Any] = {"model": model, "input": texts}
    if request.dimensions:
        body[quirks.dimensions] = request.dimensions
    if request.end_user:
        body["user"] = request.end_user
    put_back(body, request.extras, DIALECT, report, place="embedding.")
    if body.get("encoding_format") in _FORMS:
        body.pop("encoding_format", None)
        if base64:
            body["encoding_format"] = "base64"
    return body, report.translations


def body_to_output(
    body: dict[str, Any], vectors: Sequence[bytes], quirks: OpenAIQuirks = OPENAI
) -> tuple[embed_pb2.EmbedOutput, list[bytes]]:
    """A provider's body, whose vectors `VectorText` has taken out, to the typed payload without vectors; and these in their order."""
    fields = Fields(body)
    ordered = _ordered([_place(each) for each in fields.each("data")], vectors)
    fields.raw("object")
    result = embed_pb2.EmbedOutput(model=fields.text("model") or "")
    usage = fields.raw("usage")
    if usage is not None:
        result.usage.CopyFrom(read_usage(usage, quirks))
        if not result.usage.input_tokens and isinstance(usage, dict):  # Voyage tells the sum alone, which is all input
            result.usage.input_tokens = loose_count(usage.get("total_tokens")) or 0
        result.usage.service_tier = served_tier(fields.peek(TIER))
    result.extras.extend(as_extras(DIALECT, fields.rest()))
    return result, ordered


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


class VectorsWriter:
    """Writes a client's body in pieces, for answers whose text is too large to be there as a whole."""

    def __init__(self, output: embed_pb2.EmbedOutput, *, base64: bool) -> None:
        body = orjson.dumps(output_to_body(output))
        self.begin, self.end = body.split(_NO_DATA, 1)
        """What stands before the list of vectors, its bracket included, and behind it."""
        self.begin += _NO_DATA[:-1]
        self.end = b"]" + self.end
        self._base64 = base64
        self._between = b""

    def write(self, embeddings: Iterable[embed_pb2.Embedding], step: Callable[[], None]) -> bytes:
        """Some vectors, in their order. `step` is called after each."""
        pieces: list[bytes] = []
        for each in embeddings:
            value = _base64(each) if self._base64 else list(each.values)
            pieces += self._between, orjson.dumps({"object": "embedding", "index": each.index, "embedding": value})
            self._between = b","
            step()
        return b"".join(pieces)


def _items(fields: Fields) -> list[embed_pb2.EmbedItem]:
    items = fields.raw("input")
    if isinstance(items, str) or (isinstance(items, list) and items and all(type(each) is int for each in items)):
        items = [items]
    if not isinstance(items, list) or not 1 <= len(items) <= _MOST_ITEMS:
        raise fields.wrong("input", f"required: {_EXPECTED}; at most {_MOST_ITEMS} items")
    return [_item(each, f"{fields.at('input')}[{index}]") for index, each in enumerate(items)]


def _item(item: object, path: str) -> embed_pb2.EmbedItem:
    if isinstance(item, str):
        return embed_pb2.EmbedItem(text=item)
    if isinstance(item, list) and item and all(type(each) is int and 0 <= each <= _INT32 for each in item):
        return embed_pb2.EmbedItem(tokens=embed_pb2.TokenIds(ids=item))
    raise DialectError(path, _EXPECTED)


def _place(fields: Fields) -> tuple[int | None, int]:
    """The index that a provider gives a vector, and the vector's number."""
    number = number_of(fields.raw("embedding"))
    if number is None:
        raise fields.wrong("embedding", "expected a list of numbers, or base64")
    return fields.whole("index", 0, _INT32), number


def _ordered(places: list[tuple[int | None, int]], vectors: Sequence[bytes]) -> list[bytes]:
    """By the provider's indices; as they came where these are absent, or do not say the order: some servers give each the same."""
    if sorted(-1 if index is None else index for index, _ in places) == list(range(len(places))):
        places.sort(key=lambda each: each[0] or 0)
    return [vectors[number] for _, number in places if number < len(vectors)]


def _base64(each: embed_pb2.Embedding) -> str:
    numbers = array.array("f", each.values)
    if sys.byteorder == "big":
        numbers.byteswap()
    return media.encoded(numbers.tobytes())
