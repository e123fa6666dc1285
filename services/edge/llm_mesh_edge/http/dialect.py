"""What a dialect is to the edge: how it reads a request and writes an answer. All else is the same for every dialect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_edge.domain.failures import Failure
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.domain.places import Body


class Writer(Protocol):
    """Writes one stream, in whole frames."""

    def write(self, events: Sequence[generate_pb2.StreamEvent], size: int) -> bytes:
        """The frames of what came at once; empty where it writes nothing. `size` is what the field of the events takes on the wire."""

    def close(self, receipt: dict[str, Any]) -> bytes:
        """The end, with what the mesh tells about the answer where it tells something."""

    def failure(self, failure: Failure, headers: Headers) -> bytes:
        """The end of a stream that broke off."""


class EdgeDialect(Protocol):
    """One way to ask for an answer."""

    @property
    def messages(self) -> str:
        """The key of a body that has the conversation."""

    @property
    def keep_alive(self) -> bytes:
        """A frame that every reader skips."""

    def read(self, body: dict[str, Any], headers: Headers, into: generate_pb2.GenerateInput) -> None:
        """Writes the typed request to where it is sent from. Raises `DialectError`."""

    def place(self, field: str, body: Body) -> str:
        """Where a field of the typed request stands in the body."""

    def answer_id(self, provider: str, request_id: str) -> str:
        """The id of an answer: the provider's, which may be empty, or one made of the request's."""

    def body(self, output: generate_pb2.GenerateOutput, request: generate_pb2.GenerateInput, number: str) -> object:
        """A whole answer. `number` is its id."""

    def writer(self, request: generate_pb2.GenerateInput, number: str) -> Writer:
        """What writes a streamed answer. `number` is its id."""
