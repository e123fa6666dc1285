"""An audit trail of screening that tests look into."""

from llm_mesh_policy.ledger.domain.reservation import Reservation
from llm_mesh_policy.screening.domain.trail import ScreeningRecord, ScreeningTrail


class Kept:
    """Keeps the records, or fails as tests say."""

    def __init__(self) -> None:
        self.entries: list[ScreeningRecord] = []
        self.refused: list[Reservation] = []
        self.failure: Exception | None = None

    async def record(self, entry: ScreeningRecord) -> None:
        if self.failure is not None:
            raise self.failure
        self.entries.append(entry)

    async def refuse(self, refused: Reservation, audit: ScreeningRecord) -> None:
        await self.record(audit)
        self.refused.append(refused)


def trail(kept: Kept | None = None) -> ScreeningTrail[Reservation]:
    """A trail into memory."""
    kept = kept or Kept()
    return ScreeningTrail(kept, kept)
