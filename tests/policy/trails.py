"""An audit trail of screening that tests look into."""

from llm_mesh_policy.audit.domain.entries import AuditEntry
from llm_mesh_policy.ledger.domain.reservation import Reservation
from llm_mesh_policy.screening.domain.trail import ScreeningTrail


class Kept:
    """Keeps the records, or fails as tests say."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.refused: list[Reservation] = []
        self.failure: Exception | None = None

    async def record(self, entry: AuditEntry) -> None:
        if self.failure is not None:
            raise self.failure
        self.entries.append(entry)

    async def refuse(self, refused: Reservation, audit: AuditEntry) -> None:
        await self.record(audit)
        self.refused.append(refused)


def trail(kept: Kept | None = None) -> ScreeningTrail:
    """A trail into memory."""
    kept = kept or Kept()
    return ScreeningTrail(kept, kept)
