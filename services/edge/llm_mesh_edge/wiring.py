"""Puts the edge together."""

from __future__ import annotations

from llm_mesh_edge.http import anthropic, openai, shared_paths
from llm_mesh_edge.http.app import Edge, Route
from llm_mesh_edge.http.generation import Generation
from llm_mesh_edge.http.models import PATH as MODELS
from llm_mesh_edge.http.models import Models
from llm_mesh_edge.http.operations import Operations
from llm_mesh_edge.peers import GatewayPeer, ProcessPeers
from llm_mesh_edge.settings import Settings
from llm_mesh_runtime.links import Links
from llm_mesh_runtime.service import HttpApp, Service, Servicers


def build(settings: Settings, links: Links) -> Servicers:
    """The edge of one process."""
    gateway = GatewayPeer(links.channel("gateway"), settings.deadline)
    process = links.mesh.process
    others = {name: links.channel(name) for name in links.names("process/") if name != f"process/{process}"}
    models, operations = Models(gateway), Operations(links.health, links.metrics, process, ProcessPeers(others))
    routes = [
        Route("/v1/chat/completions", {"POST": Generation(gateway, settings, openai.Chat())}, openai.shape, works=True),
        Route("/v1/embeddings", {"POST": openai.Embeddings(gateway, settings)}, openai.shape, works=True),
        Route("/v1/messages", {"POST": Generation(gateway, settings, anthropic.Messages())}, anthropic.shape, works=True),
        Route("/v1/messages/count_tokens", {"POST": anthropic.Counts(gateway, settings)}, anthropic.shape, works=True),
        Route(MODELS, {"GET": models.all}, shared_paths.shape),
        Route(f"{MODELS}/*", {"GET": models.one}, shared_paths.shape),
        Route("/healthz", {"GET": operations.alive}, shared_paths.shape),
        Route("/readyz", {"GET": operations.ready}, shared_paths.shape),
    ]
    if settings.metrics:
        routes.append(Route("/metrics", {"GET": operations.metrics}, shared_paths.shape))
    edge = Edge(routes, shared_paths.shape, links.metrics, links.pressure)
    return Servicers(http=HttpApp(edge, door=edge.door))


service = Service(name="edge", contracts=(), settings=Settings, build=build)
