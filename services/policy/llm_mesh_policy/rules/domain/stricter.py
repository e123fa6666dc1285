"""How floors and a domain's own settings combine: by the stricter.

In the contract an empty list allows everything, so an intersection that is empty must never be written as an empty list. It is written
as `NOTHING`, which no region, adapter, endpoint, model or domain is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import admission_pb2, floors_pb2, identity_pb2

if TYPE_CHECKING:
    from google.protobuf.message import Message

EVERY_DOMAIN = "domains/platform/floors/-"
NOTHING = ["-"]
DEFAULT_DATA_CLASS = "internal"

_CLASSES: Mapping[str, int] = {name: rank for rank, name in enumerate(("public", "internal", "confidential", "restricted"))}
Settings = identity_pb2.Domain | identity_pb2.Project
_WHOLE = ("regions", "data_classes", "allowed_adapters", "allowed_endpoints", "may_publish_to", "may_accept_from")
"""Lists of what is allowed, by whole names."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What holds for the requests of a domain, and the fields in which floor and own settings leave nothing."""

    constraints: admission_pb2.Constraints
    conflicts: tuple[str, ...] = ()


def floor_name(domain: str) -> str:
    """The name of a domain's own floor."""
    return "domains/platform/floors/" + domain.removeprefix("domains/")


def floor_of(domain: str, floors: Mapping[str, floors_pb2.Floor]) -> floors_pb2.Floor | None:
    """What the platform sets about a domain: its own floor and that of every domain, combined; None where there is neither."""
    bindings = [floor for floor in (floors.get(floor_name(domain)), floors.get(EVERY_DOMAIN)) if floor is not None]
    return combined(domain, bindings) if bindings else None


def combined(domain: str, floors: Sequence[floors_pb2.Floor]) -> floors_pb2.Floor:
    """The stricter of all."""
    result = floors_pb2.Floor(name=floor_name(domain))
    for floor in floors:
        for field in _WHOLE:
            _put(result, field, intersection(_list(result, field), _list(floor, field)))
        _put(result, "allowed_models", pattern_intersection(result.allowed_models, floor.allowed_models))
        _put(result, "denied_models", _union(result.denied_models, floor.denied_models))
        _put(result, "minimum_data_classes", highest((*result.minimum_data_classes, *floor.minimum_data_classes)))
        result.zero_retention |= floor.zero_retention
        result.max_output_tokens = least(result.max_output_tokens, floor.max_output_tokens)
        _merge_screening(result, floor)
    return result


def holding(domain: identity_pb2.Domain, floor: floors_pb2.Floor | None) -> Holding:
    """What holds for a domain's requests, before project and key narrow it."""
    floor = floor or floors_pb2.Floor()
    regions = intersection(domain.regions, floor.regions)
    adapters = intersection(domain.allowed_adapters, floor.allowed_adapters)
    endpoints = list(floor.allowed_endpoints)
    if adapters and endpoints:
        endpoints = [endpoint for endpoint in endpoints if endpoint.partition("/")[0] in adapters] or NOTHING
    classes = highest((domain.default_data_class or DEFAULT_DATA_CLASS, *floor.minimum_data_classes))
    constraints = admission_pb2.Constraints(
        regions=regions,
        data_class=classes[0],
        further_data_classes=classes[1:],
        allowed_models=floor.allowed_models,
        denied_models=floor.denied_models,
        allowed_adapters=adapters,
        allowed_endpoints=endpoints,
        max_output_tokens=floor.max_output_tokens,
        zero_retention=domain.zero_retention or floor.zero_retention,
    )
    lists = {"regions": regions, "allowed_adapters": adapters, "allowed_endpoints": endpoints, "allowed_models": floor.allowed_models}
    conflicts = [field for field, values in lists.items() if list(values) == NOTHING]
    if floor.data_classes and not set(classes) <= set(floor.data_classes):
        conflicts.append("default_data_class")
    return Holding(constraints, tuple(conflicts))


