"""Budgets and limits as people set them, and the meters that they become."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import ledger_pb2
from llm_mesh_figures.money import MAX_AMOUNT
from llm_mesh_policy.ledger.domain import meters
from llm_mesh_policy.ledger.domain.meters import DAY, FOREVER, MONEY, MONTHLY, SECOND, Meter
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import NamePattern, is_within

BUDGET = NamePattern("domains/{domain}/projects/{project}/budget")
PLATFORM_BUDGET = NamePattern("domains/platform/budgets/{budget}")
LIMIT = NamePattern("domains/{domain}/limits/{limit}")
PLATFORM = "domains/platform"
EACH_DOMAIN = "domain:*"
"""The subject of a limit that binds each domain by itself."""

_METRICS: Mapping[ledger_pb2.LimitMetric, str] = {
    ledger_pb2.LIMIT_METRIC_REQUESTS: meters.REQUESTS,
    ledger_pb2.LIMIT_METRIC_CONCURRENCY: meters.CONCURRENCY,
    ledger_pb2.LIMIT_METRIC_INPUT_TOKENS: meters.INPUT_TOKENS,
    ledger_pb2.LIMIT_METRIC_OUTPUT_TOKENS: meters.OUTPUT_TOKENS,
    ledger_pb2.LIMIT_METRIC_TOKENS: meters.TOKENS,
}
_PERIODS: Mapping[ledger_pb2.BudgetPeriod, int] = {
    ledger_pb2.BUDGET_PERIOD_UNSPECIFIED: FOREVER,
    ledger_pb2.BUDGET_PERIOD_TOTAL: FOREVER,
    ledger_pb2.BUDGET_PERIOD_DAILY: DAY,
    ledger_pb2.BUDGET_PERIOD_MONTHLY: MONTHLY,
}
_SUBJECTS = tuple(
    NamePattern(template)
    for template in (
        "domains/{domain}",
        "domains/{domain}/projects/{project}",
        "domains/{domain}/principals/{principal}",
        "domains/{domain}/projects/{project}/keys/{key}",
    )
)
_PAYERS = _SUBJECTS[:2]
_DOMAIN_TAG = re.compile(r"domains/[a-z0-9-]{1,63}/tags/(.*)", re.DOTALL)
_MODEL = NamePattern("domains/{domain}/models/{model}")
_TAG = re.compile(r"[a-z0-9_-]{1,63}=.{0,255}")
_LONGEST_WINDOW = 31 * DAY
_MOST = MAX_AMOUNT


@dataclass(frozen=True, slots=True)
class DesiredMeter:
    """A meter as a budget or limit describes it, without counts."""

    name: str
    domain: str
    subject: str
    metric: str
    amount: int
    period: int
    tag_scope: str = ""

    def same_counts(self, meter: Meter) -> bool:
        """Whether the counts of a present meter go on in this one."""
        return (self.subject, self.metric, self.period) == (meter.subject, meter.metric, meter.period)


def meter_of_budget(budget: ledger_pb2.Budget, currency: str) -> DesiredMeter:
    """The meter of a valid budget."""
    domain, subject = _budget_place(budget)
    if budget.amount.currency != currency:
        raise invalid("budget.amount.currency", f"{currency}, the currency of the ledger")
    if not 0 <= budget.amount.nanos <= _MOST:
        raise invalid("budget.amount.nanos", f"0 to {_MOST}")
    if budget.period not in _PERIODS:
        raise invalid("budget.period", "TOTAL, DAILY or MONTHLY")
    return DesiredMeter(budget.name, domain, subject, MONEY, budget.amount.nanos, _PERIODS[budget.period])


def check_budget_name(name: str, field: str = "name") -> str:
    """The domain whose budget it is: that of the project, or the platform."""
    return PLATFORM if PLATFORM_BUDGET.matches(name) else f"domains/{BUDGET.parse(name, field)[0]}"


def fresh_meter(desired: DesiredMeter, now: int) -> Meter:
    """A meter that has counted nothing yet."""
    window = meters.window_of(desired.period, now)
    return Meter(desired.name, desired.subject, desired.metric, desired.amount, desired.period, now, window, 0, 0, 0, desired.tag_scope)


def meter_of_limit(limit: ledger_pb2.Limit) -> DesiredMeter:
    """The meter of a valid limit. A domain binds its own; only the platform binds others."""
    domain = f"domains/{LIMIT.parse(limit.name, 'limit.name')[0]}"
    _subject(limit.subject, domain)
    metric = _METRICS.get(limit.metric)
    if metric is None:
        raise invalid("limit.metric", "what it bounds")
    if not 0 <= limit.amount <= _MOST:
        raise invalid("limit.amount", f"0 to {_MOST}")
    window = limit.window.ToMicroseconds()
    if metric == meters.CONCURRENCY:
        if window:
            raise invalid("limit.window", "none with CONCURRENCY")
    elif not SECOND <= window <= _LONGEST_WINDOW or window % SECOND:
        raise invalid("limit.window", "1 s to 31 days, in whole seconds")
    return DesiredMeter(limit.name, domain, limit.subject, metric, limit.amount, window, _tag_scope(limit, domain))


def budget_of(meter: Meter, now: int, currency: str) -> ledger_pb2.Budget:
    """A budget as people see it, in the period of now."""
    shown = meter.at(now)
    period = next(number for number, micros in _PERIODS.items() if micros == shown.period and number)
    budget = ledger_pb2.Budget(
        name=shown.name,
        amount=resources_pb2.Money(currency=currency, nanos=shown.amount),
        period=period,
        spent=resources_pb2.Money(currency=currency, nanos=shown.spent),
        held=resources_pb2.Money(currency=currency, nanos=shown.held),
        subject=shown.subject,
    )
    end = meters.window_end(shown.period, shown.window)
    if end is not None:
        budget.period_end_time.FromMicroseconds(end)
    if shown.closed:
        budget.close_time.FromMicroseconds(shown.closed)
    return budget


def limit_of(meter: Meter) -> ledger_pb2.Limit:
    """A limit as people see it."""
    metric = next(number for number, name in _METRICS.items() if name == meter.metric)
    tag_required = bool(meter.tag_scope)
    limit = ledger_pb2.Limit(name=meter.name, subject=meter.subject, metric=metric, amount=meter.amount, tag_required=tag_required)
    if meter.period:
        limit.window.FromMicroseconds(meter.period)
    return limit


def _budget_place(budget: ledger_pb2.Budget) -> tuple[str, str]:
    """Whose budget it is, and whom it binds."""
    owner = check_budget_name(budget.name, "budget.name")
    if not PLATFORM_BUDGET.matches(budget.name):
        project = budget.name.removesuffix("/budget")
        if budget.subject not in ("", project):
            raise invalid("budget.subject", f"{project}, or empty: only domains/platform/budgets/… bind others")
        return owner, project
    if not any(pattern.matches(budget.subject) for pattern in _PAYERS):
        raise invalid("budget.subject", "a domain or a project by name")
    return owner, budget.subject


def tag_key(subject: str) -> str:
    """The key of a limit's subject `tag:key=value` or `domains/{domain}/tags/key=value`."""
    of_domain = _DOMAIN_TAG.fullmatch(subject)
    return (of_domain[1] if of_domain else subject.removeprefix("tag:")).partition("=")[0]


