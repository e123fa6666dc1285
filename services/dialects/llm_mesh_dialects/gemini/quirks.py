"""What models of the dialect take, as values by the model's name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiQuirks:
    """The defaults are those of the newest models."""

    thinking: Literal["level", "budget", "none"] = "level"
    """Whether thinking is asked for by a level, by a number of tokens, or not at all."""
    levels: frozenset[str] = frozenset({"minimal", "low", "medium", "high", "xhigh"})
    least_budget: int = 0
    """The fewest tokens of thinking. 0: thinking can be forbidden."""
    most_budget: int = 32_768
    proofs: bool = True
    """A function call of the current turn without its thought signature is refused."""
    media_in_results: bool = True
    """A function's response may carry media."""


NEWEST: Final = GeminiQuirks()
_THREE_FLASH: Final = GeminiQuirks(levels=frozenset({"minimal", "low", "medium", "high"}))
_THREE_PRO: Final = GeminiQuirks(levels=frozenset({"low", "medium", "high"}))
_FIRST_THREE_PRO: Final = GeminiQuirks(levels=frozenset({"low", "high"}))
_FLASH_TWO_FIVE: Final = GeminiQuirks(thinking="budget", most_budget=24_576, proofs=False, media_in_results=False)
_PRO_TWO_FIVE: Final = GeminiQuirks(thinking="budget", least_budget=128, proofs=False, media_in_results=False)
_WITHOUT_THOUGHT: Final = GeminiQuirks(thinking="none", proofs=False, media_in_results=False)

_VERSION: Final = re.compile(r"gemini-([0-9]+)(?:\.([0-9]+))?(.*)")
_TWO_FIVE: Final = (2, 5)
_THREE: Final = (3, 0)
_THREE_FIVE: Final = (3, 5)


def of_model(model: str) -> GeminiQuirks:
    """What a model takes, by its name; `models/` and the like before it do not count. Models without a number are the newest."""
    name = model.lower().rpartition("/")[2]
    if name.startswith(("gemma", "learnlm", "text-")):
        return _WITHOUT_THOUGHT
    parts = _VERSION.match(name)
    if parts is None:
        return NEWEST
    version = (int(parts[1]), int(parts[2] or 0))
    if version < _TWO_FIVE:
        return _WITHOUT_THOUGHT
    pro = "pro" in parts[3]
    if version < _THREE:
        return _PRO_TWO_FIVE if pro else _FLASH_TWO_FIVE
    if version >= _THREE_FIVE:
        return NEWEST
    return _THREE_FLASH if not pro else _FIRST_THREE_PRO if version == _THREE else _THREE_PRO
