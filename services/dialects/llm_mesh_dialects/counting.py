"""How many parts a conversation has, counted before anything is made of them."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh_dialects.errors import DialectError

MOST_PARTS: Final = 16_384
MOST_TOOLS: Final = 256
_LISTS: Final = ("content", "tool_calls", "output")
_DEEPEST: Final = 4


def check_parts(messages: list[Any], field: str = "messages") -> None:
    """Refuses a conversation with too many parts. What is wrong otherwise, its reader tells. `field` has the messages."""
    if _counted(messages, 0, 0) > MOST_PARTS:
        raise DialectError(field, f"expected at most {MOST_PARTS} parts in all messages together")


def check_tools(tools: Any) -> None:  # noqa: ANN401 (JSON)
    """Refuses more tools than a request may have."""
    if isinstance(tools, list) and len(tools) > MOST_TOOLS:
        raise DialectError("tools", f"expected a list of at most {MOST_TOOLS} tools")


def _counted(owners: list[Any], count: int, depth: int) -> int:
    for owner in owners:
        if type(owner) is dict:
            for key in _LISTS:
                parts = owner.get(key)
                if type(parts) is list:
                    count += len(parts)
                    if depth < _DEEPEST and count <= MOST_PARTS:
                        count = _counted(parts, count, depth + 1)
            if count > MOST_PARTS:
                break
    return count
