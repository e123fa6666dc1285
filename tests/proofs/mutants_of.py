"""The guards against the attacks: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    file: str
    """Within `services/`."""
    guard: str
    """Text that stands in the file once."""
    instead: str
    """What takes its place."""
    test: str
    """The test that goes red, as pytest names it."""


MUTANTS: Mapping[str, Mutant] = {
    "rules/escalation-by-binding": Mutant(
        file="policy/llm_mesh_policy/domain/rules/escalation.py",
        guard="if not any(covers_rule(own, rule) for own in held):",
        instead="if False:",
        test="tests/policy/test_rules_administration.py",
    ),
}