def narrow(constraints: admission_pb2.Constraints, bounds: admission_pb2.RequestBounds) -> None:
    """Narrows constraints by what a request sets for itself. Where both leave no region, none is left to the plan."""
    classes = highest((constraints.data_class or DEFAULT_DATA_CLASS, *constraints.further_data_classes, *bounds.data_classes))
    constraints.data_class = classes[0]
    del constraints.further_data_classes[:]
    constraints.further_data_classes.extend(classes[1:])
    _put(constraints, "regions", intersection(constraints.regions, bounds.regions))
    constraints.zero_retention |= bounds.zero_retention


def changed_fields(before: Settings, after: Settings) -> list[str]:
    """The fields that a floor bounds and a change of a domain or project sets anew."""
    names = ("regions", "allowed_adapters", "default_data_class") if isinstance(after, identity_pb2.Domain) else ("max_output_tokens",)
    return [name for name in names if getattr(before, name) != getattr(after, name)]


def field_beyond(before: Settings, after: Settings, floor: floors_pb2.Floor) -> str:
    """The first field of a domain or project that a change sets beyond what the floor allows; empty where none is.

    What stood before the floor was put may stay: it has no effect.
    """
    return next((name for name in changed_fields(before, after) if _is_beyond(name, after, floor)), "")


def intersection(one: Iterable[str], other: Iterable[str]) -> list[str]:
    """What both lists allow, where an empty list allows everything."""
    first, second = list(one), list(other)
    if not first or not second:
        return first or second
    return [value for value in first if value in second] or NOTHING


def pattern_intersection(one: Iterable[str], other: Iterable[str]) -> list[str]:
    """The same for patterns that are whole, or a prefix ending in `*`: of two that overlap the narrower one remains."""
    first, second = list(one), list(other)
    if not first or not second:
        return first or second
    narrower = [_narrower(left, right) for left in first for right in second]
    return list(dict.fromkeys(pattern for pattern in narrower if pattern)) or NOTHING


def highest(classes: Iterable[str]) -> list[str]:
    """The highest of the classes that are in an order, and all that are in none: what a target must be cleared for."""
    unique = list(dict.fromkeys(classes))
    ordered = [name for name in unique if name in _CLASSES]
    others = [name for name in unique if name not in _CLASSES]
    return [max(ordered, key=_CLASSES.__getitem__), *others] if ordered else others


def least(one: int, other: int) -> int:
    """The lower bound, where 0 is none."""
    return min(one, other) if one and other else one or other


def _is_beyond(name: str, after: Settings, floor: floors_pb2.Floor) -> bool:
    if isinstance(after, identity_pb2.Project):
        return 0 < floor.max_output_tokens < after.max_output_tokens
    if name == "default_data_class":
        own = after.default_data_class
        lower = own in _CLASSES and own not in highest((own, *floor.minimum_data_classes))
        return bool(own) and (lower or (bool(floor.data_classes) and own not in floor.data_classes))
    bound, own_list = _list(floor, name), _list(after, name)
    return bool(bound) and not set(own_list) <= set(bound)


def _narrower(one: str, other: str) -> str:
    """The pattern that allows what both do; empty where they have nothing in common."""
    for inner, outer in ((one, other), (other, one)):
        if inner == outer or (outer.endswith("*") and inner.removesuffix("*").startswith(outer[:-1])):
            return inner
    return ""


def _merge_screening(result: floors_pb2.Floor, floor: floors_pb2.Floor) -> None:
    actions = {rule.detector: rule.action for rule in result.screening}
    for rule in floor.screening:
        actions[rule.detector] = max(rule.action, actions.get(rule.detector, rule.action))
    del result.screening[:]
    result.screening.extend(floors_pb2.ScreeningRule(detector=detector, action=actions[detector]) for detector in sorted(actions))


def _union(one: Iterable[str], other: Iterable[str]) -> list[str]:
    return list(dict.fromkeys((*one, *other)))


def _list(message: Message, field: str) -> list[str]:
    return list(getattr(message, field))


def _put(message: Message, field: str, values: Iterable[str]) -> None:
    present_values = list(values)  # before the field is cleared, which it may be read from
    del getattr(message, field)[:]
    getattr(message, field).extend(present_values)
