"""The port that a dialect implements: everything that tells one provider's wire format from another's, without I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.sse import Event


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a provider. `path` is appended to the endpoint's base address."""

    path: str
    body: bytes | None = None
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    translations: Sequence[generate_pb2.Translation] = ()
    """What the translation changed."""


class StreamReader(Protocol):
    """Reads the events of one streamed answer."""

    def feed(self, event: Event) -> Sequence[generate_pb2.StreamEvent]:
        """What an event means. AdapterError where it is malformed, or tells of a failure."""
        ...

    def finish(self) -> Sequence[generate_pb2.StreamEvent]:
        """What the end of the stream means; PROVIDER_RESET where the answer is not whole."""
        ...


class Dialect(Protocol):
    """Translates between the typed payload and one dialect. Raises AdapterError only."""

    def generate(
        self, endpoint: Endpoint, model: str, request: generate_pb2.GenerateInput, *, stream: bool, max_output_tokens: int
    ) -> Call:
        """The request for a generation."""
        ...

    def output(self, endpoint: Endpoint, body: bytes) -> generate_pb2.GenerateOutput:
        """A whole answer; PROVIDER_MALFORMED where it is none."""
        ...

    def reader(self, endpoint: Endpoint) -> StreamReader:
        """Reads one streamed answer."""
        ...

    def embed(self, endpoint: Endpoint, model: str, request: embed_pb2.EmbedInput) -> Call:
        """The request for embeddings; UNSUPPORTED where the dialect has none."""
        ...

    def embeddings(self, endpoint: Endpoint, body: bytes) -> embed_pb2.EmbedOutput:
        """An answer with embeddings."""
        ...

    def count(self, endpoint: Endpoint, model: str, request: generate_pb2.GenerateInput) -> Call | None:
        """The request for a count of tokens; None where the dialect has none."""
        ...

    def counted(self, body: bytes) -> int:
        """An answer with a count."""
        ...

    def models(self, endpoint: Endpoint) -> Call:
        """The request for the provider's models."""
        ...

    def model_ids(self, body: bytes) -> Sequence[str]:
        """An answer with models."""
        ...

    def failure(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
        """What an answer with a status of 300 or more means."""
        ...
