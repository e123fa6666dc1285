"""Tensors in messages: texts on the way out, numbers on the way back. `ValueError` where an answer contradicts itself."""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from google.protobuf.message import DecodeError

from llm_mesh_adapter_oip.provider.options import NUMBERS
from llm_mesh_adapter_oip.provider.wire import MESSAGES

SINGLE: Final = "f"
DOUBLE: Final = "d"
_WIDTHS: Final = {"FP16": 2, "BF16": 2, "FP32": 4, "FP64": 8}
_MOST_DIMENSIONS: Final = 4
_SHOWN: Final = 64


class TextTensor(NamedTuple):
    """Texts that a model is given."""

    name: str
    shape: Sequence[int]
    texts: Sequence[bytes]


class NumberTensor(NamedTuple):
    """Numbers that a model answered."""

    model: str
    """As the server names it."""
    shape: tuple[int, ...]
    values: array[float]
    """As many as the shape says; each is one."""


def infer_request(model: str, inputs: Sequence[TextTensor], output: str, *, raw: bool) -> bytes:
    """The message of one call."""
    request = MESSAGES["ModelInferRequest"](model_name=model, outputs=[{"name": output}])
    for tensor in inputs:
        made = request.inputs.add(name=tensor.name, datatype="BYTES", shape=tensor.shape)
        if raw:
            request.raw_input_contents.append(b"".join([len(text).to_bytes(4, "little") + text for text in tensor.texts]))
        else:
            made.contents.bytes_contents.extend(tensor.texts)
    return bytes(request.SerializeToString())


def tensor_of(data: bytes, name: str, datatype: str, code: str) -> NumberTensor:
    """The tensor of that name in the message of an answer. `code`: how wide its numbers are to be; `datatype`: see the options."""
    answer = MESSAGES["ModelInferResponse"]()
    try:
        answer.ParseFromString(data)
    except DecodeError:
        raise ValueError("bytes that are no ModelInferResponse") from None
    raw = answer.raw_output_contents
    if raw and len(raw) != len(answer.outputs):
        raise ValueError(f"{len(answer.outputs)} tensors with the contents of {len(raw)}")
    at = [place for place, output in enumerate(answer.outputs) if output.name == name]
    if len(at) != 1:
        raise ValueError(f"{len(at)} tensors with the name {name}")
    output = answer.outputs[at[0]]
    if output.datatype not in NUMBERS or (datatype and output.datatype != datatype):
        raise ValueError(f"the tensor {name} is {output.datatype[:_SHOWN]}, not {datatype or ' or '.join(NUMBERS)}")
    shape = tuple(output.shape)
    if not 0 < len(shape) <= _MOST_DIMENSIONS or min(shape) < 1:
        raise ValueError(f"the tensor {name} has the shape {list(shape[:_MOST_DIMENSIONS])}")
    values = _narrowed(_unpacked(raw[at[0]], output.datatype) if raw else _typed(output), code)
    if raw and output.HasField("contents"):
        raise ValueError(f"the tensor {name} has its contents twice")
    if math.prod(shape) != len(values):
        raise ValueError(f"the tensor {name} has the shape {list(shape)} and {len(values)} numbers")
    if not (math.isfinite(sum(values)) or all(map(math.isfinite, values))):
        raise ValueError(f"the tensor {name} has what is no number")
    return NumberTensor(answer.model_name, shape, values)


def _unpacked(raw: bytes, datatype: str) -> array[float]:
    if len(raw) % _WIDTHS[datatype]:
        raise ValueError(f"{len(raw)} bytes of {datatype}")
    if datatype == "FP16":
        return array(SINGLE, struct.unpack(f"<{len(raw) // 2}e", raw))
    if datatype == "BF16":  # the upper half of a number of 32 bits
        wide = bytearray(2 * len(raw))
        wide[2::4], wide[3::4] = raw[0::2], raw[1::2]
        raw = bytes(wide)
    values = array(DOUBLE if datatype == "FP64" else SINGLE)
    values.frombytes(raw)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _typed(output: Any) -> array[float]:  # noqa: ANN401 (a message of the protocol)
    if output.datatype == "FP32":
        return array(SINGLE, output.contents.fp32_contents)
    if output.datatype == "FP64":
        return array(DOUBLE, output.contents.fp64_contents)
    raise ValueError(f"{output.datatype} that is not raw")


def _narrowed(values: array[float], code: str) -> array[float]:
    return values if values.typecode == code else array(code, values)
