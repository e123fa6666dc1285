"""How many values the JSON of a provider may have. A parser makes all of them in one go that nothing interrupts: few bytes can be many."""

from __future__ import annotations

from llm_mesh_adapter_kit.errors import AdapterError, malformed
from llm_mesh_runtime.items import has_more_values

LARGE = 64 * 1024
MOST_VALUES = 1_000_000
"""In a whole answer: 4,096 tokens with 20 alternatives each, and the bytes of all, have half of it."""
MOST_OF_AN_EVENT = 50_000
"""In one event of a stream, which is read on the event loop."""


def check_values(endpoint: str, data: bytes, most: int) -> None:
    """Refuses a large text that has more values than that. Runs in a thread."""
    if len(data) > LARGE and has_more_values(data, most):
        raise _too_many(endpoint, most)


def check_event(endpoint: str, data: bytes) -> None:
    """The same for an event of a stream."""
    if len(data) > LARGE and has_more_values(data, MOST_OF_AN_EVENT, on_loop=True):
        raise _too_many(endpoint, MOST_OF_AN_EVENT)


def _too_many(endpoint: str, most: int) -> AdapterError:
    return malformed(endpoint, f"more than {most} values")
