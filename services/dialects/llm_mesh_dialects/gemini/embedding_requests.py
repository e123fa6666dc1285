"""Embeddings as clients ask for them: `:embedContent` for one text, `:batchEmbedContents` for several."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import orjson

from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_dialects.extras import as_extras, put_back
from llm_mesh_dialects.gemini.proto_fields import ProtoFields
from llm_mesh_dialects.gemini.requests.reading import check_model, read_spelled
from llm_mesh_dialects.gemini.vocabulary import DIALECT

_MOST_ITEMS: Final = 2_048
_INT32: Final = 2**31 - 1
_CONFIG: Final = "embedContentConfig"


def single_to_input(body: dict[str, Any], *, model: str) -> embed_pb2.EmbedInput:
    """The typed payload of a body with one text; raises `DialectError` where the body is wrong."""
    made: embed_pb2.EmbedInput = read_spelled(body, lambda fields: _input([_Item(fields, model)], {}, model))
    return made


def batch_to_input(body: dict[str, Any], *, model: str) -> embed_pb2.EmbedInput:
    """Likewise of one with several, which must be alike in all but their texts."""
    made: embed_pb2.EmbedInput = read_spelled(body, lambda fields: _batch(fields, model))
    return made


class GeminiVectorsWriter:
    """Writes a client's body in pieces. `single`: the body has one vector, and no list."""

    def __init__(self, output: embed_pb2.EmbedOutput, *, single: bool) -> None:
        beside: dict[str, Any] = {}
        if output.HasField("usage"):
            counts = {"promptTokenCount": output.usage.input_tokens, "totalTokenCount": output.usage.input_tokens}
            put_back(counts, output.usage.extras, DIALECT)
            beside["usageMetadata"] = counts
        put_back(beside, output.extras, DIALECT)
        rest = orjson.dumps(beside)[1:]
        self.begin = b'{"embedding":' if single else b'{"embeddings":['
        """What stands before the vectors."""
        self.end = (b"" if single else b"]") + (b"," if beside else b"") + rest
        """What stands behind them."""
        self._between = b""

    def write(self, embeddings: Iterable[embed_pb2.Embedding], step: Callable[[], None]) -> bytes:
        """Some vectors, in their order. `step` is called after each."""
        pieces: list[bytes] = []
        for each in embeddings:
            pieces += self._between, orjson.dumps({"values": list(each.values)})
            self._between = b","
            step()
        return b"".join(pieces)


class _Item:
    """One text, and what is asked of its vector."""

    def __init__(self, fields: ProtoFields, model: str) -> None:
        check_model(fields, model)
        self.text = _text(fields.required("content"))
        self.dimensions = fields.whole("outputDimensionality", 1, _INT32) or 0
        config = fields.inner(_CONFIG)
        options = {} if config is None else config.whole_object()
        if config is not None and "outputDimensionality" in options:
            self.dimensions = config.whole("outputDimensionality", 1, _INT32) or 0
        self.options = fields.present() | {
            key: value for key, value in options.items() if value is not None and key != "outputDimensionality"
        }


def _batch(fields: ProtoFields, model: str) -> embed_pb2.EmbedInput:
    requests = fields.items("requests")
    if not 1 <= len(requests) <= _MOST_ITEMS:
        raise fields.wrong("requests", f"required: expected a list of at most {_MOST_ITEMS} requests")
    items = []
    for each in fields.each("requests"):
        items.append(_Item(each, model))
        for key in sorted(items[0].options.keys() | items[-1].options.keys()):
            if items[0].options.get(key) != items[-1].options.get(key):
                raise each.wrong(key, "expected the same in all requests of a batch")
        if items[0].dimensions != items[-1].dimensions:
            raise each.wrong("outputDimensionality", "expected the same in all requests of a batch")
    return _input(items, fields.present(), model)


def _input(items: list[_Item], beside: dict[str, Any], model: str) -> embed_pb2.EmbedInput:
    return embed_pb2.EmbedInput(
        model=model,
        items=[embed_pb2.EmbedItem(text=each.text) for each in items],
        dimensions=items[0].dimensions,
        source_dialect=DIALECT,
        extras=as_extras(DIALECT, items[0].options | beside),
    )


def _text(content: ProtoFields) -> str:
    parts = list(content.each("parts"))
    if len(parts) != 1:
        raise content.wrong("parts", "expected one part with a text")
    return parts[0].required_text("text")
