"""Fields are counted on the wire as the parser would make them."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.pipeline.bodies import MOST_FIELDS, MessageCodec
from llm_mesh_runtime.pipeline.methods import Method, methods_of
from llm_mesh_runtime.pipeline.wire import has_more_fields

DESCRIPTOR = gateway_pb2.GenerateRequest.DESCRIPTOR


def request(texts: list[str]) -> gateway_pb2.GenerateRequest:
    made = gateway_pb2.GenerateRequest()
    made.input.model = "m"
    for text in texts:
        made.input.messages.add(role=content_pb2.ROLE_USER).parts.add().text.text = text
    return made


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.text(max_size=300), max_size=20))
def test_fields_are_counted_in_all_messages(texts: list[str]) -> None:
    raw = request(texts).SerializeToString()
    count = 2 + sum(4 + bool(text) for text in texts)
    assert not has_more_fields(raw, DESCRIPTOR, count)
    assert has_more_fields(raw, DESCRIPTOR, count - 1)


@settings(max_examples=300, deadline=None)
@given(raw=st.binary(max_size=400))
def test_any_bytes_are_counted_without_an_error(raw: bytes) -> None:
    assert not has_more_fields(raw, DESCRIPTOR, 400)


@pytest.mark.parametrize("inner", [b"\x1a\x00", b"\x08\x03", b"\x09" + b"\x00" * 8, b"\x0d" + b"\x00" * 4, b"\x8a\x7d\x00"])
def test_millions_of_fields_are_noticed_after_so_many(inner: bytes) -> None:
    message = b"\x12" + b"\x80\x80\x80\x08" + (inner * 5_000_000)[: 16 * 1024 * 1024]
    raw = b"\x0a" + b"\x85\x80\x80\x08" + message
    began = time.thread_time()
    assert has_more_fields(raw, DESCRIPTOR, 100_000)
    assert time.thread_time() - began < 1


def _generate() -> Method:
    servicer = gateway_pb2_grpc.GatewayServiceServicer()
    found = methods_of([(gateway_pb2_grpc.add_GatewayServiceServicer_to_server, servicer)])
    return next(method for method in found if method.name == "Generate")


def test_a_public_request_with_too_many_fields_is_refused_before_it_is_parsed() -> None:
    raw = request([]).SerializeToString() + b"\x0a\x84\x80\x80\x01" + b"\x12\x00" * (1 << 20)
    with pytest.raises(MeshError) as refusal:
        MessageCodec(_generate(), 1 << 25).parse(raw + b"\x0a\x00")
    assert (refusal.value.reason_name, refusal.value.metadata["limit_fields"]) == ("MESSAGE_TOO_LARGE", str(MOST_FIELDS))


def test_a_large_request_with_few_fields_is_parsed() -> None:
    assert MessageCodec(_generate(), 1 << 25).parse(request(["x" * (1 << 20)]).SerializeToString()).input.model == "m"
