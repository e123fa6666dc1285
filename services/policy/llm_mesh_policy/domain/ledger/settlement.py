"""From what a gateway reports to what is charged: one line per attempt, at the price version of the quote."""

from collections.abc import Sequence

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
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


def charges(quoted: Sequence[Line], reported: Sequence[usage_pb2.UsageLine], currency: str) -> list[usage_pb2.ChargeLine]:
    """What each reported attempt is charged. Attempts without a line were not sent and cost nothing.

    An attempt that was sent and whose usage nobody knows is charged as reserved; one that failed before any content and
    reports nothing is charged nothing, since the gateway reports an estimate wherever the provider may bill.
    """
    by_id = {line.id: line for line in quoted}
    seen: set[str] = set()
    result = []
    for index, report in enumerate(reported):
        line = by_id.get(report.attempt_id)
        if line is None:
            raise invalid(f"lines[{index}].attempt_id", "an attempt of the reservation")
        if report.attempt_id in seen:
            raise invalid(f"lines[{index}].attempt_id", "each attempt once")
        seen.add(report.attempt_id)
        _checked(report, index)
        result.append(_charge(line, report, currency))
    return result


def estimates(quoted: Sequence[Line], currency: str) -> list[usage_pb2.ChargeLine]:
    """The full reservation: what is charged when the gateway is lost and nobody knows what happened."""
    lost = usage_pb2.ATTEMPT_OUTCOME_LOST
    return [_charge(line, usage_pb2.UsageLine(attempt_id=line.id, outcome=lost), currency) for line in quoted]


def total(lines: Sequence[usage_pb2.ChargeLine]) -> int:
    """The sum of charges, in nanos."""
    return sum(line.charge.nanos for line in lines)


def _charge(line: Line, report: usage_pb2.UsageLine, currency: str) -> usage_pb2.ChargeLine:
    nanos = 0
    if report.outcome != usage_pb2.ATTEMPT_OUTCOME_NOT_SENT:
        if report.HasField("usage"):
            nanos = line.rates.charge(report.usage)
        elif report.outcome in _SENT_WITHOUT_REPORT:
            report = _at_worst(line, report)
            nanos = line.reserved
    return usage_pb2.ChargeLine(
        usage=report,
        model=line.model,
        price=line.price,
        charge=resources_pb2.Money(currency=currency, nanos=nanos),
        overrun=nanos > line.reserved,
        adapter=line.adapter,
        endpoint=line.endpoint,
        charge_to=line.payer,
    )


def _at_worst(line: Line, report: usage_pb2.UsageLine) -> usage_pb2.UsageLine:
    filled = usage_pb2.UsageLine()
    filled.CopyFrom(report)
    filled.usage.CopyFrom(generate_pb2.Usage(input_tokens=line.input_tokens, output_tokens=line.all_output_tokens))
    filled.source = usage_pb2.USAGE_SOURCE_ESTIMATED
    return filled


def _checked(report: usage_pb2.UsageLine, index: int) -> None:
    if report.outcome == usage_pb2.ATTEMPT_OUTCOME_UNSPECIFIED:
        raise invalid(f"lines[{index}].outcome", "how the attempt ended")
    if not report.HasField("usage"):
        return
    if report.source == usage_pb2.USAGE_SOURCE_UNSPECIFIED:
        raise invalid(f"lines[{index}].source", "where the figures come from")
    for descriptor, count in report.usage.ListFields():  # what is not there is 0
        if descriptor.name in _COUNTS and not 0 <= count <= _MOST_TOKENS:
            raise invalid(f"lines[{index}].usage.{descriptor.name}", f"0 to {_MOST_TOKENS}")
