"""Puts the edge together."""

from __future__ import annotations

import ipaddress

from llm_mesh_edge.domain.readiness import MeshReadiness
from llm_mesh_edge.http import shared_paths
from llm_mesh_edge.http.anthropic import routes as anthropic
from llm_mesh_edge.http.app import Edge, Route
from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.http.google import routes as google
from llm_mesh_edge.http.models import ModelsHandler
from llm_mesh_edge.http.openai import routes as openai
from llm_mesh_edge.http.operations import Operations
from llm_mesh_edge.http.parts import EdgeParts
from llm_mesh_edge.http.responses import routes as responses
from llm_mesh_edge.peers import BATCHES, BatchesPeer, GatewayPeer, ProcessPeers
from llm_mesh_edge.settings import Settings
from llm_mesh_runtime.links import Links
from llm_mesh_runtime.service import HttpApp, Service, Servicers

_METRICS = "/metrics"
_MODELS = "/v1/models"


def build(settings: Settings, links: Links) -> Servicers:
    """The edge of one process."""
    gateway, keys = GatewayPeer(links.channel("gateway"), settings.deadline), links.heads()
    process = links.mesh.process
    others = {name: links.channel(name) for name in links.names("process/") if name != f"process/{process}"}
    everybody = open_metrics(settings, links.mesh.http)
    mesh = None if links.embedded or process else MeshReadiness(gateway)
    operations = Operations(links.health, links.metrics, process, ProcessPeers(others), keys, mesh=mesh, discreet=not everybody)
    models = ModelsHandler(gateway, _MODELS, shared_paths.models_form)
    parts = EdgeParts(gateway, settings, Bodies(settings, links.heavy), _batches(settings, links))
    routes = [
        *openai.routes(parts),
        *anthropic.routes(parts),
        *google.routes(parts),
        *responses.routes(parts),
        Route(_MODELS, {"GET": models.all}, shared_paths.shape, protected=True),
        Route(f"{_MODELS}/*", {"GET": models.one}, shared_paths.shape, protected=True),
        Route("/healthz", {"GET": operations.alive}, shared_paths.shape),
        Route("/readyz", {"GET": operations.ready}, shared_paths.shape),
    ]
    apart = []
    if settings.metrics and settings.metrics_address:
        apart.append(Route(_METRICS, {"GET": operations.metrics}, shared_paths.shape))
    elif settings.metrics and everybody:
        routes.append(Route(_METRICS, {"GET": operations.metrics}, shared_paths.shape))
    elif settings.metrics:
        routes.append(Route(_METRICS, {"GET": operations.permitted_metrics}, shared_paths.shape, protected=True))
    edge = Edge(routes, shared_paths.shape, links.metrics, links.pressure, keys)
    apps = [HttpApp(edge, door=edge.door)]
    if apart:
        metrics = Edge(apart, shared_paths.shape, links.metrics, links.pressure, keys)
        apps.append(HttpApp(metrics, address=settings.metrics_address, setting="LLM_MESH_EDGE_METRICS_ADDRESS", door=metrics.door))
    return Servicers(http=apps)


def _batches(settings: Settings, links: Links) -> BatchesPeer | None:
    channel = links.optional(BATCHES)
    return None if channel is None else BatchesPeer(channel, settings.deadline)


def open_metrics(settings: Settings, address: str) -> bool:
    """Whether everybody who reaches the listener may read metrics: by default where only this machine does."""
    if settings.metrics_access != "auto":
        return settings.metrics_access == "open"
    host = address.rpartition(":")[0].strip("[]") or "127.0.0.1"
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


service = Service.declared("edge", settings=Settings, build=build)
