"""Models behind every wire: what a proof shows of one adapter it shows of all."""

from __future__ import annotations

from collections.abc import Sequence

from llm_mesh.registry.v1 import registry_pb2
from tests.conformance.wires import WIRES
from tests.proofs.stand import Provider, model

ADAPTERS: Sequence[str] = tuple(name for name, wire in WIRES.items() if not wire.second)
"""One wire of each adapter: what fails below a dialect fails alike for its others."""


def settings_of_wires(given: Provider) -> dict[str, str]:
    """What a mesh is told so that each adapter reaches the provider."""
    return {name: value for wire in WIRES.values() for name, value in wire.environment(given.address).items()}


def model_at(adapter: str, name: str, upstream: str) -> registry_pb2.Model:
    """A model with the usual price, behind a wire of an adapter."""
    wire = WIRES[adapter]
    made = model(name, upstream, endpoint=wire.endpoint)
    made.adapter = wire.adapter
    return made


def turns(number: int) -> str:
    """An adapter: each in its turn."""
    return ADAPTERS[number % len(ADAPTERS)]
