"""What other slices may use of the ledger: a reservation, and that one was refused."""

from __future__ import annotations

from llm_mesh_policy.ledger.domain.reservation import REFUSED, Reservation
from llm_mesh_policy.ledger.domain.reserving import Seals

__all__ = [
    "REFUSED",
    "Reservation",
    "Seals",
]
