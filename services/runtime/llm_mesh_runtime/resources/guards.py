"""Which fields of resources guard something, and when a change of one loosens it: one table for all services.

A field that is not in the table guards nothing. A test walks through everything that can be applied and asks for a decision about
each field, so that a new one is not forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from llm_mesh_figures.prices import exceeds

Rule = Callable[[Any, Any], bool]
"""Whether a change from one value to another loosens. A singular message that is unset is None."""

NOTHING: Final = "-"
_CLASSES: Final = {name: rank for rank, name in enumerate(("public", "internal", "confidential", "restricted"))}
_CLEARED: Final = ("public", "internal")
_DEFAULT_CLASS: Final = "internal"
_PERIODS: Final = {0: 0, 1: 0, 3: 1, 2: 2}
"""Of `BudgetPeriod`: an amount in total is the strictest, an amount a day the loosest."""
_LIFECYCLES: Final = {4: 3, 1: 2, 3: 1, 2: 0, 0: 0}
"""Of `Lifecycle`: retired, preview, deprecated, active."""


def changed(_before: object, _after: object) -> bool:
    """Of a field of which no value is stricter than another: each change may loosen."""
    return True


def allowed(before: Collection[str], after: Collection[str]) -> bool:
    """Of a list of what is allowed, whole or as a prefix ending in `*`, where an empty list allows everything and `-` nothing."""
    if not before:
        return False
    return not after or not all(value == NOTHING or _is_covered(value, before) for value in after)


def denied(before: Collection[str], after: Collection[str]) -> bool:
    """Of a list of what is forbidden, in the same form."""
    return not all(_is_covered(value, after) for value in before)


def offered(before: Collection[str], after: Collection[str]) -> bool:
    """Of a list of who or what is let in, where an empty list lets nobody in and `*` everybody."""
    return not all(_is_covered(value, before) for value in after)


def cleared(before: Collection[str], after: Collection[str]) -> bool:
    """Of the data classes that a target is cleared for."""
    return not set(after or _CLEARED) <= set(before or _CLEARED)


def least_classes(before: Collection[str], after: Collection[str]) -> bool:
    """Of the data classes that every request has at least."""
    highest = max((_CLASSES[name] for name in after if name in _CLASSES), default=-1)
    return not all(name in after or _CLASSES.get(name, highest + 1) <= highest for name in before)


def data_class(before: str, after: str) -> bool:
    """Of the data class of requests that name none."""
    return least_classes((before or _DEFAULT_CLASS,), (after or _DEFAULT_CLASS,))


def claimed(_before: str, after: str) -> bool:
    """Of a property by which a target is let in: each value but none."""
    return bool(after)


def cap(before: int, after: int) -> bool:
    """Of an upper bound, where 0 is none."""
    return bool(before) and not 0 < after <= before


def amount(before: int, after: int) -> bool:
    """Of an upper bound, where 0 lets nothing pass."""
    return after > before


def money(before: Any, after: Any) -> bool:  # noqa: ANN401 (Money)
    """Of an upper bound in money."""
    return before is not None and (after is None or after.currency != before.currency or after.nanos > before.nanos)


def least_price(before: Any, after: Any) -> bool:  # noqa: ANN401 (PriceFloor)
    """Of the least price, component by component."""
    if before is None:
        return False
    if after is None or after.currency != before.currency:
        return True
    return exceeds(before, after) is not None


def least_tokens(before: Any, after: Any) -> bool:  # noqa: ANN401 (TokenFloor)
    """Of the tokens that are counted at least. Without a floor of its own, an endpoint has that of its operator's models."""
    if before is None:
        return False
    bounds = ("image_tokens", "audio_tokens", "file_tokens", "audio_seconds", "context_window")
    lower = after is None or any(getattr(after, bound) < getattr(before, bound) for bound in bounds)
    return lower or not set(before.hidden_output) <= set(after.hidden_output)


def window(before: Any, after: Any) -> bool:  # noqa: ANN401 (Duration)
    """Of the time for which an amount must last."""
    return before is not None and (after is None or after.ToNanoseconds() < before.ToNanoseconds())


def end(before: Any, after: Any) -> bool:  # noqa: ANN401 (Timestamp)
    """Of the time at which something stops to serve, where unset is never."""
    return before is not None and (after is None or after.ToNanoseconds() > before.ToNanoseconds())


def on(before: bool, after: bool) -> bool:  # noqa: FBT001 (a rule takes two values)
    """Of a switch that is stricter when it is on."""
    return before and not after


def off(before: bool, after: bool) -> bool:  # noqa: FBT001 (likewise)
    """Of a switch that is stricter when it is off."""
    return after and not before


def screening(before: Iterable[Any], after: Iterable[Any]) -> bool:
    """Of what screening does at least."""
    actions = {rule.detector: rule.action for rule in after}
    return any(actions.get(rule.detector, 0) < rule.action for rule in before)


def permissions(before: Iterable[Any], after: Iterable[Any]) -> bool:
    """Of what a role grants."""
    present = [(action, resource) for each in before for action in each.actions for resource in each.resources or ("*",)]
    return not all(
        any(_grants(known, action) and _is_covered(resource, (place,)) for known, place in present)
        for each in after
        for action in each.actions
        for resource in each.resources or ("*",)
    )


