"""What takes one guard out, and the test that goes red then."""

from __future__ import annotations

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
