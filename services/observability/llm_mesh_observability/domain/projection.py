"""From a ledger entry to the rows that spend is summed over: one per attempt, of which exactly one counts as the request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from llm_mesh.policy.v1 import usage_pb2


class SpendLine(NamedTuple):
    """One attempt's part of an entry. Of an entry that never had one, the whole."""

    attempt: str
    model: str
    charged: int
    estimated: int
    requests: int
    failed: int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int

    @property
    def figures(self) -> tuple[int, ...]:
        """What is summed, in the order of the fields."""
        return self[2:]


def spend_lines(entry: usage_pb2.LedgerEntry) -> Iterator[SpendLine]:
    """The rows of an entry. They sum up to what it is charged, adjustments included."""
    adjusted = entry.charged.nanos - sum(line.charge.nanos for line in entry.lines)
    failed = int(_failed(entry))
    if not entry.lines:
        estimated = entry.charged.nanos if entry.state == usage_pb2.RESERVATION_STATE_ESTIMATED else 0
        yield SpendLine("", "", adjusted, estimated, 1, failed, 0, 0, 0)
        return
    last = len(entry.lines) - 1
    for index, line in enumerate(entry.lines):
        counts = index == last
        charged = line.charge.nanos + (adjusted if counts else 0)
        guessed = entry.state == usage_pb2.RESERVATION_STATE_ESTIMATED or line.usage.source == usage_pb2.USAGE_SOURCE_ESTIMATED
        usage = line.usage.usage
        yield SpendLine(
            attempt=line.usage.attempt_id,
            model=line.model,
            charged=charged,
            estimated=charged if guessed else 0,
            requests=int(counts),
            failed=failed if counts else 0,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_input_tokens=usage.cached_input_tokens,
        )


def _failed(entry: usage_pb2.LedgerEntry) -> bool:
    """A request has failed when it ended and no attempt of it was completed."""
    if entry.state == usage_pb2.RESERVATION_STATE_HELD:
        return False
    return all(line.usage.outcome != usage_pb2.ATTEMPT_OUTCOME_COMPLETED for line in entry.lines)
