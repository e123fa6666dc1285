"""Bytes of strangers: a tensor, or a complaint, and nothing else."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from llm_mesh_adapter_oip.provider.options import NUMBERS
from llm_mesh_adapter_oip.provider.tensors import DOUBLE, SINGLE, tensor_of
from llm_mesh_adapter_oip.provider.wire import MESSAGES

DATATYPES = st.sampled_from([*NUMBERS, "BYTES", ""])
SHAPES = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 4), max_size=6)


@given(data=st.binary(max_size=64), datatype=DATATYPES, shape=SHAPES, code=st.sampled_from([SINGLE, DOUBLE]), raw=st.booleans())
def test_a_tensor_has_as_many_numbers_as_its_shape_says_or_is_refused(
    data: bytes,
    datatype: str,
    shape: list[int],
    code: str,
    raw: bool,  # noqa: FBT001
) -> None:
    answer = MESSAGES["ModelInferResponse"](outputs=[{"name": "x", "datatype": datatype, "shape": shape}])
    if raw:
        answer.raw_output_contents.append(data)
    else:
        answer.outputs[0].contents.fp32_contents.extend(data)
        answer.outputs[0].contents.fp64_contents.extend(data)
    try:
        tensor = tensor_of(answer.SerializeToString(), "x", "", code)
    except ValueError:
        return
    assert (len(tensor.values), list(tensor.shape), datatype in NUMBERS) == (math.prod(shape), shape, True)
    assert all(map(math.isfinite, tensor.values))


@given(data=st.binary(max_size=64))
def test_bytes_are_a_tensor_or_refused(data: bytes) -> None:
    try:
        tensor_of(data, "", "", SINGLE)
    except ValueError:
        return
    raise AssertionError(data)
