"""From a ledger entry to the rows that spend is summed over: one per attempt, of which exactly one counts as the request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_figures.money import MAX_INT64, saturated

_COUNT = "count_tokens"


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


def spend_lines(entry: usage_pb2.LedgerEntry) -> list[SpendLine]:
    """The rows of an entry. They sum up to what it is charged, adjustments included. A count of tokens is no request that is spent on."""
    if entry.operation == _COUNT:
        return []
    lines = entry.lines[:]  # a slice, since the end of a message's own list costs an exception
    state, whole = entry.state, entry.charged.nanos
    lost = state == usage_pb2.RESERVATION_STATE_ESTIMATED
    if not lines:
        return [SpendLine("", "", whole, whole if lost else 0, 1, _failed(state, ()), 0, 0, 0)]
    charges, reports = [line.charge.nanos for line in lines], [line.usage for line in lines]
    failed = _failed(state, [report.outcome for report in reports])
    charges[-1] = saturated(charges[-1] + whole - sum(charges), MAX_INT64)
    last = len(lines) - 1
    rows = []
    for index, (line, report, charged) in enumerate(zip(lines, reports, charges, strict=True)):
        usage = report.usage
        guessed = lost or report.source == usage_pb2.USAGE_SOURCE_ESTIMATED
        rows.append(
            SpendLine(
                attempt=report.attempt_id,
                model=line.model,
                charged=charged,
                estimated=charged if guessed else 0,
                requests=int(index == last),
                failed=failed if index == last else 0,
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cached_input_tokens=usage.cached_input_tokens,
            )
        )
    return rows


def _failed(state: usage_pb2.ReservationState, outcomes: Sequence[usage_pb2.AttemptOutcome]) -> int:
    """A request has failed when it ended and no attempt of it was completed."""
    return int(state != usage_pb2.RESERVATION_STATE_HELD and usage_pb2.ATTEMPT_OUTCOME_COMPLETED not in outcomes)
