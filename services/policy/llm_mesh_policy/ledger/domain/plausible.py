"""Which usage an attempt can have at all.

No provider counts more input tokens than there are bytes, nor produces more than is granted,
but for what it adds itself: templates, descriptions of tools, the end of an answer. A report beyond that is a fault, not a bill.
"""

from operator import attrgetter

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_policy.ledger.domain.quote import QuoteLine
from llm_mesh_policy.ledger.domain.units import COUNTED, NO_UNITS, Units

_MORE_INPUT = 1024
_MORE_OUTPUT = 64
_MORE_UNITS = 1000
_MOST_PARTS = 64
_COUNTS = tuple(
    field.name for field in generate_pb2.Usage.DESCRIPTOR.fields if field.cpp_type == field.CPPTYPE_INT64 and not field.is_repeated
)
_all_counts = attrgetter(*_COUNTS)


def most_input(line: QuoteLine) -> int:
    """The most input tokens that an attempt can use: a quarter and some more than its strict bound."""
    return line.input_tokens + line.input_tokens // 4 + _MORE_INPUT


def most_output(line: QuoteLine) -> int:
    """The most output tokens that an attempt can use, over all choices."""
    bound = line.all_output_tokens
    return bound + bound // 4 + _MORE_OUTPUT


def impossible(line: QuoteLine, usage: generate_pb2.Usage) -> str | None:
    """The first figure that an attempt cannot have. None: all are possible."""
    runs = min(max(1, len(usage.iterations)), _MOST_PARTS)  # each run reads the conversation, and may write up to the limit
    if usage.input_tokens > most_input(line) * runs:
        return "input_tokens"
    if usage.output_tokens > most_output(line) * runs:
        return "output_tokens"
    if min(_all_counts(usage)) < 0:  # hardly ever, and found in one step
        return next(name for name in _COUNTS if getattr(usage, name) < 0)
    if usage.iterations and not _are_parts(line, usage):
        return "iterations"
    if line.rates.plain:  # as nearly every price is: all else costs nothing
        return None
    return _impossible_units(line.units, usage)


def _impossible_units(units: Units, usage: generate_pb2.Usage) -> str | None:
    """The first unit of which an attempt cannot have used so many. Providers round up by a little, and cannot make more images."""
    if any(each.count < 0 for each in usage.images) or sum(each.count for each in usage.images) > units.images:
        return "images"
    return next((name for name in COUNTED if getattr(usage, name) > _more(getattr(units, name))), None)


def _are_parts(line: QuoteLine, usage: generate_pb2.Usage) -> bool:
    """Whether the parts of a bill sum up to it, and each is possible by itself: no empty part makes room for another."""
    parts = [each.usage for each in usage.iterations]
    if len(parts) > _MOST_PARTS or any(min(_all_counts(each)) < 0 or each.iterations for each in parts):
        return False
    most = most_input(line), most_output(line)
    if any(each.input_tokens > most[0] or each.output_tokens > most[1] for each in parts):
        return False
    sums = zip(_all_counts(usage), zip(*[_all_counts(each) for each in parts], strict=True), strict=True)
    return all(whole == sum(each) for whole, each in sums)


def _more(bound: int) -> int:
    return bound + bound // 4 + (_MORE_UNITS if bound else 0)


def counted_instead(line: QuoteLine, report: usage_pb2.UsageLine) -> generate_pb2.Usage:
    """What the mesh counted, in the place of figures that are impossible. What it could not count is charged at its bound."""
    inputs, outputs = report.usage.input_tokens, report.usage.output_tokens
    if not 0 <= inputs <= most_input(line):
        inputs = min(report.counted_input_tokens or line.input_tokens, line.input_tokens)
    if not 0 <= outputs <= most_output(line):
        bound = line.all_output_tokens
        outputs = bound if line.hides_output else min(report.counted_output_tokens or bound, bound)
    usage = generate_pb2.Usage(input_tokens=inputs, output_tokens=outputs)
    if line.units is not NO_UNITS:
        line.units.write(usage)
    return usage
