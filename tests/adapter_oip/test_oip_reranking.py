"""A query and documents to tensors, and tensors to scores."""

from __future__ import annotations

import pytest

from llm_mesh.policy.v1 import usage_pb2
from tests.adapter_oip.fake_server import Script, score_of, texts_of
from tests.adapter_oip.oip_adapter import asked, failure_of, ranked, scores_of

DOCUMENTS = ["aa", "aaaa", "a", "aaaa"]
BEST_FIRST = [(1, score_of("aaaa")), (3, score_of("aaaa")), (0, score_of("aa")), (2, score_of("a"))]


@pytest.mark.parametrize("datatype", ["FP32", "FP64", "FP16", "BF16"])
@pytest.mark.parametrize("shape", ["n", "n,1", "1,n"])
async def test_the_best_document_comes_first(datatype: str, shape: str) -> None:
    script = Script(datatype=datatype, score_shape=lambda count: [count if each == "n" else 1 for each in shape.split(",")])
    async with asked(script, rerank={"datatype": datatype}) as (adapter, server):
        response = await ranked(adapter, DOCUMENTS)
    assert scores_of(response) == BEST_FIRST
    (request,) = server.requests
    assert [(each.name, each.datatype, list(each.shape)) for each in request.inputs] == [
        ("query", "BYTES", [1]), ("documents", "BYTES", [4]),
    ]  # fmt: skip
    assert (texts_of(request, 0), texts_of(request, 1), request.outputs[0].name) == (["q"], DOCUMENTS, "scores")
    assert (response.output.model, response.report.source) == ("rerank-1", usage_pb2.USAGE_SOURCE_COUNTED)


@pytest.mark.parametrize(("shape", "expected", "count"), [("1", [1], 1), ("1,1", [1, 1], 1), ("n", [4], 4), ("n,1", [4, 1], 4)])
async def test_the_query_has_the_shape_of_the_endpoint(shape: str, expected: list[int], count: int) -> None:
    tensors = {"query": "Q", "query_shape": shape, "documents": "D", "documents_shape": "n,1", "output": "S"}
    async with asked(rerank=tensors, raw=False) as (adapter, server):
        assert scores_of(await ranked(adapter, DOCUMENTS)) == BEST_FIRST
    query, documents = server.requests[0].inputs
    assert (query.name, list(query.shape), texts_of(server.requests[0], 0)) == ("Q", expected, ["q"] * count)
    assert (documents.name, list(documents.shape), server.requests[0].outputs[0].name) == ("D", [4, 1], "S")


async def test_batches_are_put_together_and_cut_to_the_best() -> None:
    async with asked(rerank={"batch": 3}) as (adapter, server):
        assert scores_of(await ranked(adapter, DOCUMENTS, top_n=3)) == BEST_FIRST[:3]
    assert sorted(len(texts_of(each, 1)) for each in server.requests) == [1, 3]
    assert {texts_of(each, 0)[0] for each in server.requests} == {"q"}


async def test_what_has_no_place_is_reported_or_refused_where_all_must_arrive() -> None:
    async with asked() as (adapter, server):
        output = (await ranked(adapter, DOCUMENTS, max_tokens_per_document=5, end_user="ana")).output
    assert [each.field for each in output.translations] == ["max_tokens_per_document", "end_user"]
    assert len(server.requests) == 1


async def test_scores_for_other_documents_are_malformed() -> None:
    async with asked(Script(score_shape=lambda count: [1, 1, count])) as (adapter, _):
        assert (await failure_of(ranked(adapter, DOCUMENTS))).reason_name == "PROVIDER_MALFORMED"
