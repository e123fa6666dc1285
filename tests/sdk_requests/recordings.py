"""What official libraries sent (`record.py`), by the name of the call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def recorded(library: str) -> dict[str, dict[str, Any]]:
    """The requests of one library."""
    cases: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name(f"{library}.json").read_text(encoding="utf-8"))["cases"]
    return cases
