"""Texts to tensors, and tensors to vectors."""

from __future__ import annotations

import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import embed_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_adapter_kit.rpc.client import AT_ONCE
from tests.adapter_oip.fake_server import Script, texts_of, vector_of
from tests.adapter_oip.oip_adapter import asked, failure_of, vectors_of

TEXTS = ["one", "", "Grüße 🌍"]
EXPECTED = [vector_of(each, 3) for each in TEXTS]
FORMS = [("FP32", True), ("FP64", True), ("FP16", True), ("BF16", True), ("FP32", False), ("FP64", False)]


@pytest.mark.parametrize(("datatype", "raw"), FORMS)
async def test_vectors_are_the_same_in_every_datatype_and_form(datatype: str, raw: bool) -> None:  # noqa: FBT001
    async with asked(Script(datatype=datatype, raw=raw), raw=raw) as (adapter, server):
        response = await adapter.embed(TEXTS)
    assert vectors_of(response) == EXPECTED
    assert [texts_of(each, 0) for each in server.requests] == [TEXTS]
    (request,) = server.requests
    (tensor,) = request.inputs
    assert (request.model_name, tensor.name, tensor.datatype, list(tensor.shape)) == ("embed-1", "text", "BYTES", [3])
    assert [each.name for each in request.outputs] == ["embedding"]
    assert (bool(request.raw_input_contents), tensor.HasField("contents")) == (raw, not raw)
    assert response.output.model == "embed-1"
    assert response.report.source == usage_pb2.USAGE_SOURCE_COUNTED


@pytest.mark.parametrize(("shape", "expected"), [("n", [3]), ("n,1", [3, 1]), ("1,n", [1, 3])])
async def test_names_and_shapes_are_the_endpoints(shape: str, expected: list[int]) -> None:
    async with asked(embed={"input": "TEXT", "shape": shape, "output": "VECTOR", "datatype": "FP32"}) as (adapter, server):
        assert vectors_of(await adapter.embed(TEXTS)) == EXPECTED
    tensor = server.requests[0].inputs[0]
    assert (tensor.name, list(tensor.shape), server.requests[0].outputs[0].name) == ("TEXT", expected, "VECTOR")


@pytest.mark.parametrize("batch", [1, 2, 5, 100])
async def test_batches_come_back_in_the_order_of_the_texts(batch: int) -> None:
    texts = ["x" * length for length in range(2 * AT_ONCE + 3)]
    async with asked(embed={"batch": batch}) as (adapter, server):
        assert vectors_of(await adapter.embed(texts)) == [vector_of(each, 3) for each in texts]
    sizes = [len(texts_of(each, 0)) for each in server.requests]
    assert (sum(sizes), max(sizes)) == (len(texts), min(batch, len(texts)))


async def test_what_has_no_place_is_reported() -> None:
    async with asked() as (adapter, _):
        output = (await adapter.embed(["one"], end_user="ana", dimensions=2)).output
    assert [each.field for each in output.translations] == ["end_user", "dimensions"]


async def test_tokens_are_refused_by_their_place_and_nothing_is_sent() -> None:
    async with asked() as (adapter, server):
        items = [embed_pb2.EmbedItem(text="one"), embed_pb2.EmbedItem(tokens=embed_pb2.TokenIds(ids=[1]))]
        request = adapter_pb2.EmbedRequest(**adapter.granted("embed-1"), input=embed_pb2.EmbedInput(items=items))
        error = await failure_of(adapter.stub.Embed(request, timeout=20))
    assert ("input.items[1].tokens" in error.message, server.requests) == (True, [])


async def test_chats_are_unsupported() -> None:
    async with asked() as (adapter, server):
        assert (await failure_of(adapter.generate())).reason_name == "UNSUPPORTED"
        assert (await failure_of(adapter.stream())).reason_name == "UNSUPPORTED"
    assert server.calls == []
