"""Screening, put together with where its records go: the audit trail and the ledger, of which it knows nothing."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING

from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.screening.domain.trail import ScreeningRecord

if TYPE_CHECKING:
    from llm_mesh_policy.audit.store.records import AuditRecords
    from llm_mesh_policy.ledger.domain.reservation import Reservation
    from llm_mesh_policy.ledger.store.ledger import SqlLedger

_FIELDS = tuple(field.name for field in fields(ScreeningRecord))
_VALUES = attrgetter(*_FIELDS)


class AuditedScreening:
    """Writes what screening refused or withheld: alone into the audit trail, or with the ledger's entry of a refused request."""

    def __init__(self, records: AuditRecords, ledger: SqlLedger) -> None:
        self._records = records
        self._ledger = ledger

    async def record(self, entry: ScreeningRecord) -> None:
        """Answers after the durable commit."""
        await self._records.record(_entry(entry))

    async def refuse(self, refused: Reservation, audit: ScreeningRecord) -> None:
        """Writes the entry of a refused request with its audit record, likewise."""
        await self._ledger.refuse(refused, _entry(audit))


def _entry(record: ScreeningRecord) -> AuditEntry:
    return AuditEntry(**dict(zip(_FIELDS, _VALUES(record), strict=True)))
