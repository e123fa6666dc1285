"""How limits refuse, and how they stand: named subjects, and when it is worth trying again."""

from collections.abc import Iterable, Sequence

from llm_mesh.policy.v1 import errors_pb2, policy_pb2
from llm_mesh_figures.money import text
from llm_mesh_policy.domain.errors import PolicyError
from llm_mesh_policy.domain.instants import put_micros
from llm_mesh_policy.ledger.domain.meters import MONEY, Excess, Meter
from llm_mesh_policy.ledger.domain.quote import QuoteLine

_MOST_NAMED = 8


def exceeded(excesses: Sequence[Excess], currency: str) -> PolicyError:
    """BUDGET_CLOSED before BUDGET_EXCEEDED before LIMIT_EXCEEDED. Without a delay where waiting does not help."""
    excesses = sorted(excesses, key=lambda excess: not excess.meter.closed)
    waits = [excess.again_in for excess in excesses]
    again = None if None in waits else max(wait for wait in waits if wait is not None)
    money = any(excess.meter.metric == MONEY for excess in excesses)
    reason = errors_pb2.ERROR_REASON_BUDGET_EXCEEDED if money else errors_pb2.ERROR_REASON_LIMIT_EXCEEDED
    if excesses[0].meter.closed:
        reason = errors_pb2.ERROR_REASON_BUDGET_CLOSED
    sentences = [(excess.meter.subject, _sentence(excess, currency)) for excess in excesses[:_MOST_NAMED]]
    return PolicyError(
        reason, "; ".join(sentence for _, sentence in sentences[:1]), retry_after=again, quota=sentences, meter=excesses[0].meter.name
    )


def without_budget(meters: Iterable[Meter], lines: Iterable[QuoteLine], domain: str) -> PolicyError | None:
    """A refusal where something costs and no budget binds who pays for it."""
    bound = {meter.subject for meter in meters if meter.metric == MONEY}
    if domain in bound:
        return None
    return next((budget_required(line.payer) for line in lines if line.reserved and line.payer not in bound), None)


def budget_required(project: str) -> PolicyError:
    """The mesh serves no project without a budget."""
    message = f"the project {project} has no budget, and this mesh serves only projects that have one"
    return PolicyError(errors_pb2.ERROR_REASON_BUDGET_REQUIRED, message, quota=[(project, message)], project=project)


def tag_required(key: str, limit: str) -> PolicyError:
    """A limit demands a tag."""
    message = f"the limit {limit} demands the tag {key}"
    return PolicyError(errors_pb2.ERROR_REASON_TAG_REQUIRED, message, field=f"options.tags.{key}", tag=key, meter=limit)


def statuses(meters: Iterable[Meter], now: int) -> list[policy_pb2.LimitStatus]:
    """How limits stand, for rate-limit headers."""
    result = []
    for meter in meters:
        remaining = 0 if meter.closed else max(0, meter.left)
        status = policy_pb2.LimitStatus(metric=meter.metric, limit=meter.amount, remaining=remaining, subject=meter.subject)
        ends_in = meter.ends_in(now)
        if ends_in is not None:
            put_micros(status.reset_after, round(ends_in * 1_000_000))
        result.append(status)
    return result


def _sentence(excess: Excess, currency: str) -> str:
    meter = excess.meter
    if meter.closed:
        return f"the budget {meter.name} was closed, since a provider billed more than was reserved; who governs it can set it again"
    if meter.metric == MONEY:
        left, requested = text(max(0, meter.left), currency), text(excess.requested, currency)
        return f"the budget of {meter.subject} has {left} left, and the request may cost {requested}"
    limit = f"the limit of {meter.amount} {meter.metric} of {meter.subject}"
    return f"{limit} has {max(0, meter.left)} left, and the request needs {excess.requested}"
