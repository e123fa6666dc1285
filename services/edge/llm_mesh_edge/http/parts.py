"""What the handlers of every dialect are made with."""

from __future__ import annotations

from dataclasses import dataclass

from llm_mesh_edge.domain.ports import GatewayClient
from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.settings import Settings


@dataclass(frozen=True, slots=True)
class EdgeParts:
    """The gateway, the settings, and what reads bodies."""

    gateway: GatewayClient
    settings: Settings
    bodies: Bodies
