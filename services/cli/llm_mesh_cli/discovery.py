"""Asks the mesh's adapters which models their local endpoints offer. The command line itself never calls a provider."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import grpc

from llm_mesh.adapter.v1 import adapter_pb2, adapter_pb2_grpc
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_cli.facts import facts_of
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.set_up.endpoints import ADAPTER

if TYPE_CHECKING:
    from llm_mesh_cli.session import Session

_SIMULATOR = "simulator"
_USUAL = "openai"
_TIMEOUT = 5.0
_ALIAS = re.compile(r"[^A-Za-z0-9._:/-]")
_EMBEDS = re.compile(r"embed|bge-|e5-|minilm|gte-", re.IGNORECASE)
_NAMED = (
    (re.compile(r"rerank", re.IGNORECASE), ("rerank",)),
    (_EMBEDS, ("embeddings",)),
    (re.compile(r"moderation|llama-guard|shieldgemma", re.IGNORECASE), ("moderate",)),
    (re.compile(r"whisper|transcri", re.IGNORECASE), ("transcribe",)),
    (re.compile(r"(^|[^a-z])tts([^a-z]|$)|speech", re.IGNORECASE), ("speak",)),
    (re.compile(r"dall-e|gpt-image|imagen|stable-diffusion|(^|[^a-z])flux", re.IGNORECASE), ("generate_image",)),
)
"""What models of certain names can do, where their provider says nothing of it. The first that fits counts."""
_CAPABILITIES = ("generate", "streaming", "tools", "json_object", "json_schema", "seed", "logprobs")


class DiscoveredModels(NamedTuple):
    """What local endpoints offer."""

    models: tuple[registry_pb2.Model, ...]
    silent: tuple[str, ...]
    facts: tuple[registry_pb2.Endpoint, ...] = ()
    """Of the endpoints that answered."""


async def endpoints(session: Session) -> list[tuple[str, adapter_pb2.Endpoint]]:
    """All endpoints, each with its adapter's name."""
    pairs: list[tuple[str, adapter_pb2.Endpoint]] = []
    for adapter in await adapters(session):
        stub = adapter_pb2_grpc.AdapterServiceStub(session.channel(f"adapter/{adapter}"))
        answer = await stub.ListEndpoints(adapter_pb2.ListEndpointsRequest(page_size=1000), metadata=((ADAPTER, adapter),), timeout=10)
        pairs += [(adapter, endpoint) for endpoint in answer.endpoints]
    return pairs


async def adapters(session: Session) -> list[str]:
    """The names of the adapters of the mesh, by what the gateway knows and by what has an address of its own."""
    names = {*await _services(session), *session.settings.addresses}
    return sorted(name.removeprefix("adapter/") for name in names if name.startswith("adapter/"))


async def _services(session: Session) -> list[str]:
    """What the gateway has links to. Whoever may not ask it sees what health tells everybody: the services of one process."""
    from grpc_health.v1 import health_pb2, health_pb2_grpc  # noqa: PLC0415 (only here)

    from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc  # noqa: PLC0415 (likewise)

    gateway = gateway_pb2_grpc.GatewayServiceStub(session.channel())
    try:
        checks = await gateway.CheckServices(gateway_pb2.CheckServicesRequest(), timeout=10)
    except grpc.aio.AioRpcError as error:
        if error.code() not in {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNIMPLEMENTED}:
            raise
        health = await health_pb2_grpc.HealthStub(session.channel()).List(health_pb2.HealthListRequest(), timeout=10)
        return list(health.statuses)
    return [check.service for check in checks.services]


async def discovered(session: Session, names: tuple[str, ...]) -> DiscoveredModels:
    """The models of the wanted endpoints, `openai/ollama` or `ollama` of any adapter, or of all local ones but the simulator."""
    listed = await endpoints(session)
    unknown = set(names).difference(*map(_known_as, listed))
    if unknown:
        raise CommandError(f"no adapter has the endpoint {', '.join(sorted(unknown))}", Exit.NOT_FOUND)
    chosen = [pair for pair in listed if not _known_as(pair).isdisjoint(names)] if names else _local(listed)
    offers = await asyncio.gather(*(_offered(session, adapter, endpoint) for adapter, endpoint in chosen))
    models = [model for offer in offers for model in offer or ()]
    silent = [endpoint.name for (_, endpoint), offer in zip(chosen, offers, strict=True) if offer is None]
    facts = [facts_of(*pair) for pair, offer in zip(chosen, offers, strict=True) if offer]
    return DiscoveredModels(tuple(models), tuple(silent), tuple(facts))


def registered(model: registry_pb2.Model, known: Sequence[registry_pb2.Model]) -> bool:
    """Whether a model of the same endpoint and upstream id is registered."""
    return any(place(each) == place(model) for each in known)


def place(model: registry_pb2.Model) -> tuple[str, str]:
    """Where a model is asked: its endpoint, with the adapter's name, and what the provider calls it."""
    return f"{model.adapter}/{model.endpoint}", model.upstream_model


def _known_as(pair: tuple[str, adapter_pb2.Endpoint]) -> set[str]:
    return {pair[1].name, f"{pair[0]}/{pair[1].name}"}


def _local(listed: Sequence[tuple[str, adapter_pb2.Endpoint]]) -> list[tuple[str, adapter_pb2.Endpoint]]:
    """The local endpoints but the simulator. Of several that lead to one server, the one in the dialect that most speak."""
    local = [pair for pair in listed if pair[1].local and not pair[1].name.startswith(_SIMULATOR)]
    by_origin: dict[str, tuple[str, adapter_pb2.Endpoint]] = {}
    for adapter, endpoint in sorted(local, key=lambda pair: pair[0] != _USUAL):
        by_origin.setdefault(urlsplit(endpoint.base_url).netloc, (adapter, endpoint))
    return list(by_origin.values())


async def _offered(session: Session, adapter: str, endpoint: adapter_pb2.Endpoint) -> list[registry_pb2.Model] | None:
    """The endpoint's models; None where nobody answers there."""
    stub = adapter_pb2_grpc.AdapterServiceStub(session.channel(f"adapter/{adapter}"))
    request = adapter_pb2.DiscoverModelsRequest(endpoint=endpoint.name)
    try:
        answer = await stub.DiscoverModels(request, metadata=((ADAPTER, adapter),), timeout=_TIMEOUT)
    except grpc.aio.AioRpcError as error:
        if error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.FAILED_PRECONDITION}:
            return None
        raise
    described = {each.model: each for each in answer.descriptions}
    return [_model(adapter, endpoint, upstream, described.get(upstream)) for upstream in answer.models]


def _model(
    adapter: str, endpoint: adapter_pb2.Endpoint, upstream: str, described: adapter_pb2.ModelDescription | None
) -> registry_pb2.Model:
    """What the provider says of the model, and what models of its name usually can where it says nothing."""
    usual = next((capabilities for name, capabilities in _NAMED if name.search(upstream)), _CAPABILITIES)
    alias = _ALIAS.sub("-", upstream.rsplit("/", 1)[-1].removesuffix(".gguf"))[:128] or endpoint.name
    return registry_pb2.Model(
        alias=alias,
        display_name=f"{endpoint.provider}: {upstream}"[:255],
        adapter=adapter,
        endpoint=endpoint.name,
        upstream_model=upstream,
        capabilities=(described.capabilities if described is not None else ()) or usual,
        context_window=described.context_window if described is not None else 0,
        max_output_tokens=described.max_output_tokens if described is not None else 0,
        region=endpoint.region,
        free=endpoint.local,
    )
