"""The messages of the Open Inference Protocol that the adapter sends and reads: names, numbers and types as the protocol has them.

They are built at import, in a pool of their own: whoever loads a client of the protocol into the same process is not in their way, and no
library of a hundred megabytes is needed for sixteen messages. A test compares them with the stubs that Triton's own client has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

PACKAGE: Final = "inference"
SERVICE: Final = f"{PACKAGE}.GRPCInferenceService"
TABLE: Final[Mapping[str, str]] = {
    "ServerReadyRequest": "",
    "ServerReadyResponse": "1 bool ready",
    "ModelReadyRequest": "1 string name, 2 string version",
    "ModelReadyResponse": "1 bool ready",
    "TensorMetadata": "1 string name, 2 string datatype, 3 int64* shape",
    "ModelMetadataRequest": "1 string name, 2 string version",
    "ModelMetadataResponse": "1 string name, 2 string* versions, 3 string platform, 4 TensorMetadata* inputs, 5 TensorMetadata* outputs",
    "ModelIndex": "1 string name, 2 string version, 3 string state, 4 string reason",
    "RepositoryIndexRequest": "1 string repository_name, 2 bool ready",
    "RepositoryIndexResponse": "1 ModelIndex* models",
    "InferTensorContents": "6 float* fp32_contents, 7 double* fp64_contents, 8 bytes* bytes_contents",
    "InferInputTensor": "1 string name, 2 string datatype, 3 int64* shape, 5 InferTensorContents contents",
    "InferRequestedOutputTensor": "1 string name",
    "InferOutputTensor": "1 string name, 2 string datatype, 3 int64* shape, 5 InferTensorContents contents",
    "ModelInferRequest": (
        "1 string model_name, 2 string model_version, 3 string id, 5 InferInputTensor* inputs, 6 InferRequestedOutputTensor* outputs, "
        "7 bytes* raw_input_contents"
    ),
    "ModelInferResponse": (
        "1 string model_name, 2 string model_version, 3 string id, 5 InferOutputTensor* outputs, 6 bytes* raw_output_contents"
    ),
}
"""By message: number, type and name of each field; `*` repeats it.

What the adapter has no use for is left out: parameters, whole numbers.
"""


def _declared() -> FileDescriptorProto:
    file = FileDescriptorProto(name="open_inference_protocol.proto", package=PACKAGE, syntax="proto3")
    for name, text in TABLE.items():
        message = file.message_type.add(name=name)
        for line in filter(None, text.split(", ")):
            number, kind, field_name = line.split(" ")
            scalar = kind.rstrip("*")
            field = message.field.add(name=field_name, number=int(number))
            field.label = FieldDescriptorProto.LABEL_REPEATED if kind.endswith("*") else FieldDescriptorProto.LABEL_OPTIONAL
            if scalar in TABLE:
                field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{PACKAGE}.{scalar}"
            else:
                field.type = FieldDescriptorProto.Type.Value(f"TYPE_{scalar.upper()}")
    return file


def _messages() -> dict[str, Any]:
    pool = DescriptorPool()
    pool.Add(_declared())
    return {name: GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in TABLE}


MESSAGES: Final[Mapping[str, Any]] = _messages()
"""The class of each message."""
