"""What `doctor` finds."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """One line of the report."""

    state: Literal["ok", "warn", "fail"]
    what: str
    value: str
    remedy: str = ""
