"""The rows that rerank: Voyage as its own library asks, and Jina, vLLM and TEI in their own forms; and Voyage's vectors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llm_mesh.inference.v1 import content_pb2, embed_pb2, rerank_pb2
from llm_mesh_adapter_kit.dialect import Ask, Call
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.methods import AnsweredMethod
from llm_mesh_adapter_openai.provider.dialect import OpenAIDialect
from llm_mesh_adapter_openai.provider.methods import OpenAIMethods
from llm_mesh_adapter_openai.provider.overrides import configured
from llm_mesh_adapter_openai.provider.rows import ROWS
from llm_mesh_runtime.secret import Secret
from tests.sdk_requests.recordings import recorded

VOYAGE = recorded("voyageai")
TABLE = configured({}, {row.key: Secret("key") for row in ROWS if row.key}, {}, max_in_flight=1)
RERANK = OpenAIMethods(TABLE.rows).all()["Rerank"]
DIALECT = OpenAIDialect(TABLE.rows)
USUAL = {"truncation": True, "top_k": None, "input_type": None, "output_dtype": None, "output_dimension": None}
"""What Voyage's library says although it is what happens anyway."""


def endpoint(name: str) -> Endpoint:
    return next(each for each in TABLE.endpoints if each.name == name)


def asking(**more: Any) -> rerank_pb2.RerankInput:
    return rerank_pb2.RerankInput(query="snow", documents=[rerank_pb2.RerankDocument(text=each) for each in ("white", "green")], **more)


def extra(key: str, value: object) -> content_pb2.Extra:
    return content_pb2.Extra(dialect="openai", key=key, json=json.dumps(value).encode())


def sent(name: str, call: Call) -> tuple[str, dict[str, Any]]:
    return endpoint(name).url(call.path, at_origin=call.at_origin), json.loads(call.body)


def by_library(case: str) -> dict[str, Any]:
    body = VOYAGE[case]["body"]
    return {key: value for key, value in body.items() if key not in USUAL or USUAL[key] != value}


@pytest.mark.parametrize(("case", "more"), [("rerank", {"top_n": 1}), ("rerank_all", {"extras": [extra("truncation", value=False)]})])
def test_voyage_is_asked_to_rank_as_its_library_asks(case: str, more: dict[str, Any]) -> None:
    url, body = sent("voyage", RERANK.call(Ask(endpoint=endpoint("voyage"), model="rerank-2.5"), asking(**more)))
    assert (url, body) == ("https://api.voyageai.com/v1" + VOYAGE[case]["path"], by_library(case))


@pytest.mark.parametrize(
    ("case", "texts", "more"),
    [
        ("embed", ("one", "two"), {"dimensions": 256, "extras": [extra("input_type", "document")]}),
        ("embed_plain", ("one",), {}),
    ],
)
def test_voyage_is_asked_for_vectors_as_its_library_asks(case: str, texts: tuple[str, ...], more: dict[str, Any]) -> None:
    items = [embed_pb2.EmbedItem(text=each) for each in texts]
    ask = Ask(endpoint=endpoint("voyage"), model="voyage-3.5", packed=True)
    url, body = sent("voyage", DIALECT.embed(ask, embed_pb2.EmbedInput(items=items, **more)))
    assert (url, body) == ("https://api.voyageai.com/v1" + VOYAGE[case]["path"], by_library(case))


def test_the_sum_that_voyage_tells_of_its_vectors_is_input() -> None:
    answer = {"object": "list", "data": [{"embedding": [0.5], "index": 0}], "model": "voyage-3.5", "usage": {"total_tokens": 7}}
    reader = DIALECT.vectors(endpoint("voyage"), 1)
    reader.feed(json.dumps(answer).encode())
    assert reader.finish()[0].usage.input_tokens == 7


@pytest.mark.parametrize(
    ("name", "url", "body"),
    [
        ("jina", "https://api.jina.ai/v1/rerank",
         {"model": "m", "query": "snow", "documents": ["white", "green"], "top_n": 1, "return_documents": False}),
        ("vllm", "http://127.0.0.1:8000/v1/rerank", {"model": "m", "query": "snow", "documents": ["white", "green"], "top_n": 1}),
        ("tei", "http://127.0.0.1:8085/rerank", {"query": "snow", "texts": ["white", "green"]}),
    ],
)  # fmt: skip
def test_each_server_is_asked_in_its_own_form(name: str, url: str, body: dict[str, Any]) -> None:
    call = RERANK.call(Ask(endpoint=endpoint(name), model="m"), asking(top_n=1))
    assert sent(name, call) == (url, body)


@pytest.mark.parametrize(
    ("name", "answer", "tokens"),
    [
        ("jina", {"model": "m", "results": [{"index": 0, "relevance_score": 0.1}, {"index": 1, "relevance_score": 0.9}],
                  "usage": {"total_tokens": 9}}, 9),
        ("vllm", {"id": "r", "model": "m", "results": [{"index": 1, "relevance_score": 0.9, "document": {"text": "green"}}],
                  "usage": {"total_tokens": 9}}, 9),
        ("voyage", {"object": "list", "data": [{"index": 1, "relevance_score": 0.9}], "model": "m", "usage": {"total_tokens": 9}}, 9),
        ("tei", [{"index": 0, "score": 0.1}, {"index": 1, "score": 0.9}], 0),
    ],
)  # fmt: skip
def test_each_servers_answer_is_read_best_first_with_its_tokens(name: str, answer: object, tokens: int) -> None:
    output = rerank_pb2.RerankOutput()
    said = AnsweredMethod(endpoint(name), "m", json.dumps(answer).encode(), "application/json")
    RERANK.read(said, asking(top_n=1), output)
    assert [(each.index, each.score) for each in output.results] == [(1, 0.9)]
    assert (output.HasField("usage"), output.usage.input_tokens) == (tokens > 0, tokens)
