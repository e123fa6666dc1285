"""Records what Triton's own client has and sends: the fields of its messages, and its requests.

The client needs another protobuf than ours, and NumPy:

python3 -m venv /tmp/triton && /tmp/triton/bin/pip install 'tritonclient[grpc]==2.73.0'
/tmp/triton/bin/python tests/adapter_oip/record_triton.py > tests/adapter_oip/triton.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

numpy = import_module("numpy")
client = import_module("tritonclient.grpc")
stubs = client.service_pb2.DESCRIPTOR
KINDS = {number: name.removeprefix("TYPE_").lower() for name, number in vars(FieldDescriptor).items() if name.startswith("TYPE_")}
REQUESTS: Mapping[str, tuple[str, Mapping[str, Sequence[str]], str]] = {
    "embed": ("embed-1", {"text": ["one", "", "Grüße 🌍"]}, "embedding"),
    "rerank": ("rerank-1", {"query": ["q"], "documents": ["aa", "a"]}, "scores"),
}


def fields_of(descriptor: Any) -> Iterator[str]:
    """Number, type and name of each."""
    for field in descriptor.fields:
        kind = field.message_type.name if field.message_type else KINDS[field.type]
        yield f"{field.number} {kind}{'*' if field.is_repeated else ''} {field.name}"


def messages_of(descriptors: Iterable[Any]) -> Iterator[tuple[str, list[str]]]:
    """Messages, and those within them."""
    for descriptor in descriptors:
        yield descriptor.name, list(fields_of(descriptor))
        yield from messages_of(descriptor.nested_types)


def request_of(model: str, inputs: Mapping[str, Sequence[str]], output: str) -> Any:
    """What the client sends."""
    tensors: list[Any] = []
    for name, texts in inputs.items():
        tensors.append(client.InferInput(name, [len(texts)], "BYTES"))
        tensors[-1].set_data_from_numpy(numpy.array([text.encode() for text in texts], dtype=object))
    asked = [client.InferRequestedOutput(output)]
    empty = {"request_id": "", "sequence_id": 0, "sequence_start": False, "sequence_end": False, "priority": 0, "timeout": None}
    return import_module("tritonclient.grpc._utils")._get_inference_request(
        model_name=model, inputs=tensors, model_version="", outputs=asked, parameters=None, **empty
    )


json.dump(
    {
        "library": f"tritonclient {version('tritonclient')}",
        "service": stubs.services_by_name["GRPCInferenceService"].full_name,
        "methods": [each.name for each in stubs.services_by_name["GRPCInferenceService"].methods],
        "messages": {
            name: fields
            for name, fields in messages_of(stubs.message_types_by_name.values())
            if name.startswith(("Infer", "Model", "Repository", "Server", "Tensor")) and not name.endswith("Entry")
        },
        "requests": {name: request_of(*given).SerializeToString(deterministic=True).hex() for name, given in REQUESTS.items()},
    },
    sys.stdout,
    indent=1,
)
