"""Engines by the published stubs: deterministic, with the failures that real ones have.

vLLM and SGLang differ in what their last message has: vLLM repeats the last tokens, SGLang sends all of them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from smg_grpc_proto import sglang_scheduler_pb2, sglang_scheduler_pb2_grpc, vllm_engine_pb2, vllm_engine_pb2_grpc
from smg_grpc_proto.generated import common_pb2

from tests.adapter_engine import fake_text

SERVED = "big-1"


@dataclass
class Script:
    """What the engine does."""

    text: str = "Grüße 🌍!"
    """Of each answer."""
    answers: Sequence[str] = ()
    """By index, in the place of `text`."""
    first: int = 0
    """The index of the first answer."""
    size: int = 1
    """Tokens of one message."""
    cuts: Sequence[int] = ()
    """Where the tokens are cut into messages, in the place of `size`."""
    finish: str = "stop"
    fails: grpc.StatusCode | None = None
    details: str = ""
    fails_after: int | None = None
    """Messages before the failure."""
    ends_after: int | None = None
    """Messages before the stream simply ends."""
    waits_after: int | None = None
    """Messages after which it waits until it is cancelled."""
    raw: bytes | None = None
    """Bytes in the place of the first message."""
    healthy: bool = True
    window: int = 4_096
    generates: bool = True
    files: dict[str, str] = field(default_factory=fake_text.files)
    served: str = SERVED
    loads: Sequence[dict[str, float]] = ()
    batches: Sequence[common_pb2.KvEventBatch] = ()


class FakeEngine:
    """Implements both services; which messages it speaks is the module's."""

    def __init__(self, messages: Any, script: Script) -> None:
        self.messages = messages
        self.script = script
        self.requests: list[Any] = []
        self.embedded: list[Any] = []
        self.aborted: list[str] = []
        self.cancelled = asyncio.Event()
        self.abort_came = asyncio.Event()
        self.waiting = asyncio.Event()
        self.calls: Counter[str] = Counter()
        self.metadata: dict[str, str] = {}
        self.port = 0
        self.server: Any = None
        self._text = fake_text.tokenizer()

    @property
    def last(self) -> Any:
        """The request for an answer that came last."""
        return self.requests[-1]

    @property
    def prompt(self) -> str:
        """The text of the prompt that came last, special tokens included."""
        return self._text.decode(list(self.last.tokenized.input_ids), skip_special_tokens=False)

    async def stop(self) -> None:
        """Dies: connections break off."""
        await self.server.stop(None)

    async def Generate(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.requests.append(request)
        self.metadata = dict(context.invocation_metadata())
        try:
            async for number, message in _numbered(self._answer(request)):
                await self._misbehave(number, context)
                if self.script.ends_after is not None and number >= self.script.ends_after:
                    return
                yield message
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def Embed(self, request: Any, context: Any) -> Any:
        self.embedded.append(request)
        self.calls["Embed"] += 1
        await self._misbehave(self.script.fails_after or 0, context)
        ids = list(request.tokenized.input_ids)
        return self.messages.EmbedResponse(embedding=[len(ids), 0.5, -1], prompt_tokens=len(ids), embedding_dim=3)

    async def HealthCheck(self, request: Any, context: Any) -> Any:
        return self.messages.HealthCheckResponse(healthy=self.script.healthy, message="" if self.script.healthy else "the engine is dead")

    async def Abort(self, request: Any, context: Any) -> Any:
        self.aborted += list(request.request_ids) if hasattr(request, "request_ids") else [request.request_id]
        self.abort_came.set()
        return self.messages.AbortResponse()

    async def GetModelInfo(self, request: Any, context: Any) -> Any:
        self.calls["GetModelInfo"] += 1
        return self.messages.GetModelInfoResponse(
            model_path=f"/models/{self.script.served}",
            served_model_name=self.script.served,
            is_generation=self.script.generates,
            max_context_length=self.script.window,
        )

    async def GetTokenizer(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.calls["GetTokenizer"] += 1
        for chunk in fake_text.chunks(fake_text.archive(self.script.files)):
            yield chunk

    async def GetLoads(self, request: Any, context: Any) -> Any:
        self.calls["GetLoads"] += 1
        loads = [self.messages.SchedulerLoad(**load) for load in self.script.loads]
        return self.messages.GetLoadsResponse(loads=loads, dp_rank_count=len(loads))

    async def SubscribeKvEvents(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.calls["SubscribeKvEvents"] += 1
        for batch in self.script.batches:
            yield batch
        await asyncio.Event().wait()

    async def _misbehave(self, number: int, context: Any) -> None:
        script = self.script
        if script.waits_after is not None and number >= script.waits_after:
            self.waiting.set()
            await asyncio.Event().wait()
        if script.fails is not None and number >= (script.fails_after or 0):
            await context.abort(script.fails, script.details)

    async def _answer(self, request: Any) -> AsyncIterator[Any]:
        first = self.script.first
        for index in range(first, first + max(1, request.sampling_params.n)):
            text = self.script.answers[index] if self.script.answers else self.script.text
            ids = [*self._text.encode(text).ids, self._text.token_to_id(fake_text.EOS) or 0]
            sent = 0
            for part in self._parts(ids) if request.stream else []:
                sent += len(part)
                yield self._chunk(request, part, sent, index)
            yield self._complete(request, ids, index)

    def _parts(self, ids: list[int]) -> list[list[int]]:
        cuts = list(self.script.cuts) or list(range(self.script.size, len(ids), self.script.size))
        return [ids[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(ids)], strict=True)]

    def _chunk(self, request: Any, part: list[int], sent: int, index: int) -> Any:
        chunk = self.messages.GenerateStreamChunk(
            token_ids=part, prompt_tokens=len(request.tokenized.input_ids), completion_tokens=sent, cached_tokens=2, index=index,
            output_logprobs=self._chances(request, part),
        )  # fmt: skip
        return self.messages.GenerateResponse(chunk=chunk)

    def _complete(self, request: Any, ids: list[int], index: int) -> Any:
        all_of_them = not request.stream or self.messages is sglang_scheduler_pb2
        shown = ids if all_of_them else ids[-1:]
        complete = self.messages.GenerateComplete(
            output_ids=shown, finish_reason=self.script.finish, prompt_tokens=len(request.tokenized.input_ids),
            completion_tokens=len(shown), cached_tokens=2, index=index, output_logprobs=self._chances(request, shown),
        )  # fmt: skip
        return self.messages.GenerateResponse(complete=complete)

    def _chances(self, request: Any, ids: list[int]) -> Any:
        top = self._alternatives(request)
        if top is None:
            return None
        rows = [self.messages.TopLogProbs(token_ids=[each, 0][:top], values=[-0.25, -2.5][:top]) for each in ids]
        return self.messages.OutputLogProbs(token_ids=ids, token_logprobs=[-0.25] * len(ids), top_logprobs=rows)

    def _alternatives(self, request: Any) -> int | None:
        if self.messages is sglang_scheduler_pb2:
            return request.top_logprobs_num if request.return_logprob else None
        return request.sampling_params.logprobs if request.sampling_params.HasField("logprobs") else None


class _GenericOnly:
    """A server whose handlers are asked in their order."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        self._server.add_generic_rpc_handlers(handlers)

    def add_registered_method_handlers(self, service: str, handlers: Any) -> None:
        """They would come before all others."""


class _RawGenerate:
    """Answers `Generate` with bytes that are no message."""

    def __init__(self, inner: Any, raw: bytes) -> None:
        self._inner = inner
        self._raw = raw

    def service(self, details: Any) -> Any:
        if not details.method.endswith("/Generate"):
            return None

        async def answer(request: Any, context: Any) -> AsyncIterator[bytes]:
            yield self._raw

        return grpc.unary_stream_rpc_method_handler(answer, request_deserializer=None, response_serializer=None)


async def _numbered(messages: AsyncIterator[Any]) -> AsyncIterator[tuple[int, Any]]:
    number = 0
    async for message in messages:
        yield number, message
        number += 1


@asynccontextmanager
async def engine(script: Script | None = None, kind: str = "vllm", port: int = 0) -> AsyncIterator[FakeEngine]:
    """An engine that listens."""
    script = script or Script()
    messages = vllm_engine_pb2 if kind == "vllm" else sglang_scheduler_pb2
    made = FakeEngine(messages, script)
    server: Any = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    registering: Any = server
    if script.raw is not None:
        registering = _GenericOnly(server)
        server.add_generic_rpc_handlers((_RawGenerate(made, script.raw),))
    if kind == "vllm":
        vllm_engine_pb2_grpc.add_VllmEngineServicer_to_server(_with_absent(made, vllm_engine_pb2_grpc.VllmEngineServicer), registering)
    else:
        sglang_scheduler_pb2_grpc.add_SglangSchedulerServicer_to_server(
            _with_absent(made, sglang_scheduler_pb2_grpc.SglangSchedulerServicer), registering
        )
    made.port = server.add_insecure_port(f"127.0.0.1:{port}")
    made.server = server
    await server.start()
    try:
        yield made
    finally:
        await server.stop(None)


def _with_absent(made: FakeEngine, servicer: Any) -> Any:
    """The fake, and whatever else the service has answering UNIMPLEMENTED, as a servicer that inherits has it."""

    class Whole(servicer):  # type: ignore[misc]  # stubs without types
        def __getattribute__(self, name: str) -> Any:
            return getattr(made, name) if hasattr(made, name) else super().__getattribute__(name)

    return Whole()
