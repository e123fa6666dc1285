"""What other slices may use of the ledger: a reservation, and that one was refused."""

from __future__ import annotations

from llm_mesh_policy.ledger.domain.refusing import unreserved_entry
from llm_mesh_policy.ledger.domain.reservation import REFUSED, SETTLED, Reservation
from llm_mesh_policy.ledger.domain.reserving import ReservationSeals

__all__ = [
    "REFUSED",
    "SETTLED",
    "Reservation",
    "ReservationSeals",
    "unreserved_entry",
]
