"""What the command line declares of an endpoint that it found: what its adapter knows, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh.registry.v1 import registry_pb2

if TYPE_CHECKING:
    from llm_mesh.adapter.v1 import adapter_pb2

_OPERATOR = "domains/platform"
_SIMULATOR = "simulator"
_CURRENCY = "USD"
"""In which models of the simulator have their prices."""


def facts_of(adapter: str, endpoint: adapter_pb2.Endpoint) -> registry_pb2.Endpoint:
    """The facts of an endpoint.

    Models of local servers may be free; those of the simulator have prices, so that spending shows, but none is too low. Elsewhere the
    least price of a domain's model is that of the operator's models of the same upstream.
    """
    simulated = endpoint.name.startswith(_SIMULATOR)
    return registry_pb2.Endpoint(
        name=f"adapters/{adapter}/endpoints/{endpoint.name}",
        operator=_OPERATOR,
        description=f"{endpoint.provider}, found by its adapter"[:255],
        region=endpoint.region,
        free_allowed=endpoint.local and not simulated,
        price_floor=registry_pb2.PriceFloor(currency=_CURRENCY) if simulated else None,
    )
