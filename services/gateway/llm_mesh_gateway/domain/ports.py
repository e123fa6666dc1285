"""What the gateway needs of its peers, as it sees them. `peers` implements these over the generated stubs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from google.protobuf.message import Message

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.catalogue.v1 import catalogue_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh.router.v1 import router_pb2

Answer = Message
"""The output of a method."""


@dataclass(slots=True)
class Piece:
    """What an adapter delivered at once: events of a stream, or a whole answer; with the last one its report."""

    events: Sequence[generate_pb2.StreamEvent] = ()
    answer: Answer | None = None
    report: adapter_pb2.AttemptReport | None = None
    message: adapter_pb2.GenerateStreamResponse | None = None
    """The adapter's message, where the events are all that is in it: it may go on as it came."""
    vectors: Sequence[bytes] = ()
    """Of an answer with vectors these, in messages of the field `embeddings` alone."""


Release = Callable[[Piece], Awaitable[None]]
"""Hands a piece to the caller, waiting while the caller is slow."""


class AttemptCall(Protocol):
    """One call to an adapter that is under way."""

    async def next(self) -> Piece | None:
        """What comes next; None after the last piece. Raises `MeshError` when the attempt fails."""

    def cancel(self) -> None:
        """End the call at once. Does nothing once it is over."""


class Adapters(Protocol):
    """The adapters, each by the name that the plan gives it."""

    def generate(self, adapter: str, request: adapter_pb2.GenerateRequest) -> AttemptCall:
        """Ask for a whole answer."""

    def stream(self, adapter: str, request: adapter_pb2.GenerateStreamRequest) -> AttemptCall:
        """Ask for a stream."""

    def embed(self, adapter: str, request: adapter_pb2.EmbedStreamRequest) -> AttemptCall:
        """Ask for vectors."""

    def call(self, adapter: str, rpc: str, request: Message) -> AttemptCall:
        """Ask for the answer to a method with one input and one output."""

    async def count(self, request: adapter_pb2.CountTokensRequest) -> embed_pb2.TokenCount:
        """Count the input, without a grant."""


class PromptRenderer(Protocol):
    """Renders prompts."""

    async def render(self, request: catalogue_pb2.RenderRequest) -> catalogue_pb2.RenderResponse:
        """The messages of a prompt, and its version."""


class Rights(Protocol):
    """Knows what the caller of the present call may do."""

    async def demand(self, method: str, action: str, resource: str) -> None:
        """Return where the caller may; ACTION_DENIED where not. `resource` is absolute, or relative to the caller's project."""


class RoutePlanner(Protocol):
    """Plans, and learns how plans went."""

    async def plan(self, request: router_pb2.PlanRequest) -> router_pb2.PlanResponse:
        """Ask for a plan."""

    async def aliases(self, request: router_pb2.ListAliasesRequest) -> router_pb2.ListAliasesResponse:
        """What a domain may address."""

    async def report(self, request: router_pb2.ReportOutcomesRequest) -> None:
        """Tell how attempts went."""


class ScreenSession(Protocol):
    """One answer being screened."""

    async def write(self, text: policy_pb2.ScreenText) -> None:
        """Hand in a piece of text."""

    async def done_writing(self) -> None:
        """No more text comes."""

    async def read(self) -> policy_pb2.ScreenStreamResponse | None:
        """What may be released next; None at the end."""

    def cancel(self) -> None:
        """Screen no more."""


class Policy(Protocol):
    """Admits requests and holds their money."""

    async def admit(self, request: policy_pb2.AdmitRequest) -> policy_pb2.AdmitResponse:
        """Ask for admission."""

    async def reserve(self, request: policy_pb2.ReserveRequest) -> policy_pb2.ReserveResponse:
        """Hold the worst case of a plan."""

    async def extend(self, request: policy_pb2.ExtendRequest) -> policy_pb2.ExtendResponse:
        """Hold the worst case of one attempt more."""

    async def screen(self, admission: resources_pb2.Sealed, state: bytes) -> ScreenSession:
        """Begin to screen an answer."""

    async def kept_answer(self, request: policy_pb2.GetKeptAnswerRequest) -> policy_pb2.GetKeptAnswerResponse:
        """The kept answer of an earlier request."""


class ReservationLedger(Protocol):
    """Ends reservations, and keeps them alive meanwhile."""

    async def settle(self, request: policy_pb2.SettleRequest, *, time_limit: float | None = None) -> policy_pb2.SettleResponse:
        """Charge what was used. May be repeated. Fails once `time_limit` in seconds is over."""

    async def release(self, request: policy_pb2.ReleaseRequest) -> policy_pb2.ReleaseResponse:
        """Give everything back. May be repeated."""

    async def heartbeat(self, request: policy_pb2.HeartbeatRequest) -> policy_pb2.HeartbeatResponse:
        """Say that this instance lives."""


class Services(Protocol):
    """Knows the services of this mesh."""

    async def check(self) -> Sequence[gateway_pb2.ServiceCheck]:
        """How each of them is, by name. Fails for none of them."""

    async def readiness(self) -> Sequence[gateway_pb2.ReadinessCondition]:
        """What a newcomer needs, and whether it is there. Answers within a second; fails for nothing."""


class Epochs(Protocol):
    """Remembers the epochs of this data directory whose end policy may not know of."""

    def begun(self, epoch: str) -> Sequence[str]:
        """Note the new epoch; the answer has the earlier ones."""

    def replaced(self, epoch: str) -> None:
        """Policy knows that all others have ended."""
