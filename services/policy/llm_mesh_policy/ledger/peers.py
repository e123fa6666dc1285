"""The services that policy calls: the registry for prices, observability to deliver usage to."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TypeVar

import grpc

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh.observability.v1 import observability_pb2, observability_pb2_grpc
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_policy.ledger.domain.offers import Served
from llm_mesh_runtime.context import deadline_remaining
from llm_mesh_runtime.errors import RuntimeFault
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.refresh import follow

T = TypeVar("T")

_LOOKUP_SECONDS = 2.0
_INGEST_SECONDS = 10.0
_MOST_PRICES = 100_000
_MOST_SERVING = 16_384
_SHARED = "domains/shared"


class ProductRegistryPeer:
    """What serves a domain, as last heard of, and price versions, which never change. What was never heard of is asked for.

    A domain is served by its own models, by those of `domains/shared`, and by what it accepted of others.
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = registry_pb2_grpc.RegistryServiceStub(channel)
        self._models: dict[str, registry_pb2.Model] = {}
        self._accepted: dict[tuple[str, str], registry_pb2.AcceptedProduct] = {}
        self._serving: dict[tuple[str, str], Served] = {}
        """What a domain is served by under a name, found out once and forgotten with every change."""
        self._prices: dict[str, registry_pb2.Price] = {}
        self._resume_token = ""

    async def served(self, name: str, domain: str) -> Served | None:
        """By what a domain is served under a model's name, from memory where it is there."""
        place = (domain, name)
        known = self._serving.get(place)
        if known is None:
            if len(self._serving) >= _MOST_SERVING:
                self._serving.clear()
            known = self._accepted.get(place) if _is_foreign(name, domain) else self._models.get(name)
            if known is None:
                return await self.fresh(name, domain)
            self._serving[place] = known
        return known

    async def fresh(self, name: str, domain: str) -> Served | None:
        """By what a domain is served under a model's name, asked for now."""
        return await (self._fresh_accepted(name, domain) if _is_foreign(name, domain) else self._fresh_model(name))

    async def _fresh_model(self, name: str) -> registry_pb2.Model | None:
        answer = await _answer(self._stub.GetModel(registry_pb2.GetModelRequest(name=name), timeout=_LOOKUP_SECONDS, wait_for_ready=True))
        self._serving.clear()
        if answer is None:
            self._models.pop(name, None)
            return None
        self._learn(answer.model)
        return answer.model

    async def _fresh_accepted(self, name: str, domain: str) -> registry_pb2.AcceptedProduct | None:
        request = registry_pb2.GetAcceptedProductRequest(domain=domain, product=name)
        answer = await _answer(self._stub.GetAcceptedProduct(request, timeout=_LOOKUP_SECONDS, wait_for_ready=True))
        self._serving.clear()
        if answer is None or not answer.HasField("accepted_product"):
            self._accepted.pop((domain, name), None)
            return None
        self._consented(answer.accepted_product)
        return answer.accepted_product

    async def price(self, name: str) -> registry_pb2.Price | None:
        """A price version."""
        known = self._prices.get(name)
        if known is not None:
            return known
        answer = await _answer(self._stub.GetPrice(registry_pb2.GetPriceRequest(name=name), timeout=_LOOKUP_SECONDS, wait_for_ready=True))
        if answer is None:
            return None
        self._keep(answer.price)
        return answer.price

    async def watch(self) -> None:
        """Follows the registry until cancelled. While it is away, what was heard still holds."""
        await follow(self._open, self._apply, name="registry.models")

    def _open(self) -> grpc.aio.UnaryStreamCall[registry_pb2.WatchModelsRequest, registry_pb2.WatchModelsResponse]:
        return self._stub.WatchModels(registry_pb2.WatchModelsRequest(resume_token=self._resume_token))

    def _apply(self, message: registry_pb2.WatchModelsResponse) -> None:
        self._serving.clear()
        if message.reset:
            self._models.clear()
            self._accepted.clear()
        for model in message.models:
            self._learn(model)
        for name in message.removed:
            self._models.pop(name, None)
        for accepted in message.accepted_products:
            self._consented(accepted)
        for gone in message.removed_accepted_products:
            self._accepted.pop((gone.domain, gone.product), None)
        for price in message.prices:
            self._keep(price)
        self._resume_token = message.resume_token or self._resume_token

    def _learn(self, model: registry_pb2.Model) -> None:
        self._models[model.name] = model
        if model.HasField("price"):
            self._keep(model.price)

    def _consented(self, accepted: registry_pb2.AcceptedProduct) -> None:
        self._accepted[accepted.domain, accepted.product] = accepted
        for price in (accepted.model.price, accepted.accepted_price):
            if price.name:
                self._keep(price)

    def _keep(self, price: registry_pb2.Price) -> None:
        if len(self._prices) >= _MOST_PRICES:
            self._prices.pop(next(iter(self._prices)))
        self._prices[price.name] = price


def _is_foreign(name: str, domain: str) -> bool:
    """Whether a model is neither the domain's own nor shared with all by the platform."""
    return not name.startswith((f"{domain}/", f"{_SHARED}/"))


async def _answer(call: Awaitable[T]) -> T | None:
    """The answer; None where the registry has no such thing. A registry that has just come up is waited for, a little."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        if error.code() in {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT}:
            return None
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED and deadline_remaining() != 0:
            message = "the registry does not answer"
            raise RuntimeFault(errors_pb2.ERROR_REASON_PEER_UNAVAILABLE, message, retry_after=1.0, peer="registry") from error
        raise from_rpc_error(error, peer="registry") from error


class ObservabilityPeer:
    """Takes usage events."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = observability_pb2_grpc.ObservabilityServiceStub(channel)

    async def ingest(self, events: Sequence[usage_pb2.UsageEvent]) -> int:
        """Delivers events; answers with the sequence up to which all are stored there."""
        request = observability_pb2.IngestRequest()
        outbox_events = request.events
        for event in events:
            outbox_events.add().CopyFrom(event)  # a keyword would pack and parse each
        try:
            answer = await self._stub.Ingest(request, timeout=_INGEST_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer="observability") from error
        return answer.through_sequence
