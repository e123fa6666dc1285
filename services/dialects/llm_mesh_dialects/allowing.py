"""What of a request a provider is sent beyond the typed payload: harmless keys, and what the endpoint's operator allows.

A provider charges by what it understands of a body, not by what was reserved: a key that the mesh does not model may buy another tier, a
search, a second model. So keys are listed by name, one table per dialect, and a key that nobody has listed stays here and is reported.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from llm_mesh_dialects.addresses import PUBLIC, MediaRule
from llm_mesh_dialects.errors import CostlyError, MediaAddressError
from llm_mesh_dialects.report import Report

ABSENT: Final = object()
"""What stands for a value that is left out."""
_UNKNOWN: Final = "the mesh does not know what it does or costs; the operator can allow it at the endpoint"


class KeyTreatment(enum.Enum):
    """What happens to a key."""

    SAFE = "passed on"
    COSTLY = "refused"
    DROPPED = "left out"


@dataclass(frozen=True, slots=True)
class KeyRule:
    """One row of a table: what happens to a key, and why."""

    kind: KeyTreatment
    why: str
    harmless: tuple[Any, ...] = ()
    """Values of a costly key that cost nothing, and are passed on."""
    idle: tuple[Any, ...] = ()
    """Values of a costly key that ask for nothing special, and are left out."""
    inner: frozenset[str] | None = None
    """The keys of an object that are passed on. None: the whole value is."""
    types: frozenset[str] | None = None
    """The values of an object's `type` with which it is passed on. None: any."""


def safe(why: str, *, inner: Iterable[str] | None = None, types: Iterable[str] | None = None) -> KeyRule:
    """A key that costs nothing beyond what is reserved."""
    return KeyRule(
        KeyTreatment.SAFE, why, inner=None if inner is None else frozenset(inner), types=None if types is None else frozenset(types)
    )


def costly(why: str, *, harmless: Iterable[Any] = (), idle: Iterable[Any] = ()) -> KeyRule:
    """A key that costs more than is reserved, or reaches beyond what was admitted."""
    return KeyRule(KeyTreatment.COSTLY, why, harmless=tuple(harmless), idle=tuple(idle))


def dropped(why: str) -> KeyRule:
    """A known key that is left out."""
    return KeyRule(KeyTreatment.DROPPED, why)


class Table:
    """The rules of a dialect, by the name of a key. A name that ends in `*` stands for all that begin so."""

    def __init__(self, dialect: str, rules: Mapping[str, KeyRule]) -> None:
        self.dialect = dialect
        self.rules = rules
        self._begins = tuple((name[:-1], rule) for name, rule in rules.items() if name.endswith("*"))

    def of(self, name: str) -> KeyRule:
        """The rule of a key; unknown keys are left out."""
        rule = self.rules.get(name)
        if rule is None:
            rule = next((each for begin, each in self._begins if name.startswith(begin)), None)
        return rule or KeyRule(KeyTreatment.DROPPED, _UNKNOWN)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the operator of an endpoint lets through beside what is harmless."""

    extras: frozenset[str] = frozenset()
    """Names as in the table; one that ends in `*` stands for all that begin so."""
    media: MediaRule = PUBLIC

    def has(self, name: str) -> bool:
        """Whether a key is allowed."""
        if not self.extras:
            return False
        return name in self.extras or any(each.endswith("*") and name.startswith(each[:-1]) for each in self.extras)


NOTHING_MORE: Final = Allowance()


class Gate:
    """What one request may pass on."""

    def __init__(self, table: Table, allowance: Allowance, report: Report) -> None:
        self._table = table
        self._allowance = allowance
        self._report = report

    def judged(self, name: str, value: Any, field: str) -> Any:  # noqa: ANN401 (JSON)
        """The value as it may be passed on; ABSENT where it stays here. Raises `CostlyError` for what is refused.

        `name` is the key's name in the table: `service_tier`, `part.citations`, `tool_type.web_search_20260318`.
        """
        if self._allowance.has(name):
            return value
        rule = self._table.of(name)
        if rule.kind is KeyTreatment.SAFE:
            return self._fitting(name, rule, value, field)
        if rule.kind is KeyTreatment.COSTLY:
            if value is None:
                return ABSENT  # as if the key were not there
            if _among(value, rule.harmless):
                return value
            if not _among(value, rule.idle):
                raise CostlyError(field, name, rule.why)
        self._report.dropped(field, rule.why)
        return ABSENT

    def demand(self, name: str, field: str) -> None:
        """Raise `CostlyError` unless the operator allows what the name stands for: for typed fields that cost more by their value."""
        if not self._allowance.has(name):
            raise CostlyError(field, name, self._table.of(name).why)

    def address(self, uri: str, field: str) -> str:
        """The address of a medium. Raises `MediaAddressError` where a provider must not be sent there."""
        why = self._allowance.media.objection(uri)
        if why:
            raise MediaAddressError(field, why)
        return uri

    def _fitting(self, name: str, rule: KeyRule, value: Any, field: str) -> Any:  # noqa: ANN401 (JSON)
        """What of a value of a safe key is listed."""
        if rule.types is not None and (not isinstance(value, dict) or value.get("type") not in rule.types):
            self._report.dropped(field, _UNKNOWN)
            return ABSENT
        if rule.inner is None or not isinstance(value, dict):
            return value
        for key in sorted(value.keys() - rule.inner):
            self._report.dropped(f"{field}.{key}", _UNKNOWN)
        inside = {key: self._inside(f"{name}.{key}", inner, f"{field}.{key}") for key, inner in value.items() if key in rule.inner}
        return {key: inner for key, inner in inside.items() if inner is not ABSENT} or (ABSENT if value else value)

    def _inside(self, name: str, value: Any, field: str) -> Any:  # noqa: ANN401 (JSON)
        """A listed key of an object, by its own rule where it has one, such as `generationConfig.mediaResolution`."""
        return self.judged(name, value, field) if name in self._table.rules else value


def _among(value: object, values: Iterable[object]) -> bool:
    """Whether a value is one of the values; 0 is not False."""
    return any(type(value) is type(each) and value == each for each in values)
