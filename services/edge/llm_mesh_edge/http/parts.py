"""What the handlers of every dialect are made with."""

from __future__ import annotations

from dataclasses import dataclass

from llm_mesh_edge.domain.ports import BatchesClient, GatewayClient
from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.settings import Settings


@dataclass(frozen=True, slots=True)
class EdgeParts:
    """The gateway, the settings, what reads bodies, and batches."""

    gateway: GatewayClient
    settings: Settings
    bodies: Bodies
    batches: BatchesClient | None = None
    """None where no link leads to the service: the edge has no paths of files and batches then."""
