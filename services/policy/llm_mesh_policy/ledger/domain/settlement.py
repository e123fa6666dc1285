"""From what a gateway reports to what is charged: one line per attempt, at the price version of the quote."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_figures.money import saturated
from llm_mesh_policy.ledger.domain.plausible import counted_instead, impossible
from llm_mesh_policy.ledger.domain.quote import QuoteLine
from llm_mesh_policy.ledger.domain.unfinished import is_unfinished, probable_usage
from llm_mesh_policy.ledger.domain.units import NO_UNITS
from llm_mesh_runtime.errors import invalid

_LONGEST_REASON = 63
_LONGEST_FIELD = 255
SpeedOf = Callable[[str], float]
"""The output tokens per second and choice of a model."""

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

    line: QuoteLine
    report: usage_pb2.UsageLine
    """With the usage that is charged."""
    nanos: int
    implausible: bool = False
    """The reported usage is impossible."""
    reported: generate_pb2.Usage | None = None
    """The usage as it was reported, where another one is charged."""


def charges(quoted: Sequence[QuoteLine], reported: Sequence[usage_pb2.UsageLine], speed_of: SpeedOf) -> list[Charge]:
    """What each reported attempt is charged. Attempts without a line were not sent and cost nothing.

    An unfinished attempt without usage of its provider is charged an estimate (docs/charging.md). One that was sent and reports nothing at
    all is charged as reserved; one that failed before any content and reports nothing is charged nothing, since the gateway reports what it
    counted wherever the provider may bill.
    """
    return [_charge(line, report, speed_of) for line, report in _paired(quoted, reported)]


def true_charges(quoted: Sequence[QuoteLine], reported: Sequence[usage_pb2.UsageLine]) -> list[Charge]:
    """What attempts are charged by a word that is final: nothing is estimated, and what is impossible is refused."""
    result = []
    for index, (line, report) in enumerate(_paired(quoted, reported)):
        if not report.HasField("usage"):
            result.append(_unreported(line, report))
            continue
        wrong = impossible(line, report.usage)
        if wrong is not None:
            raise invalid(f"lines[{index}].usage.{wrong}", "a count that this attempt can have had")
        nanos = 0 if report.outcome == usage_pb2.ATTEMPT_OUTCOME_NOT_SENT else line.rates.charge(report.usage)
        result.append(Charge(line, report, nanos))
    return result


def unsent(quoted: Sequence[QuoteLine], reported: Sequence[usage_pb2.UsageLine]) -> list[Charge]:
    """Attempts that no adapter sent, each with why. They cost nothing."""
    for index, report in enumerate(reported):
        if report.outcome != usage_pb2.ATTEMPT_OUTCOME_NOT_SENT or report.HasField("usage"):
            raise invalid(f"lines[{index}].outcome", "an attempt that was not sent")
        check_why(report.error_reason, report.error_field, f"lines[{index}].error_reason", f"lines[{index}].error_field")
    return [Charge(line, report, 0) for line, report in _paired(quoted, reported)]


def check_why(reason: str, field: str, named_reason: str, named_field: str) -> None:
    """Raises where a reason is none, or a field is no path."""
    if not 0 < len(reason) <= _LONGEST_REASON or not reason.isprintable():
        raise invalid(named_reason, f"1 to {_LONGEST_REASON} printable characters")
    if len(field) > _LONGEST_FIELD or not field.isprintable():
        raise invalid(named_field, f"at most {_LONGEST_FIELD} printable characters")


def estimates(quoted: Sequence[QuoteLine]) -> list[Charge]:
    """The full reservation: what is charged when the gateway is lost and nobody knows what happened."""
    lost = usage_pb2.ATTEMPT_OUTCOME_LOST
    return [Charge(line, _at_worst(line, usage_pb2.UsageLine(attempt_id=line.id, outcome=lost)), line.reserved) for line in quoted]


def standing(quoted: Sequence[QuoteLine], entry: usage_pb2.LedgerEntry) -> list[Charge]:
    """The charges as an entry has them now."""
    by_id = {line.id: line for line in quoted}
    copy = usage_pb2.LedgerEntry()
    copy.CopyFrom(entry)  # the entry's own lines are about to be replaced
    return [
        Charge(
            by_id[charge.usage.attempt_id],
            charge.usage,
            charge.charge.nanos,
            charge.implausible,
            charge.reported_usage if charge.HasField("reported_usage") else None,
        )
        for charge in copy.lines
    ]


def total(charged: Iterable[Charge]) -> int:
    """The sum of charges, in nanos."""
    return sum([charge.nanos for charge in charged])


def write(entry: usage_pb2.LedgerEntry, charged: Sequence[Charge], currency: str) -> None:
    """Puts charges in the place of what the entry was charged before."""
    lines, whole, overrun = entry.lines, entry.charged, False
    if lines:
        del lines[:]
    for line, report, nanos, implausible, reported in charged:
        exceeds = nanos > line.reserved
        overrun = overrun or exceeds
        written = lines.add(
            model=line.model,
            price=line.price,
            charge={"currency": currency, "nanos": saturated(nanos)},
            overrun=exceeds,
            adapter=line.adapter,
            endpoint=line.endpoint,
            charge_to=line.payer,
        )
        written.usage.CopyFrom(report)
        if implausible:
            written.implausible = True
        if reported is not None:
            written.reported_usage.CopyFrom(reported)
    whole.currency = currency
    whole.nanos = saturated(total(charged))
    entry.overrun = overrun


def _paired(quoted: Sequence[QuoteLine], reported: Sequence[usage_pb2.UsageLine]) -> list[tuple[QuoteLine, usage_pb2.UsageLine]]:
    """Reports with what was quoted for them, once they are found to be whole."""
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
        if report.outcome == usage_pb2.ATTEMPT_OUTCOME_UNSPECIFIED:
            raise invalid(f"lines[{index}].outcome", "how the attempt ended")
        if report.source == usage_pb2.USAGE_SOURCE_UNSPECIFIED and report.HasField("usage"):
            raise invalid(f"lines[{index}].source", "where the figures come from")
        result.append((line, report))
    return result


def _charge(line: QuoteLine, report: usage_pb2.UsageLine, speed_of: SpeedOf) -> Charge:
    if not report.HasField("usage"):
        return _unreported(line, report)
    if report.outcome == usage_pb2.ATTEMPT_OUTCOME_NOT_SENT:
        return Charge(line, report, 0)
    usage = report.usage
    if impossible(line, usage) is not None:
        known = _instead(report, counted_instead(line, report), usage_pb2.USAGE_SOURCE_COUNTED)
        return Charge(line, *_estimate(line, known, speed_of), implausible=True, reported=usage)
    if not is_unfinished(line, report):
        return Charge(line, report, line.rates.charge(usage))
    estimated, nanos = _estimate(line, report, speed_of)
    return Charge(line, estimated, nanos, reported=usage)


def _estimate(line: QuoteLine, report: usage_pb2.UsageLine, speed_of: SpeedOf) -> tuple[usage_pb2.UsageLine, int]:
    """A possible report as it is charged: for an unfinished attempt with an estimate, which never exceeds the reservation."""
    if not is_unfinished(line, report):
        return report, line.rates.charge(report.usage)
    if line.strict:
        return _at_worst(line, report), line.reserved
    usage = probable_usage(line, report, speed_of(line.model))
    return _instead(report, usage, usage_pb2.USAGE_SOURCE_ESTIMATED), min(line.rates.charge_up(usage), line.reserved)


def _unreported(line: QuoteLine, report: usage_pb2.UsageLine) -> Charge:
    sent = report.outcome in _SENT_WITHOUT_REPORT
    return Charge(line, _at_worst(line, report), line.reserved) if sent else Charge(line, report, 0)


def _at_worst(line: QuoteLine, report: usage_pb2.UsageLine) -> usage_pb2.UsageLine:
    usage = generate_pb2.Usage(input_tokens=line.input_tokens, output_tokens=line.all_output_tokens)
    if line.units is not NO_UNITS:
        line.units.write(usage)
    return _instead(report, usage, usage_pb2.USAGE_SOURCE_ESTIMATED)


def _instead(report: usage_pb2.UsageLine, usage: generate_pb2.Usage, source: usage_pb2.UsageSource) -> usage_pb2.UsageLine:
    """The report with another usage."""
    changed = usage_pb2.UsageLine()
    changed.CopyFrom(report)
    changed.usage.CopyFrom(usage)
    changed.source = source
    return changed
