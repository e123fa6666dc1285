"""What is put together on the wire is what protobuf reads."""

from __future__ import annotations

import pytest

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_runtime.delimited import before


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 3_000_000])
def test_a_field_of_any_size_is_read_back(size: int) -> None:
    text = b"x" * size
    read = content_pb2.Text.FromString(before(content_pb2.Text.TEXT_FIELD_NUMBER, size) + text)
    assert read == content_pb2.Text(text=text.decode())
