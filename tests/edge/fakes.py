"""A gateway that answers as it is told, and remembers what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_image_pb2, generate_pb2, moderate_pb2, sound_pb2
from llm_mesh_runtime import context as calls
from llm_mesh_runtime.errors import MeshError, not_implemented
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.testing import NoSettings

StreamEvent = generate_pb2.StreamEvent
Say = StreamEvent | MeshError | Callable[[], Awaitable[None]]


def text(words: str) -> StreamEvent:
    return StreamEvent(text=generate_pb2.TextDelta(text=words))


STARTED = StreamEvent(started=generate_pb2.Started(id="chatcmpl-up", model="upstream-model", created=1_700_000_000))
STOPPED = StreamEvent(
    choice_finished=generate_pb2.ChoiceFinished(finish_reason=generate_pb2.FINISH_REASON_STOP, native_finish_reason="stop")
)
USAGE = generate_pb2.Usage(input_tokens=5, output_tokens=2)
FINISHED = StreamEvent(finished=generate_pb2.Finished())


def receipt() -> gateway_pb2.Receipt:
    made = gateway_pb2.Receipt(
        reservation="domains/claims/projects/triage/reservations/01J", model="domains/shared/models/m", request_id="r"
    )
    made.charged.currency, made.charged.nanos = "USD", 1_234
    limit = made.limits.add(metric="requests", limit=100, remaining=99)
    limit.reset_after.FromSeconds(60)
    made.limits.add(metric="tokens", limit=10_000, remaining=9_000)
    return made


@dataclass
class FakeGateway(gateway_pb2_grpc.GatewayServiceServicer):
    """`says` are the events of a stream; `fails` fails whole answers."""

    says: list[Say] = field(default_factory=lambda: [STARTED, text("hello"), text(" world"), STOPPED, StreamEvent(usage=USAGE), FINISHED])
    fails: MeshError | None = None
    waits: Callable[[], Awaitable[None]] | None = None
    output: generate_pb2.GenerateOutput | None = None
    translations: list[generate_pb2.Translation] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    metadata: list[dict[str, Any]] = field(default_factory=list)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """A stream has ended, however."""
    vector: list[float] = field(default_factory=lambda: [0.5, -1.0])
    without_vector_streams: bool = False
    """It is a gateway of an earlier contract."""
    aliases: tuple[str, ...] = ("gpt-4.1", "claims/summariser")

    def note(self, request: Any) -> None:
        self.asked.append(request)
        self.metadata.append(dict(calls.metadata()))
        if self.fails is not None:
            raise self.fails

    async def wait(self) -> None:
        """Answer nothing until the call ends."""
        self.waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()

    async def Generate(self, request: gateway_pb2.GenerateRequest, context: object) -> gateway_pb2.GenerateResponse:
        del context
        self.note(request)
        if self.waits is not None:
            await self.waits()
        if self.output is not None:
            return gateway_pb2.GenerateResponse(output=self.output, receipt=receipt())
        part = content_pb2.Part(text=content_pb2.Text(text="hello world"))
        message = content_pb2.Message(role=content_pb2.ROLE_ASSISTANT, parts=[part])
        choice = generate_pb2.Choice(message=message, finish_reason=generate_pb2.FINISH_REASON_STOP, native_finish_reason="stop")
        output = generate_pb2.GenerateOutput(
            id="chatcmpl-up", model="upstream-model", created=1_700_000_000, choices=[choice], usage=USAGE, translations=self.translations
        )
        return gateway_pb2.GenerateResponse(output=output, receipt=receipt())

    async def GenerateStream(
        self, request: gateway_pb2.GenerateStreamRequest, context: object
    ) -> AsyncIterator[gateway_pb2.GenerateStreamResponse]:
        del context
        self.note(request)
        try:
            async for message in self.play():
                yield message
        finally:
            self.ended.set()

    async def play(self) -> AsyncIterator[gateway_pb2.GenerateStreamResponse]:
        first = True
        for say in self.says:
            if isinstance(say, MeshError):
                raise say
            if callable(say):
                await say()
                continue
            message = gateway_pb2.GenerateStreamResponse(events=[say])
            if first:
                message.reservation = "01J"
                message.limits.extend(receipt().limits)
                first = False
            yield message
        yield gateway_pb2.GenerateStreamResponse(receipt=receipt())

    async def Embed(self, request: gateway_pb2.EmbedRequest, context: object) -> gateway_pb2.EmbedResponse:
        del context
        self.note(request)
        embeddings = [embed_pb2.Embedding(index=index, values=self.vector) for index, _ in enumerate(request.input.items)]
        output = embed_pb2.EmbedOutput(model="upstream-model", embeddings=embeddings, usage=generate_pb2.Usage(input_tokens=4))
        return gateway_pb2.EmbedResponse(output=output, receipt=receipt())

    async def EmbedStream(self, request: gateway_pb2.EmbedStreamRequest, context: object) -> AsyncIterator[gateway_pb2.EmbedStreamResponse]:
        """One message per vector."""
        if self.without_vector_streams:
            raise not_implemented("EmbedStream")
        whole = await self.Embed(gateway_pb2.EmbedRequest.FromString(request.SerializeToString()), context)
        vectors = list(whole.output.embeddings)
        whole.output.ClearField("embeddings")
        yield gateway_pb2.EmbedStreamResponse(output=whole.output, receipt=whole.receipt)
        for vector in vectors:
            yield gateway_pb2.EmbedStreamResponse(embeddings=[vector])

    async def Moderate(self, request: gateway_pb2.ModerateRequest, context: object) -> gateway_pb2.ModerateResponse:
        del context
        self.note(request)
        categories = [moderate_pb2.HarmCategory(name="hate", flagged=True, score=0.5, modalities=["text"])]
        results = [moderate_pb2.ModerateResult(flagged=True, categories=categories) for _ in request.input.items]
        return gateway_pb2.ModerateResponse(output=moderate_pb2.ModerateOutput(model="upstream-model", results=results), receipt=receipt())

    async def GenerateImage(self, request: gateway_pb2.GenerateImageRequest, context: object) -> gateway_pb2.GenerateImageResponse:
        del context
        self.note(request)
        picture = content_pb2.Media(data=b"drawn", mime_type="image/png")
        images = [generate_image_pb2.GeneratedImage(image=picture) for _ in range(request.input.count or 1)]
        output = generate_image_pb2.GenerateImageOutput(created=1_700_000_000, images=images, size="1024x1024", usage=USAGE)
        return gateway_pb2.GenerateImageResponse(output=output, receipt=receipt())

    async def Speak(self, request: gateway_pb2.SpeakRequest, context: object) -> gateway_pb2.SpeakResponse:
        del context
        self.note(request)
        output = sound_pb2.SpeakOutput(sound=b"spoken" * 20_000, mime_type="audio/wav", usage=USAGE)
        return gateway_pb2.SpeakResponse(output=output, receipt=receipt())

    async def Transcribe(self, request: gateway_pb2.TranscribeRequest, context: object) -> gateway_pb2.TranscribeResponse:
        del context
        self.note(request)
        segment = sound_pb2.TranscribedSegment(end_milliseconds=3_723_004, text=" hello", speaker="A")
        usage = generate_pb2.Usage(input_tokens=7, output_tokens=1, audio_input_tokens=6)
        output = sound_pb2.TranscribeOutput(text="hello", segments=[segment], duration_milliseconds=1_500, usage=usage)
        return gateway_pb2.TranscribeResponse(output=output, receipt=receipt())

    async def CountTokens(self, request: gateway_pb2.CountTokensRequest, context: object) -> gateway_pb2.CountTokensResponse:
        del context
        self.note(request)
        return gateway_pb2.CountTokensResponse(count=embed_pb2.TokenCount(input_tokens=17, source=embed_pb2.COUNT_SOURCE_ESTIMATED))

    async def ListModels(self, request: gateway_pb2.ListModelsRequest, context: object) -> gateway_pb2.ListModelsResponse:
        """One model per page, to see that pages are followed."""
        del context
        self.note(request)
        place = int(request.page_token or 0)
        following = str(place + 1) if place + 1 < len(self.aliases) else ""
        model = gateway_pb2.ModelSummary(alias=self.aliases[place], owner="domains/shared", created=1_700_000_000, capabilities=["tools"])
        return gateway_pb2.ListModelsResponse(models=[model], next_page_token=following)

    def service(self) -> Service:
        add = gateway_pb2_grpc.add_GatewayServiceServicer_to_server
        return Service("gateway", ("llm_mesh.gateway.v1.GatewayService",), NoSettings, lambda _settings, _links: Servicers((add, self)))
