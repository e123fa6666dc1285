"""The port that a dialect implements: everything that tells one provider's wire format from another's, without I/O."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, TypeVar, runtime_checkable

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.framing import Frame, Framing
from llm_mesh_adapter_kit.metering import AttemptMeter

if TYPE_CHECKING:
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer


T = TypeVar("T")


class Ask(NamedTuple):
    """What a provider is to be asked, once the grant is checked."""

    endpoint: Endpoint
    model: str
    """As the provider names it."""
    max_output_tokens: int = 0
    """The limit to send. 0: none."""
    stream: bool = False
    zero_retention: bool = False
    """The provider must not keep data."""
    packed: bool = False
    """Vectors are to come in the shortest form that the provider has."""
    credential: str = ""
    """The name of the credential, where it is not the endpoint's usual one."""
    proof_key: bytes = b""
    """The secret of the caller's domain at this adapter, for marks of proofs."""


class Call(NamedTuple):
    """One request to a provider. `path` is appended to the endpoint's base address."""

    path: str
    body: bytes = b""
    method: str = "POST"
    headers: Mapping[str, str] = MappingProxyType({})
    translations: Sequence[generate_pb2.Translation] = ()
    """What the translation changed."""
    tool_names: Mapping[str, str] = MappingProxyType({})
    """The whole names of tools whose names were shortened, by what the provider calls them."""
    at_origin: bool = False
    """`path` is appended to the origin instead: some servers have more than their dialect."""
    elsewhere: Endpoint | None = None
    """Where the call goes instead, with the same credential: some providers list their models apart. Of lists alone."""
    proof_mark: Callable[[str], str] | None = None
    """Marks each proof of reasoning in the answer, so that it tells where it came from and whose it is. None: proofs hold everywhere."""
    reader: Callable[[], StreamReader] | None = None
    """Reads the answer, whole or streamed, where what it means depends on what was asked. None: the dialect's own reader does."""


Events: TypeAlias = "RepeatedCompositeFieldContainer[generate_pb2.StreamEvent]"
"""The events of the message that they will travel in: what is made there is not copied there."""


class StreamReader(Protocol):
    """Reads the frames of one streamed answer."""

    @property
    def done(self) -> bool:
        """Whether the provider said that nothing follows."""

    def feed(self, arrived: Sequence[Frame], events: Events, meter: AttemptMeter) -> None:
        """Appends what the arrived frames mean, and tells the meter.

        AdapterError where one is malformed, or tells of a failure; what was appended holds.
        """

    def finish(self) -> Sequence[generate_pb2.StreamEvent]:
        """What the end of the stream means, usage and `finished` included; PROVIDER_RESET where the answer is not whole."""


class VectorReader(Protocol):
    """Reads the text of one answer with vectors, as it arrives. Runs in a thread where the text is not short."""

    @property
    def dimensions(self) -> int:
        """How many numbers each vector has. 0: none has come whole."""

    def feed(self, data: bytes) -> None:
        """More of the text; PROVIDER_MALFORMED where a vector is none."""

    def finish(self) -> tuple[embed_pb2.EmbedOutput, list[bytes]]:
        """Everything but the vectors, and these as 32-bit numbers, little-endian, in the order of the items."""


class Dialect(Protocol):
    """Translates between the typed payload and one dialect. Raises `MeshError` only."""

    @property
    def framing(self) -> Framing:
        """How the frames of streamed answers lie in their bytes."""

    def generate(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call:
        """The request for a generation."""

    def output(self, endpoint: Endpoint, body: bytes, output: generate_pb2.GenerateOutput) -> None:
        """Writes a whole answer; PROVIDER_MALFORMED where it is none."""

    def reader(self, endpoint: Endpoint) -> StreamReader:
        """Reads one streamed answer."""

    def embed(self, ask: Ask, request: embed_pb2.EmbedInput) -> Call:
        """The request for embeddings; UNSUPPORTED where the dialect has none."""

    def vectors(self, endpoint: Endpoint, items: int) -> VectorReader:
        """Reads one answer with embeddings of so many items."""

    def refuses_packed(self, endpoint: Endpoint, error: AdapterError) -> bool:
        """Whether a failure means that the provider does not have the form of vectors that was asked for."""

    def count(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call | None:
        """The request for a count of tokens; None where the provider has none."""

    def counted(self, endpoint: Endpoint, body: bytes) -> int:
        """An answer with a count."""

    def models(self, endpoint: Endpoint) -> Call:
        """The request for the provider's models."""

    def check(self, endpoint: Endpoint) -> Call:
        """The cheapest request that the provider only answers to whom it admits."""

    def model_ids(self, endpoint: Endpoint, body: bytes) -> Sequence[str]:
        """An answer with models."""

    def failure(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
        """What an answer whose status is not 200 means. `failures.of_status` knows what statuses mean everywhere."""


@runtime_checkable
class Describing(Protocol):
    """A dialect whose provider says what its models can do. A `Dialect` may implement it besides."""

    def listed(self, endpoint: Endpoint, body: bytes) -> Sequence[adapter_pb2.ModelDescription]:
        """What the answer with all models says of each."""

    def describe(self, endpoint: Endpoint, model: str) -> Call | None:
        """The request for more about one model; None where the list has everything."""

    def described(self, endpoint: Endpoint, body: bytes, description: adapter_pb2.ModelDescription) -> None:
        """Adds what the answer to `describe` says."""


class Compute(Protocol):
    """Does a part of translating one request: at once where it is small, else off the event loop."""

    async def __call__(self, size: int, work: Callable[[], T]) -> T:
        """The result of the work. `size` is in bytes, where the work is on more than the request."""


@runtime_checkable
class Tokenizing(Protocol):
    """A dialect that makes and counts tokens itself, by what it first has to learn of an endpoint. A `Dialect` may implement it besides.

    `write` is called in the place of the dialect's `generate`.
    """

    async def prepare(self, endpoint: Endpoint, fetch: Callable[[Call], Awaitable[bytes]]) -> None:
        """Learns what translating for the endpoint needs, such as its tokenizer. Comes before every call; mostly there is nothing to do.

        `fetch` makes a call that costs nothing.
        """

    async def write(self, ask: Ask, request: generate_pb2.GenerateInput, compute: Compute) -> Call:
        """The request for a generation. What takes long is done by `compute`."""

    async def tokens(self, ask: Ask, request: generate_pb2.GenerateInput, compute: Compute) -> int:
        """How many tokens a request has there, exactly."""


@runtime_checkable
class Judging(Protocol):
    """A dialect in which a provider that answers may yet say that it is not well. A `Dialect` may implement it besides."""

    def judge(self, endpoint: Endpoint, body: bytes) -> None:
        """Raises what the answer to `check` says is wrong."""
