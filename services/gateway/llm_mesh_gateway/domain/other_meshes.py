"""What requests carry from mesh to mesh: the meshes that they have passed through, and what the next one is told besides the payload."""

from __future__ import annotations

from typing import NamedTuple

from google.protobuf.message import Message

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import embed_pb2
from llm_mesh.policy.v1 import admission_pb2
from llm_mesh_gateway.domain import errors
from llm_mesh_gateway.domain.ports import Adapters, AttemptCall

MOST_HOPS = 8


class HopCheck(NamedTuple):
    """Refuses requests that go in a circle, or through too many meshes, before anything is done for them."""

    own: str = ""
    """The id of this mesh. Empty: it has none, and `most` alone ends a circle."""
    most: int = MOST_HOPS

    def check(self, options: gateway_pb2.RequestOptions) -> None:
        """Raises REQUEST_LOOPS and TOO_MANY_HOPS."""
        hops = options.hops
        if not hops:
            return
        if self.own in hops:
            raise errors.request_loops(hops)
        if len(hops) > self.most:
            raise errors.too_many_hops(len(hops), self.most)


def context_of(options: gateway_pb2.RequestOptions | None) -> adapter_pb2.RequestContext | None:
    """What adapters to other meshes pass on; None where there is nothing, as in most requests."""
    if options is None or not (options.idempotency_key or options.session or options.hops):
        return None
    return adapter_pb2.RequestContext(idempotency_key=options.idempotency_key, session=options.session, hops=options.hops)


def bounds_of(admission: admission_pb2.Admission) -> admission_pb2.RequestBounds:
    """The bounds of an admission, for a count, which has no grant. They are passed on, and nothing is decided by them."""
    constraints = admission.constraints
    return admission_pb2.RequestBounds(
        data_classes=[each for each in (constraints.data_class, *constraints.further_data_classes) if each],
        regions=constraints.regions,
        zero_retention=constraints.zero_retention,
    )


class ContextAdapters:
    """`Adapters`, each of which is told the context of one request."""

    __slots__ = ("_adapters", "_context")

    def __init__(self, adapters: Adapters, context: adapter_pb2.RequestContext) -> None:
        self._adapters = adapters
        self._context = context

    def generate(self, adapter: str, request: adapter_pb2.GenerateRequest) -> AttemptCall:
        """Ask for a whole answer."""
        request.context.CopyFrom(self._context)
        return self._adapters.generate(adapter, request)

    def stream(self, adapter: str, request: adapter_pb2.GenerateStreamRequest) -> AttemptCall:
        """Ask for a stream."""
        request.context.CopyFrom(self._context)
        return self._adapters.stream(adapter, request)

    def embed(self, adapter: str, request: adapter_pb2.EmbedStreamRequest) -> AttemptCall:
        """Ask for vectors."""
        request.context.CopyFrom(self._context)
        return self._adapters.embed(adapter, request)

    def call(self, adapter: str, rpc: str, request: Message) -> AttemptCall:
        """Ask for the answer to a method with one input and one output, whose requests all have a context."""
        request.MergeFrom(type(request)(context=self._context))
        return self._adapters.call(adapter, rpc, request)

    async def count(self, request: adapter_pb2.CountTokensRequest) -> embed_pb2.TokenCount:
        """Count the input, without a grant."""
        request.context.CopyFrom(self._context)
        return await self._adapters.count(request)