def _tag_scope(limit: ledger_pb2.Limit, domain: str) -> str:
    """The domain whose requests must have the limit's tag; the platform stands for all of them."""
    if not limit.tag_required:
        return ""
    if _DOMAIN_TAG.fullmatch(limit.subject):
        return limit.subject.partition("/tags/")[0]
    if not limit.subject.startswith("tag:"):
        raise invalid("limit.tag_required", "only with a subject that is a tag")
    return domain


def _subject(subject: str, domain: str) -> None:
    if subject == EACH_DOMAIN:
        if domain != PLATFORM:
            raise invalid("limit.subject", f"`{EACH_DOMAIN}` in limits of {PLATFORM} only")
        return
    if subject.startswith("model:"):
        _MODEL.parse(subject.removeprefix("model:"), "limit.subject")
        return
    if subject.startswith("tag:"):
        if not _TAG.fullmatch(subject.removeprefix("tag:")):
            raise invalid("limit.subject", "tag:KEY=VALUE")
        return
    tag = _DOMAIN_TAG.fullmatch(subject)
    if not (any(pattern.matches(subject) for pattern in _SUBJECTS) or (tag and _TAG.fullmatch(tag[1]))):
        expected = "a key, principal, project, domain or a domain's tag by name, `model:` and a model, or `tag:` and key=value"
        raise invalid("limit.subject", expected)
    if domain != PLATFORM and not is_within(subject, domain):
        raise invalid("limit.subject", f"within {domain}")
