"""Stands in for policy: what an outbox delivered, and whether policy takes it."""

from __future__ import annotations

from collections.abc import Sequence

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh.policy.v1 import audit_pb2
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import RuntimeFault
from llm_mesh_runtime.outbox import Outbox


class Recorded:
    """Records in memory, once per event id, as policy does."""

    def __init__(self) -> None:
        self.changes: list[audit_pb2.ChangeRecord] = []
        self.calls = 0
        self.away = False

    async def record(self, changes: Sequence[audit_pb2.ChangeRecord]) -> None:
        self.calls += 1
        if self.away:
            raise RuntimeFault(errors_pb2.ERROR_REASON_PEER_UNAVAILABLE, "policy does not answer", peer="policy")
        known = {change.event_id for change in self.changes}
        self.changes += [change for change in changes if change.event_id not in known]


def outbox_of(database: Database, recorded: Recorded | None = None) -> Outbox:
    """An outbox whose changes are recorded in memory."""
    return Outbox(database, recorded or Recorded(), seconds=5)
