"""What an attempt probably used that did not finish, and whose provider reported no usage. `docs/charging.md` explains the rule.

The input is whole: providers read it before they answer. Of the output, a stream shows what it delivered. What it does not show
(reasoning, sound), and everything of an answer that comes whole or not at all, follows from the time in flight and the speed at which
the model produces tokens. Nothing exceeds what was reserved.
"""

import math

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_policy.ledger.domain.quote import QuoteLine
from llm_mesh_policy.ledger.domain.units import NO_UNITS

_MICROS = 1_000_000
_FINISHED = frozenset({usage_pb2.ATTEMPT_OUTCOME_COMPLETED, usage_pb2.ATTEMPT_OUTCOME_NOT_SENT})


def is_unfinished(line: QuoteLine, report: usage_pb2.UsageLine) -> bool:
    """Whether the usage of the report is not all that the attempt used.

    A whole answer without usage of its provider is counted, but what the count cannot see is estimated as well.
    """
    if report.source == usage_pb2.USAGE_SOURCE_PROVIDER or report.outcome == usage_pb2.ATTEMPT_OUTCOME_NOT_SENT:
        return False
    return report.outcome not in _FINISHED or line.hides_output


def probable_usage(line: QuoteLine, report: usage_pb2.UsageLine, speed: float) -> generate_pb2.Usage:
    """The usage that an unfinished attempt is charged for. `speed`: output tokens per second and choice."""
    usage = generate_pb2.Usage()
    usage.CopyFrom(report.usage)
    usage.input_tokens = min(usage.input_tokens or line.input_tokens, line.input_tokens)
    most = line.all_output_tokens
    visible = min(usage.output_tokens, most)
    hidden = 0
    if line.hides_output or not report.streamed:
        hidden = max(0, min(produced(line, report.duration_us, speed), most) - visible)
    usage.output_tokens = visible + hidden
    if line.units is not NO_UNITS:  # what is read is read whole, and of what is made nothing shows
        line.units.write(usage)
    _put_in_dearest(usage, line, hidden)
    return usage


def produced(line: QuoteLine, duration_us: int, speed: float) -> int:
    """The tokens that all choices of an attempt have at most after a time, at a speed."""
    return math.ceil(max(0, duration_us) * speed / _MICROS) * line.candidates


def _put_in_dearest(usage: generate_pb2.Usage, line: QuoteLine, hidden: int) -> None:
    """Counts hidden tokens as what they may be at the highest price."""
    rates = line.rates
    if line.speaks and rates.audio_output > max(rates.output, rates.reasoning if line.reasons else 0):
        usage.audio_output_tokens += hidden
    elif line.reasons and rates.reasoning > rates.output:
        usage.reasoning_output_tokens += hidden
