"""The gateway and the other processes of this mesh, as the edge sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol, TypeVar

from llm_mesh.batches.v1 import batches_pb2, files_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.mesh.v1 import process_pb2
from llm_mesh_edge.domain.headers import Metadata
from llm_mesh_runtime.context import Caller
from llm_mesh_runtime.shares import Party

M_co = TypeVar("M_co", covariant=True)


class AnswerStream(Protocol):
    """The gateway's response stream of one request, read message by message."""

    async def read(self) -> gateway_pb2.GenerateStreamResponse | None:
        """The next message; None at the end. Raises `MeshError`."""

    def cancel(self) -> None:
        """End it at once."""


class VectorsStream(Protocol):
    """An answer with vectors that comes in pieces. It ends with whoever reads it."""

    async def read(self) -> gateway_pb2.EmbedStreamResponse | None:
        """The next message, None at the end. The first has the receipt, and everything but vectors. Raises `MeshError`."""


class GatewayClient(Protocol):
    """Answers requests on behalf of the caller whose credential is in the metadata."""

    async def generate(self, request: gateway_pb2.GenerateRequest, metadata: Metadata) -> gateway_pb2.GenerateResponse:
        """A whole answer."""

    def stream(self, request: gateway_pb2.GenerateStreamRequest, metadata: Metadata) -> AnswerStream:
        """A streamed answer."""

    def embed(self, request: gateway_pb2.EmbedStreamRequest, metadata: Metadata) -> VectorsStream:
        """Embed texts, and stream the vectors."""

    async def rerank(self, request: gateway_pb2.RerankRequest, metadata: Metadata) -> gateway_pb2.RerankResponse:
        """Order documents by how well they answer a query."""

    async def moderate(self, request: gateway_pb2.ModerateRequest, metadata: Metadata) -> gateway_pb2.ModerateResponse:
        """Find harmful content."""

    async def assess(self, request: gateway_pb2.AssessRequest, metadata: Metadata) -> gateway_pb2.AssessResponse:
        """Answer typed questions about a state."""

    async def generate_image(self, request: gateway_pb2.GenerateImageRequest, metadata: Metadata) -> gateway_pb2.GenerateImageResponse:
        """Make images."""

    async def speak(self, request: gateway_pb2.SpeakRequest, metadata: Metadata) -> gateway_pb2.SpeakResponse:
        """Speak a text."""

    async def transcribe(self, request: gateway_pb2.TranscribeRequest, metadata: Metadata) -> gateway_pb2.TranscribeResponse:
        """Write down what is spoken."""

    async def models(self, request: gateway_pb2.ListModelsRequest, metadata: Metadata) -> gateway_pb2.ListModelsResponse:
        """A page of models."""

    async def count(self, request: gateway_pb2.CountTokensRequest, metadata: Metadata) -> gateway_pb2.CountTokensResponse:
        """Count the input tokens of a request. Raises `MeshError`."""

    async def readiness(self) -> Mapping[str, bool]:
        """What a newcomer needs of the services behind the gateway. Raises `MeshError` where the gateway does not answer at once."""


class BatchesStream(Protocol[M_co]):
    """A response stream of batches, read message by message."""

    async def read(self) -> M_co | None:
        """The next message; None at the end. Raises `MeshError`."""

    def cancel(self) -> None:
        """End it at once."""


class BatchesClient(Protocol):
    """Keeps files and works off batches on behalf of the caller whose credential is in the metadata. All of it raises `MeshError`."""

    async def upload(self, messages: AsyncIterator[files_pb2.UploadFileRequest], metadata: Metadata) -> files_pb2.File:
        """Store a file."""

    async def file(self, identity: str, metadata: Metadata) -> files_pb2.File:
        """What is known of a file."""

    async def files(self, request: files_pb2.ListFilesRequest, metadata: Metadata) -> files_pb2.ListFilesResponse:
        """Some files."""

    async def delete_file(self, identity: str, metadata: Metadata) -> None:
        """Delete it with its content, for good."""

    def download(self, identity: str, metadata: Metadata) -> BatchesStream[files_pb2.DownloadFileResponse]:
        """The content of a file."""

    async def create(self, request: batches_pb2.CreateBatchRequest, metadata: Metadata) -> batches_pb2.Batch:
        """Begin a batch."""

    async def batch(self, identity: str, metadata: Metadata) -> batches_pb2.Batch:
        """How far a batch is."""

    async def batches(self, request: batches_pb2.ListBatchesRequest, metadata: Metadata) -> batches_pb2.ListBatchesResponse:
        """Some batches."""

    async def cancel(self, identity: str, metadata: Metadata) -> batches_pb2.Batch:
        """Stop a batch."""

    async def delete(self, identity: str, metadata: Metadata) -> None:
        """Delete it with its results, for good."""

    def results(self, identity: str, metadata: Metadata) -> BatchesStream[batches_pb2.ReadResultsResponse]:
        """The results of a batch."""


class Keys(Protocol):
    """Whether credentials are valid."""

    def known(self, credential: str, project: str) -> Caller | None:
        """Whose credential it is, where that was found out a moment ago."""

    def party(self, credential: str, project: str, address: str) -> Party:
        """Who shares bounds for a credential that is not known now: its last owner, else the address that it comes from."""

    async def ask(self, credential: str, project: str, address: str, method: str) -> Caller:
        """Whose credential it is. Raises `MeshError` where it is not valid, or the project is not one of its own."""

    async def authorise(self, credential: str, address: str, method: str, resource: str, action: str) -> Caller:
        """The same for something that only some may do."""


class Processes(Protocol):
    """The other processes of this mesh, by name."""

    async def report(self, name: str, *, metrics: bool = False) -> process_pb2.ReportResponse | None:
        """How a process is; None where it does not answer at once."""

    async def metrics(self) -> Mapping[str, str | None]:
        """What each of them tells of itself; None where it does not."""
