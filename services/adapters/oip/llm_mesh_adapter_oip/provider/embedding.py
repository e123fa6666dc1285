"""Embeddings: one call for each batch of texts, and the vectors that come back."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Sequence
from typing import Final

from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh_adapter_kit.dialect import Ask
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import malformed
from llm_mesh_adapter_kit.framing import FramingError
from llm_mesh_adapter_kit.rpc.framing import RpcParser
from llm_mesh_adapter_kit.rpc.statuses import checked
from llm_mesh_adapter_oip.provider.failures import of_status
from llm_mesh_adapter_oip.provider.options import options_of, places, shaped
from llm_mesh_adapter_oip.provider.tensors import SINGLE, TextTensor, infer_request, tensor_of
from llm_mesh_dialects.report import Report
from llm_mesh_runtime.errors import invalid

NOWHERE: Final = "the protocol has no such field"
_OF_A_MATRIX: Final = 2


def embed_messages(ask: Ask, request: embed_pb2.EmbedInput) -> tuple[list[bytes], Sequence[generate_pb2.Translation]]:
    """The messages, and what they lack of the request."""
    options = options_of(ask.endpoint)
    tensors = options.embed
    texts = [_text(item, number) for number, item in enumerate(request.items)]
    messages = []
    for place in places(len(texts), tensors.batch):
        batch = texts[place : place + tensors.batch]
        tensor = TextTensor(tensors.input, shaped(tensors.shape, len(batch)), batch)
        messages.append(infer_request(ask.model, [tensor], tensors.output, raw=options.raw))
    return messages, left_out(request.end_user, request.extras)


def left_out(end_user: str, extras: Sequence[content_pb2.Extra]) -> list[generate_pb2.Translation]:
    """What of every request has no place on this wire."""
    report = Report()
    if end_user:
        report.dropped("end_user", NOWHERE)
    for extra in extras:
        report.dropped(f"extras[{extra.dialect}.{extra.key}]", NOWHERE)
    return report.translations


def _text(item: embed_pb2.EmbedItem, number: int) -> bytes:
    if not item.HasField("text"):
        raise invalid(f"input.items[{number}].tokens", "expected a text: the endpoint's model takes no tokens", sent="false")
    return item.text.encode()


class OipVectors:
    """Implements `VectorReader` of the kit."""

    def __init__(self, endpoint: Endpoint, items: int) -> None:
        self._endpoint = endpoint.name
        self._tensors = options_of(endpoint).embed
        batch = self._tensors.batch
        self._expected = deque(min(batch, items - place) for place in places(items, batch))
        """How many vectors each message that has yet to come must have."""
        self._model = ""
        self._parser = RpcParser()
        self._vectors: list[bytes] = []
        self.dimensions = 0

    def feed(self, data: bytes) -> None:
        """More of the answer."""
        try:
            for frame in self._parser.feed(data):
                self._take(checked(self._endpoint, frame, of_status))
        except (FramingError, ValueError) as error:
            raise malformed(self._endpoint, str(error)) from None

    def finish(self) -> tuple[embed_pb2.EmbedOutput, list[bytes]]:
        """Everything but the vectors, and these in the order of the items."""
        return embed_pb2.EmbedOutput(model=self._model), self._vectors

    def _take(self, message: bytes) -> None:
        if not self._expected:
            raise ValueError("more messages than calls")
        rows = self._expected.popleft()
        tensor = tensor_of(message, self._tensors.output, self._tensors.datatype, SINGLE)
        if len(tensor.shape) != _OF_A_MATRIX or tensor.shape[0] != rows:
            raise ValueError(f"a tensor of the shape {list(tensor.shape)} for {rows} texts")
        length = tensor.shape[1]
        if self.dimensions and length != self.dimensions:
            raise ValueError(f"vectors of {self.dimensions} numbers and of {length}")
        self.dimensions, self._model = length, tensor.model
        values = tensor.values
        if sys.byteorder == "big":
            values.byteswap()
        data, size = values.tobytes(), length * values.itemsize
        self._vectors += [data[begin : begin + size] for begin in range(0, len(data), size)]
