"""From what a gateway reports to what is charged: one line per attempt, at the price version of the quote."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_policy.domain.ledger.quote import Line
from llm_mesh_runtime.errors import invalid

_MOST_TOKENS = 10**12
_COUNTS = frozenset(
    {
        "input_tokens",
        "output_tokens",
        "cached_input_tokens",
        "cache_write_input_tokens",
        "reasoning_output_tokens",
        "audio_input_tokens",
        "audio_output_tokens",
    }
)
_SENT_WITHOUT_REPORT = frozenset(
    {
        usage_pb2.ATTEMPT_OUTCOME_COMPLETED,
        usage_pb2.ATTEMPT_OUTCOME_INTERRUPTED,
        usage_pb2.ATTEMPT_OUTCOME_CANCELLED,
        usage_pb2.ATTEMPT_OUTCOME_LOST,
    }
)


class Charge(NamedTuple):
    """One attempt's: what was quoted, what is known of it, and what it costs in nanos."""

    line: Line
    report: usage_pb2.UsageLine
    nanos: int


def charges(quoted: Sequence[Line], reported: Sequence[usage_pb2.UsageLine]) -> list[Charge]:
    """What each reported attempt is charged. Attempts without a line were not sent and cost nothing.

    An attempt that was sent and whose usage nobody knows is charged as reserved; one that failed before any content and
    reports nothing is charged nothing, since the gateway reports an estimate wherever the provider may bill.
    """
    by_id = {line.id: line for line in quoted}
    seen: set[str] = set()
    result = []
    for index, report in enumerate(reported[:]):  # a slice, since the end of a message's own list costs an exception
        attempt_id = report.attempt_id
        line = by_id.get(attempt_id)
        if line is None:
            raise invalid(f"lines[{index}].attempt_id", "an attempt of the reservation")
        if attempt_id in seen:
            raise invalid(f"lines[{index}].attempt_id", "each attempt once")
        seen.add(attempt_id)
        result.append(_charge(line, report, index))
    return result


def estimates(quoted: Sequence[Line]) -> list[Charge]:
    """The full reservation: what is charged when the gateway is lost and nobody knows what happened."""
    lost = usage_pb2.ATTEMPT_OUTCOME_LOST
    return [Charge(line, _at_worst(line, usage_pb2.UsageLine(attempt_id=line.id, outcome=lost)), line.reserved) for line in quoted]


def total(charged: Iterable[Charge]) -> int:
    """The sum of charges, in nanos."""
    return sum([charge.nanos for charge in charged])


def write(entry: usage_pb2.LedgerEntry, charged: Sequence[Charge], currency: str) -> None:
    """Puts charges in the place of what the entry was charged before."""
    lines, whole, overrun = entry.lines, entry.charged, False
    if lines:
        del lines[:]
    for line, report, nanos in charged:
        exceeds = nanos > line.reserved
        overrun = overrun or exceeds
        lines.add(
            model=line.model,
            price=line.price,
            charge={"currency": currency, "nanos": nanos},
            overrun=exceeds,
            adapter=line.adapter,
            endpoint=line.endpoint,
            charge_to=line.payer,
        ).usage.CopyFrom(report)
    whole.currency = currency
    whole.nanos = total(charged)
    entry.overrun = overrun


def _charge(line: Line, report: usage_pb2.UsageLine, index: int) -> Charge:
    """An attempt's charge, once its report is found to be whole."""
    outcome, usage = report.outcome, report.usage if report.HasField("usage") else None
    if outcome == usage_pb2.ATTEMPT_OUTCOME_UNSPECIFIED:
        raise invalid(f"lines[{index}].outcome", "how the attempt ended")
    if usage is not None:
        _check(usage, report.source, index)
    if outcome == usage_pb2.ATTEMPT_OUTCOME_NOT_SENT:
        return Charge(line, report, 0)
    if usage is not None:
        return Charge(line, report, line.rates.charge(usage))
    return Charge(line, _at_worst(line, report), line.reserved) if outcome in _SENT_WITHOUT_REPORT else Charge(line, report, 0)


def _at_worst(line: Line, report: usage_pb2.UsageLine) -> usage_pb2.UsageLine:
    filled = usage_pb2.UsageLine()
    filled.CopyFrom(report)
    filled.usage.CopyFrom(generate_pb2.Usage(input_tokens=line.input_tokens, output_tokens=line.all_output_tokens))
    filled.source = usage_pb2.USAGE_SOURCE_ESTIMATED
    return filled


def _check(usage: generate_pb2.Usage, source: usage_pb2.UsageSource, index: int) -> None:
    if source == usage_pb2.USAGE_SOURCE_UNSPECIFIED:
        raise invalid(f"lines[{index}].source", "where the figures come from")
    for descriptor, count in usage.ListFields():  # what is not there is 0
        if descriptor.name in _COUNTS and not 0 <= count <= _MOST_TOKENS:
            raise invalid(f"lines[{index}].usage.{descriptor.name}", f"0 to {_MOST_TOKENS}")
