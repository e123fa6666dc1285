"""Verifies an audit trail: that each chain is whole, ends where its head says, and has only grown since heads were saved.

Within the trail alone a change is found as long as who made it did not compute every later hash of the chain and its head again. Against
heads that were saved elsewhere that is found too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from llm_mesh_runtime.trail.chain import FIRST_NUMBERING, first_hash, next_numbering, record_hash

if TYPE_CHECKING:
    from llm_mesh.policy.v1 import audit_pb2, rules_pb2

MOST_PROBLEMS = 1000


class TrailDefectKind(StrEnum):
    """What is wrong with a trail."""

    BROKEN = "broken"
    ORDER = "order"
    MISSING = "missing"
    ADDED = "added"
    RENUMBERED = "renumbered"
    HEAD = "head"
    REWRITTEN = "rewritten"


@dataclass(frozen=True, slots=True)
class TrailDefect:
    """One thing that is wrong. `sequence` 0: with a chain as a whole."""

    kind: TrailDefectKind
    writer: str
    sequence: int
    text: str


@dataclass(slots=True)
class Chain:
    """The chain of a writer as far as it was read. Without `count` it was read from somewhere in its middle."""

    hash: bytes
    count: int | None = 0
    sequence: int = 0
    numbering: bytes = FIRST_NUMBERING


class Verifier:
    """Takes records, oldest first, and then the heads of the chains; gathers what is wrong.

    `saved` are heads of an earlier time, by writer. `whole` is false where the first records of the trail are left out: each chain then
    begins with the first record that is read of it, which is believed.
    """

    def __init__(self, *, saved: Mapping[str, audit_pb2.ChainHead] | None = None, whole: bool = True) -> None:
        self.records = 0
        self.chains: dict[str, Chain] = {}
        self.problems: list[TrailDefect] = []
        self._saved = saved or {}
        self._whole = whole
        self._last = 0
        self._first = 0

    def add(self, record: rules_pb2.AuditRecord) -> None:
        """The next record."""
        if record.sequence <= self._last:
            self._problem(TrailDefectKind.ORDER, record.writer, record.sequence, "stands behind a record with the same or a later sequence")
        self.records += 1
        self._first = self._first or record.sequence
        self._last = max(self._last, record.sequence)
        chain = self.chains.get(record.writer)
        if chain is None:
            chain = self.chains[record.writer] = self._begun(record)
        elif record_hash(chain.hash, record) != record.hash:
            self._broken(record)
        chain.hash, chain.sequence = record.hash, record.sequence
        if chain.count is not None:
            chain.count += 1
            chain.numbering = next_numbering(chain.numbering, record.sequence)
            self._check_saved(record.writer, chain)

    def finish(self, heads: Iterable[audit_pb2.ChainHead]) -> list[TrailDefect]:
        """Everything that is wrong, once all records were added. The heads are of the moment of the last record."""
        by_writer = {head.writer: head for head in heads}
        for writer, head in by_writer.items():
            self._check_head(head, self.chains.get(writer))
        for writer in self.chains.keys() - by_writer.keys():
            self._problem(TrailDefectKind.HEAD, writer, 0, "has records and no head")
        if self._whole:
            for writer, saved in self._saved.items():
                chain = self.chains.get(writer)
                if saved.count and (chain is None or (chain.count or 0) < saved.count):
                    present = 0 if chain is None else chain.count
                    self._problem(TrailDefectKind.MISSING, writer, 0, f"had {saved.count} records when its head was saved, now {present}")
        return self.problems

    def _begun(self, record: rules_pb2.AuditRecord) -> Chain:
        first = first_hash(record.writer)
        if record_hash(first, record) == record.hash:
            return Chain(first)
        if self._whole:
            self._broken(record)
            return Chain(first)
        return Chain(record.hash, count=None)

    def _broken(self, record: rules_pb2.AuditRecord) -> None:
        text = "does not follow from the record before it in its chain: it was changed, or records before it were dropped or moved"
        self._problem(TrailDefectKind.BROKEN, record.writer, record.sequence, text)

    def _check_saved(self, writer: str, chain: Chain) -> None:
        saved = self._saved.get(writer)
        if saved is None or saved.count != chain.count:
            return
        if saved.hash != chain.hash:
            self._problem(
                TrailDefectKind.REWRITTEN, writer, chain.sequence, f"record {saved.count} of its chain is not the one whose head was saved"
            )
        elif saved.numbering != chain.numbering:
            self._problem(
                TrailDefectKind.RENUMBERED, writer, chain.sequence, "records up to it had other sequences when the head was saved"
            )

    def _check_head(self, head: audit_pb2.ChainHead, chain: Chain | None) -> None:
        if chain is None:
            if head.count and (self._whole or head.sequence >= self._first > 0):
                self._problem(TrailDefectKind.MISSING, head.writer, 0, f"all {head.count} records of the chain are missing")
            return
        if chain.count is not None and chain.count != head.count:
            kind = TrailDefectKind.MISSING if chain.count < head.count else TrailDefectKind.ADDED
            self._problem(kind, head.writer, 0, f"its head says {head.count} records, there are {chain.count}")
        elif chain.hash != head.hash:
            self._problem(TrailDefectKind.HEAD, head.writer, chain.sequence, "its last record is not the one that its head names")
        elif chain.sequence != head.sequence or (chain.count is not None and chain.numbering != head.numbering):
            self._problem(TrailDefectKind.RENUMBERED, head.writer, chain.sequence, "its records have other sequences than they were given")

    def _problem(self, kind: TrailDefectKind, writer: str, sequence: int, text: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(TrailDefect(kind, writer, sequence, text))
