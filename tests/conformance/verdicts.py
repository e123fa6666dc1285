"""What became of a feature or field between an edge and a provider."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.conformance.answers import Told
from tests.conformance.asking import Seen
from tests.conformance.features import Feature

BUSY = frozenset(
    {"OVERLOADED", "DEADLINE_EXCEEDED", "BREAKER_OPEN", "BULKHEAD_FULL", "PROVIDER_TIMEOUT", "PROVIDER_UNREACHABLE", "PROVIDER_RESET"}
)
"""Reasons that say nothing of a request: the machine had too much to do."""


class Kind(StrEnum):
    """How it went."""

    EXACT = "exact"
    TRANSLATED = "translated"
    LEFT_OUT = "left out"
    IDLE = "what happens anyway"
    ABSENT = "the provider has no such thing"
    REFUSED = "refused"
    LOST = "lost"


@dataclass(frozen=True)
class Verdict:
    """One judgement."""

    kind: Kind
    notes: frozenset[str] = frozenset()
    why: str = ""
    """Of a refusal: its reason, and the field. Of a loss: what is missing."""


def of_field(variant: Seen, plain: Seen) -> Verdict:
    """Compares a request that says something with one that does not, or says something else."""
    _check_idle_machine(variant, plain)
    notes = variant.notes - plain.notes
    reached = bool(variant.sent) and variant.sent[-1] != (plain.sent[-1] if plain.sent else None)
    if variant.reason and not (variant.sent and reached):
        return Verdict(Kind.REFUSED, why=refusal(variant))
    if reached:
        return Verdict(Kind.TRANSLATED if notes else Kind.EXACT, notes)
    return Verdict(Kind.LEFT_OUT, notes) if notes else Verdict(Kind.LOST, why="the provider gets the same request, and no note says why")


def of_feature(feature: Feature, seen: Seen, told: Told | None, other: Seen | None) -> Verdict:
    """Looks for a feature in what the provider got, and in the answer."""
    _check_idle_machine(seen)
    if seen.reason:
        return Verdict(Kind.REFUSED, why=refusal(seen))
    missing = _missing(feature, seen, told, other)
    if not missing:
        return Verdict(Kind.TRANSLATED if seen.notes else Kind.EXACT, seen.notes)
    return Verdict(Kind.TRANSLATED, seen.notes) if seen.notes else Verdict(Kind.LOST, why=missing)


def _check_idle_machine(*seen: Seen) -> None:
    """Such a failure is no verdict: it would stand on the page as a refusal, and its request as one that reached nobody."""
    for each in seen:
        assert each.reason not in BUSY, f"the machine was too busy to judge: {refusal(each)}: {each.message}"


def refusal(seen: Seen) -> str:
    """The reason and the field."""
    return f"{seen.reason} {seen.place}".strip()


def _missing(feature: Feature, seen: Seen, told: Told | None, other: Seen | None) -> str:
    text = _everything(seen.sent)
    absent = [each for each in feature.sent if each not in text]
    if absent:
        return f"the provider gets no {absent[0][:40]}"
    if other is not None and other.sent and _bodies(other.sent) == _bodies(seen.sent):
        return "the provider gets the same request as without it"
    if told is not None and not feature.came(told):
        return f"the answer has it not: {told}"[:300]
    return ""


def _everything(sent: Sequence[object]) -> str:
    """What was sent as text, with the JSON in its texts."""
    text = json.dumps(sent, ensure_ascii=False)
    return text + text.replace('\\"', '"')


def _bodies(sent: Sequence[object]) -> str:
    return json.dumps(sent, sort_keys=True)
