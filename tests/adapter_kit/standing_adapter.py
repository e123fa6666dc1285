"""An adapter in front of a provider that answers with given bytes, and the grants that its calls need."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.adapter.v1.adapter_pb2_grpc import AdapterServiceStub
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh.policy.v1 import admission_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_runtime.service import Service
from llm_mesh_runtime.testing import HostedMesh, host
from tests.adapter_kit.scripted_provider import Provider, Visit, provider

ENDPOINT = "main"
JSON, EVENTS, LINES = b"content-type: application/json", b"content-type: text/event-stream", b"content-type: application/x-ndjson"


class StandingAdapter:
    """An adapter, as a gateway calls it."""

    def __init__(self, name: str, stub: AdapterServiceStub, sealed: Callable[[admission_pb2.Grant], bytes], made: Provider | None) -> None:
        self.name = name
        self.stub = stub
        self._provider = made
        self._sealed = sealed
        self.endpoint = ENDPOINT
        """Where attempts go."""
        self.most_candidates = 1
        """As grants have it."""

    @property
    def provider(self) -> Provider:
        """The provider that answers with given bytes."""
        assert self._provider is not None
        return self._provider

    @property
    def body(self) -> dict[str, Any]:
        """What reached the provider last."""
        body: dict[str, Any] = json.loads(self.provider.requests[-1].partition(b"\r\n\r\n")[2])
        return body

    @property
    def paths(self) -> list[str]:
        """Which paths were asked for, in order."""
        return [request.split(b" ", 2)[1].decode() for request in self.provider.requests]

    async def generate(self, model: str = "big-1", **more: Any) -> adapter_pb2.GenerateResponse:
        """A whole answer."""
        attempt = self._attempt(model)
        request = adapter_pb2.GenerateRequest(attempt=attempt, input=saying(**more))
        request.grant.MergeFromString(self._grant(attempt))
        return await self.stub.Generate(request, timeout=20)

    async def stream(self, model: str = "big-1", **more: Any) -> tuple[list[generate_pb2.StreamEvent], adapter_pb2.AttemptReport]:
        """All events of a streamed answer, and its report."""
        messages = [message async for message in self.begin(model, **more)]
        return [event for message in messages for event in message.events], messages[-1].final

    def begin(self, model: str = "big-1", **more: Any) -> Any:
        """A streamed answer that has yet to come."""
        attempt = self._attempt(model)
        request = adapter_pb2.GenerateStreamRequest(attempt=attempt, input=saying(**more))
        request.grant.MergeFromString(self._grant(attempt))
        return self.stub.GenerateStream(request, timeout=20)

    async def embed(self, texts: Sequence[str], model: str = "embed-1", **more: Any) -> adapter_pb2.EmbedResponse:
        """Vectors."""
        attempt = self._attempt(model)
        asked = embed_pb2.EmbedInput(items=[embed_pb2.EmbedItem(text=text) for text in texts], **more)
        request = adapter_pb2.EmbedRequest(attempt=attempt, input=asked)
        request.grant.MergeFromString(self._grant(attempt))
        return await self.stub.Embed(request, timeout=20)

    def beside(self, endpoint: str) -> StandingAdapter:
        """The same adapter, whose attempts go to another of its endpoints."""
        other = StandingAdapter(self.name, self.stub, self._sealed, self._provider)
        other.endpoint = endpoint
        return other

    async def discover(self) -> adapter_pb2.DiscoverModelsResponse:
        """The models of the endpoint."""
        return await self.stub.DiscoverModels(adapter_pb2.DiscoverModelsRequest(endpoint=ENDPOINT), timeout=20)

    def granted(self, model: str) -> dict[str, Any]:
        """Attempt and grant of a request for another method."""
        attempt = self._attempt(model)
        made = adapter_pb2.RerankRequest()
        made.grant.MergeFromString(self._grant(attempt))
        return {"attempt": attempt, "grant": made.grant}

    def _attempt(self, model: str) -> plan_pb2.Attempt:
        return plan_pb2.Attempt(
            id="a1", adapter=self.name, endpoint=self.endpoint, upstream_model=model, max_output_tokens=256, max_input_tokens=10_000
        )

    def _grant(self, attempt: plan_pb2.Attempt) -> bytes:
        allowed = admission_pb2.AttemptGrant(
            attempt_id=attempt.id,
            adapter=attempt.adapter,
            endpoint=attempt.endpoint,
            upstream_model=attempt.upstream_model,
            max_output_tokens=attempt.max_output_tokens,
            max_candidates=self.most_candidates,
        )
        made = admission_pb2.Grant(reservation_id="01j", domain="domains/claims", attempts=[allowed])
        made.expire_time.FromDatetime(datetime.now(UTC) + timedelta(seconds=60))
        return self._sealed(made)


def saying(**more: Any) -> generate_pb2.GenerateInput:
    """A request of one message, unless it has messages."""
    hello = content_pb2.Message(role=content_pb2.ROLE_USER, parts=[content_pb2.Part(text=content_pb2.Text(text="Hello"))])
    return generate_pb2.GenerateInput(**({"messages": [hello]} | more))


@asynccontextmanager
async def standing(service: Service, settings: Callable[[str], object], *answers: Sequence[bytes]) -> AsyncIterator[StandingAdapter]:
    """The adapter, whose provider answers with these pieces of bytes, request by request; the last ones stay.

    `settings` makes the adapter's settings from the text of the endpoint, whose name is `main`.
    """

    async def handle(visit: Visit) -> None:
        while request := await visit.request():
            made.requests.append(request)
            await visit.say(*answers[min(len(made.requests), len(answers)) - 1])

    async with provider(handle) as (made, port):
        endpoint = json.dumps({"base_url": f"http://127.0.0.1:{port}", "local": True})
        async with at(service, settings(endpoint), made) as adapter:
            yield adapter


@asynccontextmanager
async def at(service: Service, settings: object, made: Provider | None = None) -> AsyncIterator[StandingAdapter]:
    """The adapter with these settings."""
    async with host(service, settings={service.name: settings}) as mesh:
        yield adapter_of(service, mesh, made)


def adapter_of(service: Service, mesh: HostedMesh, made: Provider | None = None) -> StandingAdapter:
    """The adapter in a mesh."""

    def sealed(grant: admission_pb2.Grant) -> bytes:
        seals = mesh.links("gateway").seals
        return seals.sealed(grant.DESCRIPTOR.full_name, grant.SerializeToString(), service.name).SerializeToString()

    stub = AdapterServiceStub(mesh.channel(service.name, caller="gateway"))
    return StandingAdapter(service.name.removeprefix("adapter/"), stub, sealed, made)
