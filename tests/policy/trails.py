"""An audit trail of screening that tests look into."""

from llm_mesh_policy.domain.audit import AuditEntry
from llm_mesh_policy.domain.screening.trail import ScreeningTrail


class Kept:
    """Keeps the records, or fails as tests say."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.failure: Exception | None = None

    async def record(self, entry: AuditEntry) -> None:
        if self.failure is not None:
            raise self.failure
        self.entries.append(entry)


def trail(kept: Kept | None = None) -> ScreeningTrail:
    """A trail into memory."""
    return ScreeningTrail(kept or Kept())
