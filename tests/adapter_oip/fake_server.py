"""A server of the protocol, by the adapter's own messages: deterministic, with the failures that real ones have."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from llm_mesh_adapter_oip.provider.wire import MESSAGES, SERVICE

METHODS = ("ServerReady", "ModelReady", "ModelMetadata", "RepositoryIndex", "ModelInfer")
EMBEDDER, RERANKER, OTHER = "embed-1", "rerank-1", "detector"
TENSORS = {
    EMBEDDER: (["text"], ["embedding"]),
    RERANKER: (["query", "documents"], ["scores"]),
    OTHER: (["image"], ["boxes"]),
}
_CODES = {"FP16": "e", "FP32": "f", "FP64": "d"}

Numbers = Sequence[float]


def packed(values: Numbers, datatype: str) -> bytes:
    """Numbers as raw contents have them."""
    if datatype == "BF16":
        return b"".join(struct.pack("<f", value)[2:] for value in values)
    return struct.pack(f"<{len(values)}{_CODES[datatype]}", *values)


@dataclass
class Script:
    """What the server does."""

    datatype: str = "FP32"
    raw: bool = True
    """Answers have raw contents."""
    dimensions: int = 3
    spoils: Callable[[Any], None] | None = None
    """Changes the message of an answer before it is sent."""
    answer: bytes | None = None
    """Bytes in the place of an answer."""
    fails: grpc.StatusCode | None = None
    details: str = ""
    waits: bool = False
    ready: bool = True
    has_index: bool = True
    score_shape: Callable[[int], list[int]] = field(default=lambda count: [count])


class FakeServer:
    """Answers each method by its name."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Any] = []
        self.bodies: list[bytes] = []
        self.metadata: dict[str, str] = {}
        self.calls: list[str] = []
        self.waiting, self.cancelled = asyncio.Event(), asyncio.Event()
        self.port = 0
        self.server: Any = None

    def service(self, details: Any) -> Any:
        """The handler of a method."""
        name = details.method.rpartition("/")[2]
        if details.method != f"/{SERVICE}/{name}" or name not in METHODS:
            return None

        async def answer(body: bytes, context: Any) -> bytes:
            self.calls.append(name)
            self.bodies.append(body)
            self.metadata = dict(context.invocation_metadata())
            request = MESSAGES[f"{name}Request"].FromString(body)
            made: Any = await getattr(self, f"_{name}")(request, context)
            return bytes(made) if isinstance(made, bytes) else bytes(made.SerializeToString())

        return grpc.unary_unary_rpc_method_handler(answer)

    async def _ServerReady(self, request: Any, context: Any) -> Any:
        return MESSAGES["ServerReadyResponse"](ready=self.script.ready)

    async def _ModelReady(self, request: Any, context: Any) -> Any:
        return MESSAGES["ModelReadyResponse"](ready=self.script.ready or request.name != RERANKER)

    async def _ModelMetadata(self, request: Any, context: Any) -> Any:
        if request.name not in TENSORS:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"Request for unknown model: '{request.name}' is not found")
        inputs, outputs = TENSORS[request.name]
        return MESSAGES["ModelMetadataResponse"](
            name=request.name, inputs=[{"name": name, "datatype": "BYTES", "shape": [-1]} for name in inputs],
            outputs=[{"name": name, "datatype": "FP32", "shape": [-1]} for name in outputs],
        )  # fmt: skip

    async def _RepositoryIndex(self, request: Any, context: Any) -> Any:
        if not self.script.has_index:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")
        assert request.ready
        models = [{"name": name, "version": str(version), "state": "READY"} for name in TENSORS for version in (1, 2)]
        return MESSAGES["RepositoryIndexResponse"](models=[*models, {"name": "broken", "state": "UNAVAILABLE"}])

    async def _ModelInfer(self, request: Any, context: Any) -> Any:
        self.requests.append(request)
        if self.script.waits:
            self.waiting.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled.set()
        if self.script.fails is not None:
            await context.abort(self.script.fails, self.script.details)
        if self.script.answer is not None:
            return self.script.answer
        answer = self._answer(request)
        if self.script.spoils is not None:
            self.script.spoils(answer)
        return answer

    def _answer(self, request: Any) -> Any:
        texts = texts_of(request, len(request.inputs) - 1)
        name = request.outputs[0].name
        if len(request.inputs) == 1:
            values = [number for text in texts for number in vector_of(text, self.script.dimensions)]
            shape = [len(texts), self.script.dimensions]
        else:
            values, shape = [score_of(text) for text in texts], self.script.score_shape(len(texts))
        return self._made(request.model_name, name, shape, values)

    def _made(self, model: str, name: str, shape: list[int], values: Numbers) -> Any:
        answer = MESSAGES["ModelInferResponse"](model_name=model)
        other = answer.outputs.add(name="length", datatype="FP32", shape=[1])
        output = answer.outputs.add(name=name, datatype=self.script.datatype, shape=shape)
        if self.script.raw:
            answer.raw_output_contents.extend([packed([7.0], "FP32"), packed(values, self.script.datatype)])
            return answer
        other.contents.fp32_contents.append(7.0)
        kept = output.contents.fp64_contents if self.script.datatype == "FP64" else output.contents.fp32_contents
        kept.extend(values)
        return answer


def vector_of(text: str, dimensions: int) -> list[float]:
    """Numbers that every datatype has exactly."""
    return [float(len(text)), *([0.5, -1.0] * dimensions)][:dimensions]


def score_of(text: str) -> float:
    """Longer documents are better."""
    return len(text) / 64


def texts_of(request: Any, place: int) -> list[str]:
    """The texts of a tensor, in whichever form it has them."""
    if not request.raw_input_contents:
        return [each.decode() for each in request.inputs[place].contents.bytes_contents]
    raw, texts = request.raw_input_contents[place], []
    while raw:
        size = int.from_bytes(raw[:4], "little")
        texts.append(raw[4 : 4 + size].decode())
        raw = raw[4 + size :]
    return texts


@asynccontextmanager
async def serving(script: Script | None = None, port: int = 0) -> AsyncIterator[FakeServer]:
    """A server that listens."""
    made = FakeServer(script or Script())
    options = [("grpc.so_reuseport", 0), ("grpc.max_send_message_length", -1)]
    server: Any = grpc.aio.server(options=options)
    server.add_generic_rpc_handlers((made,))
    made.port = server.add_insecure_port(f"127.0.0.1:{port}")
    made.server = server
    await server.start()
    try:
        yield made
    finally:
        await server.stop(None)
