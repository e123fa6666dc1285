"""Puts the edge together."""

from __future__ import annotations

from llm_mesh_edge.http import openai
from llm_mesh_edge.http.app import Edge, Route
from llm_mesh_edge.http.openai.models import PATH as MODELS
from llm_mesh_edge.http.operations import Operations
from llm_mesh_edge.peers import GatewayPeer
from llm_mesh_edge.settings import Settings
from llm_mesh_runtime.links import Links
from llm_mesh_runtime.service import HttpApp, Service, Servicers


def build(settings: Settings, links: Links) -> Servicers:
    """The edge of one process."""
    gateway = GatewayPeer(links.channel("gateway"), settings.deadline)
    models, operations = openai.Models(gateway), Operations(links.health, links.metrics)
    routes = [
        Route("/v1/chat/completions", {"POST": openai.Chat(gateway, settings)}, openai.shape),
        Route("/v1/embeddings", {"POST": openai.Embeddings(gateway, settings)}, openai.shape),
        Route(MODELS, {"GET": models.all}, openai.shape),
        Route(f"{MODELS}/*", {"GET": models.one}, openai.shape),
        Route("/healthz", {"GET": operations.alive}, openai.shape),
        Route("/readyz", {"GET": operations.ready}, openai.shape),
    ]
    if settings.metrics:
        routes.append(Route("/metrics", {"GET": operations.metrics}, openai.shape))
    return Servicers(http=HttpApp(Edge(routes, openai.shape, links.metrics)))


service = Service(name="edge", contracts=(), settings=Settings, build=build)
