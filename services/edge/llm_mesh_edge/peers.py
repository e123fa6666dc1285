"""The gateway and the other processes of this mesh, behind their stubs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Generic, TypeVar

import grpc

from llm_mesh.batches.v1 import batches_pb2, files_pb2
from llm_mesh.batches.v1.batches_pb2_grpc import BatchServiceStub
from llm_mesh.batches.v1.files_pb2_grpc import FileServiceStub
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.gateway.v1.gateway_pb2_grpc import GatewayServiceStub
from llm_mesh.mesh.v1 import process_pb2
from llm_mesh.mesh.v1.process_pb2_grpc import ProcessServiceStub
from llm_mesh_edge.domain.headers import Metadata
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.peer_errors import from_rpc_error

T = TypeVar("T")
_QUICK = 30.0
_AT_ONCE = 2.0
_READINESS = 1.0
_NO_SUCH_METHOD = "NOT_IMPLEMENTED"
_PROCESS = "process/"
BATCHES = "batches"
"""The name of the link to the service that keeps files and batches."""


async def _answered(call: Awaitable[T], peer: str = "gateway") -> T:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error, peer=peer) from error


class GatewayPeer:
    """`Gateway`."""

    def __init__(self, channel: Any, deadline: timedelta) -> None:  # noqa: ANN401 - what stubs take has no common type
        self._stub = GatewayServiceStub(channel)
        self._deadline = deadline.total_seconds()

    async def generate(self, request: gateway_pb2.GenerateRequest, metadata: Metadata) -> gateway_pb2.GenerateResponse:
        """Ask for a whole answer."""
        try:
            answer: gateway_pb2.GenerateResponse = await self._stub.Generate(request, timeout=self._deadline, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer="gateway") from error
        return answer

    def stream(self, request: gateway_pb2.GenerateStreamRequest, metadata: Metadata) -> StreamedAnswer:
        """Ask for a stream."""
        return StreamedAnswer(self._stub.GenerateStream(request, timeout=self._deadline, metadata=metadata))

    def embed(self, request: gateway_pb2.EmbedStreamRequest, metadata: Metadata) -> VectorsAnswer:
        """Ask for vectors."""

        def whole() -> Awaitable[gateway_pb2.EmbedResponse]:
            earlier = gateway_pb2.EmbedRequest(input=request.input, options=request.options if request.HasField("options") else None)
            answer: Awaitable[gateway_pb2.EmbedResponse] = self._stub.Embed(earlier, timeout=self._deadline, metadata=metadata)
            return answer

        return VectorsAnswer(self._stub.EmbedStream(request, timeout=self._deadline, metadata=metadata), whole)

    async def rerank(self, request: gateway_pb2.RerankRequest, metadata: Metadata) -> gateway_pb2.RerankResponse:
        """Ask for an order of documents."""
        return await _answered(self._stub.Rerank(request, timeout=self._deadline, metadata=metadata))

    async def moderate(self, request: gateway_pb2.ModerateRequest, metadata: Metadata) -> gateway_pb2.ModerateResponse:
        """Ask for a moderation."""
        return await _answered(self._stub.Moderate(request, timeout=self._deadline, metadata=metadata))

    async def assess(self, request: gateway_pb2.AssessRequest, metadata: Metadata) -> gateway_pb2.AssessResponse:
        """Ask for an assessment."""
        return await _answered(self._stub.Assess(request, timeout=self._deadline, metadata=metadata))

    async def generate_image(self, request: gateway_pb2.GenerateImageRequest, metadata: Metadata) -> gateway_pb2.GenerateImageResponse:
        """Ask for images."""
        return await _answered(self._stub.GenerateImage(request, timeout=self._deadline, metadata=metadata))

    async def speak(self, request: gateway_pb2.SpeakRequest, metadata: Metadata) -> gateway_pb2.SpeakResponse:
        """Ask for speech."""
        return await _answered(self._stub.Speak(request, timeout=self._deadline, metadata=metadata))

    async def transcribe(self, request: gateway_pb2.TranscribeRequest, metadata: Metadata) -> gateway_pb2.TranscribeResponse:
        """Ask for a transcription."""
        return await _answered(self._stub.Transcribe(request, timeout=self._deadline, metadata=metadata))

    async def models(self, request: gateway_pb2.ListModelsRequest, metadata: Metadata) -> gateway_pb2.ListModelsResponse:
        """Ask for models."""
        return await _answered(self._stub.ListModels(request, timeout=_QUICK, metadata=metadata))

    async def count(self, request: gateway_pb2.CountTokensRequest, metadata: Metadata) -> gateway_pb2.CountTokensResponse:
        """Ask for a count."""
        return await _answered(self._stub.CountTokens(request, timeout=_QUICK, metadata=metadata))

    async def readiness(self) -> Mapping[str, bool]:
        """Ask what newcomers need. A gateway of the release before knows nothing of it."""
        try:
            answer = await _answered(self._stub.CheckReadiness(gateway_pb2.CheckReadinessRequest(), timeout=_READINESS))
        except MeshError as error:
            if error.reason_name == _NO_SUCH_METHOD:
                return {}
            raise
        return {condition.name: condition.met for condition in answer.conditions}


class VectorsAnswer:
    """`VectorsStream`."""

    __slots__ = ("_call", "_over", "_whole")

    def __init__(self, call: Any, whole: Callable[[], Awaitable[gateway_pb2.EmbedResponse]]) -> None:  # noqa: ANN401 - a call of either link
        self._call = call
        self._whole = whole
        self._over = False

    async def read(self) -> gateway_pb2.EmbedStreamResponse | None:
        """The next message."""
        if self._over:
            return None
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError as error:
            failure = from_rpc_error(error, peer="gateway")
            if failure.reason_name != _NO_SUCH_METHOD:
                raise failure from error
            self._over = True
            return await self._earlier()
        return None if message is grpc.aio.EOF else message

    async def _earlier(self) -> gateway_pb2.EmbedStreamResponse:
        """The answer of a gateway whose contract is one version behind."""
        answer = await _answered(self._whole())
        message = gateway_pb2.EmbedStreamResponse(receipt=answer.receipt, embeddings=answer.output.embeddings)
        answer.output.ClearField("embeddings")
        message.output.CopyFrom(answer.output)
        return message


class StreamedAnswer:
    """`AnswerStream`."""

    __slots__ = ("_call",)

    def __init__(self, call: Any) -> None:  # noqa: ANN401 - a call of either link
        self._call = call

    async def read(self) -> gateway_pb2.GenerateStreamResponse | None:
        """The next message."""
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer="gateway") from error
        return None if message is grpc.aio.EOF else message

    def cancel(self) -> None:
        """End it."""
        self._call.cancel()


class BatchesPeer:
    """`BatchesClient`."""

    def __init__(self, channel: Any, deadline: timedelta) -> None:  # noqa: ANN401 - what stubs take has no common type
        self._files = FileServiceStub(channel)
        self._batches = BatchServiceStub(channel)
        self._deadline = deadline.total_seconds()

    async def upload(self, messages: AsyncIterator[files_pb2.UploadFileRequest], metadata: Metadata) -> files_pb2.File:
        """Hand the pieces on as they come."""
        answer = await _answered(self._files.UploadFile(messages, timeout=self._deadline, metadata=metadata), BATCHES)
        return answer.file

    async def file(self, identity: str, metadata: Metadata) -> files_pb2.File:
        """Ask for a file."""
        request = files_pb2.GetFileRequest(file=identity)
        return (await _answered(self._files.GetFile(request, timeout=_QUICK, metadata=metadata), BATCHES)).file

    async def files(self, request: files_pb2.ListFilesRequest, metadata: Metadata) -> files_pb2.ListFilesResponse:
        """Ask for a page."""
        return await _answered(self._files.ListFiles(request, timeout=_QUICK, metadata=metadata), BATCHES)

    async def delete_file(self, identity: str, metadata: Metadata) -> None:
        """Have it deleted."""
        request = files_pb2.DeleteFileRequest(file=identity)
        await _answered(self._files.DeleteFile(request, timeout=_QUICK, metadata=metadata), BATCHES)

    def download(self, identity: str, metadata: Metadata) -> PeerStream[files_pb2.DownloadFileResponse]:
        """Ask for the content."""
        return PeerStream(self._files.DownloadFile(files_pb2.DownloadFileRequest(file=identity), timeout=self._deadline, metadata=metadata))

    async def create(self, request: batches_pb2.CreateBatchRequest, metadata: Metadata) -> batches_pb2.Batch:
        """Have it begun."""
        return (await _answered(self._batches.CreateBatch(request, timeout=_QUICK, metadata=metadata), BATCHES)).batch

    async def batch(self, identity: str, metadata: Metadata) -> batches_pb2.Batch:
        """Ask for a batch."""
        request = batches_pb2.GetBatchRequest(batch=identity)
        return (await _answered(self._batches.GetBatch(request, timeout=_QUICK, metadata=metadata), BATCHES)).batch

    async def batches(self, request: batches_pb2.ListBatchesRequest, metadata: Metadata) -> batches_pb2.ListBatchesResponse:
        """Ask for a page."""
        return await _answered(self._batches.ListBatches(request, timeout=_QUICK, metadata=metadata), BATCHES)

    async def cancel(self, identity: str, metadata: Metadata) -> batches_pb2.Batch:
        """Have it stopped."""
        request = batches_pb2.CancelBatchRequest(batch=identity)
        return (await _answered(self._batches.CancelBatch(request, timeout=_QUICK, metadata=metadata), BATCHES)).batch

    async def delete(self, identity: str, metadata: Metadata) -> None:
        """Have it deleted."""
        request = batches_pb2.DeleteBatchRequest(batch=identity)
        await _answered(self._batches.DeleteBatch(request, timeout=_QUICK, metadata=metadata), BATCHES)

    def results(self, identity: str, metadata: Metadata) -> PeerStream[batches_pb2.ReadResultsResponse]:
        """Ask for the results."""
        request = batches_pb2.ReadResultsRequest(batch=identity)
        return PeerStream(self._batches.ReadResults(request, timeout=self._deadline, metadata=metadata))


class PeerStream(Generic[T]):
    """`BatchesStream`."""

    __slots__ = ("_call",)

    def __init__(self, call: Any) -> None:  # noqa: ANN401 - a call of either link
        self._call = call

    async def read(self) -> T | None:
        """The next message."""
        message = await _answered(self._call.read(), BATCHES)
        return None if message is grpc.aio.EOF else message

    def cancel(self) -> None:
        """End it."""
        self._call.cancel()


class ProcessPeers:
    """`Processes`: by name, `main` or `worker-2`. There are none where a process is the whole mesh, or a service runs alone."""

    def __init__(self, channels: Mapping[str, Any]) -> None:
        self._stubs = {name.removeprefix(_PROCESS): ProcessServiceStub(channel) for name, channel in channels.items()}

    async def report(self, name: str, *, metrics: bool = False) -> process_pb2.ReportResponse | None:
        """How a process is; None where it does not answer at once."""
        try:
            return await self._stubs[name].Report(process_pb2.ReportRequest(metrics=metrics), timeout=_AT_ONCE)
        except grpc.aio.AioRpcError:
            return None

    async def metrics(self) -> Mapping[str, str | None]:
        """What each of them tells of itself."""
        names = tuple(self._stubs)
        reports = await asyncio.gather(*(self.report(name, metrics=True) for name in names))
        return {name: None if report is None else report.metrics.decode() for name, report in zip(names, reports, strict=True)}
