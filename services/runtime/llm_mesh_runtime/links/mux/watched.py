"""The health of batched links, for operators: how the addresses of each peer are, and what became of attempts to connect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh_runtime.links.mux.member import AddressState

if TYPE_CHECKING:
    from llm_mesh_runtime.telemetry.metrics import Counter, Gauge, Metrics

_LABELS = ("llm_mesh.service", "llm_mesh.peer", "state")


def declare(metrics: Metrics) -> tuple[Gauge, Counter]:
    """The addresses of peers by state, and the states that they have taken."""
    return (
        metrics.gauge("llm_mesh.link.addresses", "Addresses of peers behind batched links, by state.", _LABELS),
        metrics.counter("llm_mesh.link.changes", "States that addresses of peers have taken.", _LABELS),
    )


class AddressStates:
    """Counts the addresses of one peer by state."""

    def __init__(self, caller: str, peer: str, metrics: Metrics | None) -> None:
        self._labels = (caller, peer)
        self._addresses: Gauge | None = None
        self._changes: Counter | None = None
        if metrics is not None:
            self._addresses, self._changes = declare(metrics)

    def __call__(self, old: AddressState, new: AddressState) -> None:
        """An address has changed its state."""
        if self._addresses is None or self._changes is None:
            return
        if old is not AddressState.NONE:
            self._addresses.labels(*self._labels, old.value).dec()
        if new is not AddressState.NONE:
            self._addresses.labels(*self._labels, new.value).inc()
            self._changes.labels(*self._labels, new.value).inc()
