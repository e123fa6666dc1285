"""Vectors are taken out of the text of an answer while it arrives, wherever it is cut, and however a server writes them."""

from __future__ import annotations

import array
import base64
import json
import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.openai import embeddings
from llm_mesh_dialects.openai.vectors import LONGEST_VECTOR, VectorText
from tests.dialects.embedded import embedded_pieces

VECTORS = [[0.5, -1.25, 3.0], [1e-3, 0.0, 7.5], [2.0, 4.0, -8.0]]


def packed(vector: list[float]) -> str:
    return base64.b64encode(array.array("f", vector).tobytes()).decode()


def body(vectors: list[Any], **more: Any) -> dict[str, Any]:
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    return {"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 3, "total_tokens": 3}, **more}


def singles(vectors: list[list[float]]) -> list[list[float]]:
    return [array.array("f", vector).tolist() for vector in vectors]


FORMS = {
    "compact": orjson.dumps(body(VECTORS)),
    "with blanks": json.dumps(body(VECTORS), indent=2).encode(),
    "base64": orjson.dumps(body([packed(vector) for vector in VECTORS])),
    "base64 with escaped slashes": orjson.dumps(body([packed(vector) for vector in VECTORS])).replace(b"/", rb"\/"),
    "one of each": orjson.dumps(body([VECTORS[0], packed(VECTORS[1]), VECTORS[2]])),
    "whole numbers": json.dumps(body([[1, 2], [3, -4]])).encode(),
    "the key in a key": orjson.dumps({'an "embedding': [1]} | body(VECTORS)),
    "the key in a text": orjson.dumps(body(VECTORS, note='an "embedding": [1] is no vector, nor is "embedding"')),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_may_be_cut_anywhere(form: str) -> None:
    raw = FORMS[form]
    whole, vectors = embedded_pieces([raw], 3)
    assert vectors == ([[1.0, 2.0], [3.0, -4.0]] if form == "whole numbers" else singles(VECTORS))
    assert whole.usage.input_tokens == 3
    for cut in range(len(raw) + 1):
        assert embedded_pieces([raw[:cut], raw[cut:]], 3) == (whole, vectors), cut
    assert embedded_pieces([raw[at : at + 1] for at in range(len(raw))], 3) == (whole, vectors)


@given(st.lists(st.integers(0, 2), min_size=3, max_size=3))
def test_the_order_is_the_indices_where_they_say_one(indices: list[int]) -> None:
    answer = body(VECTORS)
    for entry, index in zip(answer["data"], indices, strict=True):
        entry["index"] = index
    _, vectors = embedded_pieces([orjson.dumps(answer)], 3)
    expected = singles(VECTORS)
    if sorted(indices) == [0, 1, 2]:
        assert [vectors[index] for index in indices] == expected
    else:
        assert vectors == expected


def test_what_servers_in_python_say_is_read() -> None:
    _, vectors = embedded_pieces([b'{"data":[{"embedding":[NaN,Infinity,1]}]}'], 1)
    assert math.isnan(vectors[0][0])
    assert vectors[0][1:] == [math.inf, 1.0]


@pytest.mark.parametrize(
    "wrong",
    [
        b'{"data":[{"embedding":[1,"2"]}]}',
        b'{"data":[{"embedding":[1,null]}]}',
        b'{"data":[{"embedding":[[1,2],[3,4]]}]}',
        b'{"data":[{"embedding":' + b"[" * 100_000 + b"]" * 100_000 + b"}]}",
        b'{"data":[{"embedding":[{"a":1}]}]}',
        b'{"data":[{"embedding":[1,2}]}',
        b'{"data":[{"embedding":"AAAA"}]}',
        b'{"data":[{"embedding":"no base64!"}]}',
        b'{"data":[{"embedding":"#0"}]}',
        b'{"data":[{"embedding":"\\u0023"}]}',
        b'{"data":[{"embedding":7}]}',
        b'{"data":[{"embedding":null}]}',
        b'{"data":[{"embedding":[1' + b"0" * 400 + b"]}]}",
        b'{"data":[{"embedding":[1,2',
        b'{"data":[{"embedding":[1,2]},{"embedding":[1,2,3]}]}',
        b'{"data":[{"embedding":[1]},{"embedding":[2]},{"embedding":[3]}]}',
        b'{"data":[{"embedding":[' + b"1," * LONGEST_VECTOR,
        b'{"data":[{"text":"' + b"x" * 9_000_000,
    ],
    ids=lambda raw: raw[:60].decode(),
)
def test_what_is_no_vector_is_refused_by_its_place(wrong: bytes) -> None:
    with pytest.raises(DialectError, match="data"):
        embedded_pieces([wrong], 2)


def test_a_vector_without_an_end_is_not_read_on() -> None:
    text = VectorText(bytes, 1)
    text.feed(b'{"data":[{"embedding":[', lambda: None)
    for _ in range(LONGEST_VECTOR // 65_536 - 1):
        text.feed(b"1," * 32_768, lambda: None)
    with pytest.raises(DialectError, match="more than"):
        text.feed(b"1," * 65_536, lambda: None)


def test_a_text_that_spells_the_key_otherwise_brings_nobody_elses_vector() -> None:
    raw = rb'{"data":[{"\u0065mbedding":"#5"},{"embedding":[1]}]}'
    _, vectors = embedded_pieces([raw], 2)
    assert vectors == [[1.0]]  # and one vector for two items is no answer


def test_the_text_is_never_there_as_a_whole() -> None:
    """Of a long answer only the piece that has just come is held, and what stands beside the vectors."""
    vector = b"[" + b",".join([b"0.12345678901234567"] * 1_000) + b"]"
    text, held = VectorText(bytes, 500), 0
    text.feed(b'{"data":[', lambda: None)
    for index in range(500):
        text.feed(b'{"embedding":' + vector + b',"index":%d},' % index, lambda: None)
        held = max(held, len(text._text) + len(text._rest))
    assert held < 2 * len(vector)
    assert sum(map(len, text.vectors)) == 500 * 4_000


def test_a_vector_in_many_pieces_is_searched_once() -> None:
    """The number of bytes that are looked at for the end of a vector grows with its length, not with its square."""
    looked = 0

    class Counted(bytearray):
        def find(self, what: bytes, begin: int = 0) -> int:  # type: ignore[override]  # as it is called
            nonlocal looked
            looked += len(self) - begin
            return super().find(what, begin)

    text = VectorText(bytes, 1)
    text._text = Counted()
    raw = b'{"data":[{"embedding":[' + b"1.5," * 20_000 + b"1.5]}]}"
    for at in range(0, len(raw), 100):
        text.feed(raw[at : at + 100], lambda: None)
    assert text.dimensions == 20_001
    assert looked < 3 * len(raw)


@pytest.mark.parametrize("form", ["float", "base64"])
def test_a_body_in_pieces_is_the_whole_body(form: str) -> None:
    output = embed_pb2.EmbedOutput(model="m")
    output.usage.input_tokens = 3
    vectors = [embed_pb2.Embedding(index=index, values=vector) for index, vector in enumerate(VECTORS)]
    whole = embed_pb2.EmbedOutput()
    whole.CopyFrom(output)
    whole.embeddings.extend(vectors)
    writer, steps = embeddings.VectorsWriter(output, base64=form == "base64"), []
    pieces = [
        writer.write(vectors[:1], lambda: steps.append(1)),
        writer.write([], lambda: None),
        writer.write(vectors[1:], lambda: steps.append(1)),
    ]
    written = orjson.loads(writer.begin + b"".join(pieces) + writer.end)
    assert written == embeddings.output_to_body(whole, base64=form == "base64")
    assert len(steps) == 3, "the event loop has the interpreter between two vectors"


@pytest.mark.parametrize(("asked", "packs", "sent"), [
    (None, 1, "base64"), ("float", 1, "base64"), ("base64", 1, "base64"),
    (None, 0, None), ("float", 0, None), ("base64", 0, None),
    ("ubinary", 1, "ubinary"), ("ubinary", 0, "ubinary"),
])  # fmt: skip
def test_a_provider_is_asked_for_base64_whatever_the_client_wants(asked: str | None, packs: int, sent: str | None) -> None:
    wanted = {"model": "m", "input": "a"} | ({"encoding_format": asked} if asked else {})
    written, _ = embeddings.input_to_body(embeddings.body_to_input(wanted), model="m", base64=bool(packs))
    assert written.get("encoding_format") == sent