def ranked(ranks: Mapping[int, int], *, strictest_first: bool) -> Rule:
    """Of an enum whose values have an order."""

    def rule(before: int, after: int) -> bool:
        difference = ranks.get(after, 0) - ranks.get(before, 0)
        return difference > 0 if strictest_first else difference < 0

    return rule


GUARDS: Final[Mapping[str, Rule]] = MappingProxyType({
    "llm_mesh.policy.v1.Domain.regions": allowed,
    "llm_mesh.policy.v1.Domain.default_data_class": data_class,
    "llm_mesh.policy.v1.Domain.allowed_adapters": allowed,
    "llm_mesh.policy.v1.Domain.zero_retention": on,
    "llm_mesh.policy.v1.Project.allowed_models": allowed,
    "llm_mesh.policy.v1.Project.max_output_tokens": cap,
    "llm_mesh.policy.v1.Project.strict_charging": on,
    "llm_mesh.policy.v1.Project.keep_answers": off,
    "llm_mesh.policy.v1.Principal.disabled": on,
    "llm_mesh.policy.v1.Role.permissions": permissions,
    "llm_mesh.policy.v1.Binding.principal": changed,
    "llm_mesh.policy.v1.Binding.role": changed,
    "llm_mesh.policy.v1.Binding.scope": changed,
    "llm_mesh.policy.v1.Budget.amount": money,
    "llm_mesh.policy.v1.Budget.period": ranked(_PERIODS, strictest_first=True),
    "llm_mesh.policy.v1.Budget.subject": changed,
    "llm_mesh.policy.v1.Limit.subject": changed,
    "llm_mesh.policy.v1.Limit.metric": changed,
    "llm_mesh.policy.v1.Limit.amount": amount,
    "llm_mesh.policy.v1.Limit.window": window,
    "llm_mesh.policy.v1.Limit.tag_required": on,
    "llm_mesh.policy.v1.Floor.regions": allowed,
    "llm_mesh.policy.v1.Floor.minimum_data_classes": least_classes,
    "llm_mesh.policy.v1.Floor.data_classes": allowed,
    "llm_mesh.policy.v1.Floor.zero_retention": on,
    "llm_mesh.policy.v1.Floor.allowed_adapters": allowed,
    "llm_mesh.policy.v1.Floor.allowed_endpoints": allowed,
    "llm_mesh.policy.v1.Floor.screening": screening,
    "llm_mesh.policy.v1.Floor.may_publish_to": allowed,
    "llm_mesh.policy.v1.Floor.may_accept_from": allowed,
    "llm_mesh.policy.v1.Floor.max_output_tokens": cap,
    "llm_mesh.policy.v1.Floor.allowed_models": allowed,
    "llm_mesh.policy.v1.Floor.denied_models": denied,
    "llm_mesh.registry.v1.Model.region": claimed,
    "llm_mesh.registry.v1.Model.data_classes": cleared,
    "llm_mesh.registry.v1.Model.lifecycle": ranked(_LIFECYCLES, strictest_first=False),
    "llm_mesh.registry.v1.Model.retire_time": end,
    "llm_mesh.registry.v1.Model.free": off,
    "llm_mesh.registry.v1.Model.shared_with": offered,
    "llm_mesh.registry.v1.Model.zero_retention": off,
    "llm_mesh.registry.v1.Endpoint.operator": changed,
    "llm_mesh.registry.v1.Endpoint.region": claimed,
    "llm_mesh.registry.v1.Endpoint.data_classes": cleared,
    "llm_mesh.registry.v1.Endpoint.zero_retention": off,
    "llm_mesh.registry.v1.Endpoint.credentials": offered,
    "llm_mesh.registry.v1.Endpoint.upstream_models": allowed,
    "llm_mesh.registry.v1.Endpoint.free_allowed": off,
    "llm_mesh.registry.v1.Endpoint.price_floor": least_price,
    "llm_mesh.registry.v1.Endpoint.token_floor": least_tokens,
    "llm_mesh.registry.v1.Endpoint.domains": allowed,
    "llm_mesh.router.v1.Route.shared_with": offered,
})  # fmt: skip
"""By the full name of the field."""


def loosens(field: Any, before: Any, after: Any) -> bool:  # noqa: ANN401 (a field's descriptor, and two messages that have it)
    """Whether the change of a field loosens a guard."""
    rule = GUARDS.get(field.full_name)
    return rule is not None and rule(_value(field, before), _value(field, after))


def _value(field: Any, message: Any) -> Any:  # noqa: ANN401 (likewise)
    if field.message_type is not None and not field.is_repeated and not message.HasField(field.name):
        return None
    return getattr(message, field.name)


def _is_covered(value: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns allows all that a pattern does."""
    return any(value == pattern or (pattern.endswith("*") and value.removesuffix("*").startswith(pattern[:-1])) for pattern in patterns)


def _grants(known: str, action: str) -> bool:
    return known in {"*", action} or (known.endswith(".*") and action.startswith(known[:-1]))
