"""Messages to checks: a message's descriptor becomes one function that looks at the fields that are set, and at those that must be.

Each message is one loop over `ListFields`, which costs by what a request has, and not by what its contract knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from llm_mesh.mesh.v1 import rules_pb2
from llm_mesh_runtime.validation import words
from llm_mesh_runtime.validation.broken import BrokenRule
from llm_mesh_runtime.validation.values import Check, check_of_text, check_of_value

_RULE: Any = rules_pb2.rule  # generated stubs type an extension as a plain descriptor, not as the key that `Extensions` takes
_ONE_REQUIRED: Any = rules_pb2.one_required
_ITEM_NAME: Any = rules_pb2.item_name
_NO_RULE = rules_pb2.FieldRule()
_OURS = "llm_mesh."
_ItemName = Callable[[int, Any], object]


@dataclass(frozen=True)
class RuleScope:
    """In what a message is checked."""

    known_enums: bool
    """Enums have a value that this build knows."""
    partial: bool = False
    """Required fields may be unset."""
    depths: tuple[tuple[str, int], ...] = ()
    """How often the path to the message has gone through fields with a largest depth."""

    def whole(self) -> RuleScope:
        """Of the items in a message: they are whole, even where the message is not."""
        return replace(self, partial=False)

    def through(self, field: str) -> tuple[RuleScope, int]:
        """One step deeper, and how deep that is."""
        depths = dict(self.depths)
        depths[field] = depths.get(field, 0) + 1
        return replace(self, depths=tuple(sorted(depths.items()))), depths[field]


def rule_of(field: Any) -> rules_pb2.FieldRule:  # noqa: ANN401 (a descriptor)
    """The rule that the contract declares."""
    if not field.has_options:
        return _NO_RULE
    rule: rules_pb2.FieldRule = field.GetOptions().Extensions[_RULE]
    return rule


def is_map(field: Any) -> bool:  # noqa: ANN401 (a descriptor)
    """Whether the field is a map."""
    kind = field.message_type
    return kind is not None and kind.has_options and bool(kind.GetOptions().map_entry)


class Compiler:
    """Makes checks, each once."""

    def __init__(self) -> None:
        self._checks: dict[tuple[str, RuleScope], Check | None] = {}

    def check_of(self, descriptor: Any, scope: RuleScope) -> Check | None:  # noqa: ANN401 (a descriptor)
        """The check of a message; None where nothing in it has a rule."""
        place = (descriptor.full_name, scope)
        if place not in self._checks:
            self._checks[place] = lambda message: self._again(place, message)  # of a message that holds itself
            self._checks[place] = self._made(descriptor, scope)
        return self._checks[place]

    def _again(self, place: tuple[str, RuleScope], message: Any) -> None:  # noqa: ANN401 (any message)
        check = self._checks[place]
        if check is not None:
            check(message)

    def _made(self, descriptor: Any, scope: RuleScope) -> Check | None:  # noqa: ANN401 (a descriptor)
        checks: dict[Any, Check] = {}
        for field in descriptor.fields:
            rule = rule_of(field)
            check = None if rule.checked_by_sender else self._of_field(field, rule, scope)
            if check is not None:
                checks[field] = check
        needs = [] if scope.partial else list(_needs(descriptor))
        return _message_check(checks, needs) if checks or needs else None

    def _of_field(self, field: Any, rule: rules_pb2.FieldRule, scope: RuleScope) -> Check | None:  # noqa: ANN401 (a descriptor)
        if rule.max_depth:
            scope, depth = scope.through(field.full_name)
            if depth > rule.max_depth:
                return _refusing(words.depth(rule))
        if is_map(field):
            return self._of_map(field.message_type, rule, scope.whole())
        if field.is_repeated:
            return _list_check(rule, self._of_value(field, rule, replace(scope, partial=rule.partial)), _item_name(field))
        return self._of_value(field, rule, replace(scope, partial=scope.partial or rule.partial))

    def _of_map(self, entry: Any, rule: rules_pb2.FieldRule, scope: RuleScope) -> Check | None:  # noqa: ANN401 (a descriptor)
        value = self._of_value(entry.fields_by_name["value"], rule, scope)
        return _map_check(rule, check_of_text(rule.key), value)

    def _of_value(self, field: Any, rule: rules_pb2.FieldRule, scope: RuleScope) -> Check | None:  # noqa: ANN401 (a descriptor)
        if field.message_type is not None and field.message_type.full_name.startswith(_OURS):
            return self.check_of(field.message_type, scope)
        return check_of_value(field, rule, known_enums=scope.known_enums)


def _message_check(checks: dict[Any, Check], needs: list[Check]) -> Check:
    of = checks.get

    def check(message: Any) -> None:  # noqa: ANN401 (any message)
        for field, value in message.ListFields():
            test = of(field)
            if test is not None:
                try:
                    test(value)
                except BrokenRule as broken:
                    broken.within(field.name)
                    raise
        for need in needs:
            need(message)

    return check


def _list_check(rule: rules_pb2.FieldRule, item: Check | None, name: _ItemName) -> Check | None:
    return _both(_count_check(rule), None if item is None else _items_check(item, name))


def _item_name(field: Any) -> _ItemName:  # noqa: ANN401 (a descriptor)
    """How paths name an item: by its index, or as its message says."""
    kind = field.message_type
    template: str = kind.GetOptions().Extensions[_ITEM_NAME] if kind is not None and kind.has_options else ""
    if not template:
        return lambda place, _: place
    names = [each.name for each in kind.fields]
    return lambda _, item: template.format_map({each: getattr(item, each) for each in names})


def _items_check(item: Check, name: _ItemName) -> Check:
    def check(values: Any) -> None:  # noqa: ANN401 (a repeated field)
        place, value = 0, None
        try:
            for place, value in enumerate(values[:]):  # noqa: B007 (a slice, since the end of a message's own list costs an exception)
                item(value)
        except BrokenRule as broken:
            broken.within_item(name(place, value))
            raise

    return check


def _map_check(rule: rules_pb2.FieldRule, key: Check | None, value: Check | None) -> Check | None:
    count = _count_check(rule)
    if key is None and value is None:
        return count

    def check(entries: Any) -> None:  # noqa: ANN401 (a map)
        for name, entry in entries.items():
            try:
                if key is not None:
                    key(name)
                if value is not None:
                    value(entry)
            except BrokenRule as broken:
                broken.within_item(name)
                raise

    return _both(count, check)


def _count_check(rule: rules_pb2.FieldRule) -> Check | None:
    if not (rule.min_items or rule.max_items or rule.unique_items):
        return None
    least, most, unique, expected = rule.min_items, rule.max_items or float("inf"), rule.unique_items, words.items(rule)

    def check(values: Any) -> None:  # noqa: ANN401 (a repeated field or a map)
        size = len(values)
        if not least <= size <= most:
            raise BrokenRule(expected)
        if unique and len(set(values)) != size:
            raise BrokenRule(words.UNIQUE)

    return check


def _both(first: Check | None, second: Check | None) -> Check | None:
    if first is None or second is None:
        return first or second
    one, other = first, second

    def check(value: Any) -> None:  # noqa: ANN401 (any value)
        one(value)
        other(value)

    return check


def _refusing(expected: str) -> Check:
    def check(_: Any) -> None:  # noqa: ANN401 (any value)
        raise BrokenRule(expected)

    return check


def _needs(descriptor: Any) -> Iterator[Check]:  # noqa: ANN401 (a descriptor)
    """What of a message must be set."""
    for field in descriptor.fields:
        rule = rule_of(field)
        if rule.required:
            expected = next(words.values(rule), words.items(rule) if rule.min_items else words.MISSING)
            yield _required(field, expected, None)
        elif rule.required_when:
            yield _required(field, words.required_when(rule), _condition(descriptor, rule.required_when))
    for group in descriptor.oneofs:
        if group.has_options and group.GetOptions().Extensions[_ONE_REQUIRED]:
            yield _one_required(group)


def _required(field: Any, expected: str, condition: Callable[[Any], bool] | None) -> Check:  # noqa: ANN401 (a descriptor)
    name, is_set = field.name, _is_set(field)

    def check(message: Any) -> None:  # noqa: ANN401 (any message)
        if not is_set(message) and (condition is None or condition(message)):
            raise BrokenRule(expected, name)

    return check


def _one_required(group: Any) -> Check:  # noqa: ANN401 (a descriptor)
    name, expected = group.name, f"must have one of {', '.join(field.name for field in group.fields)}"

    def check(message: Any) -> None:  # noqa: ANN401 (any message)
        if message.WhichOneof(name) is None:
            raise BrokenRule(expected, group=name)

    return check


def _condition(descriptor: Any, text: str) -> Callable[[Any], bool]:  # noqa: ANN401 (a descriptor)
    """`data`, `mode=TOOL_CHOICE_MODE_NAMED` or `role!=ROLE_ASSISTANT`, of the same message."""
    name, unlike, value = text.partition("!=")
    if not unlike:
        name, _, value = text.partition("=")
    field = descriptor.fields_by_name[name]
    if not value:
        return _is_set(field)
    number = field.enum_type.values_by_name[value].number
    if unlike:
        return lambda message: getattr(message, name) != number
    return lambda message: getattr(message, name) == number


def _is_set(field: Any) -> Callable[[Any], bool]:  # noqa: ANN401 (a descriptor)
    name = field.name
    if field.has_presence:
        return lambda message: bool(message.HasField(name))
    return lambda message: bool(getattr(message, name))
