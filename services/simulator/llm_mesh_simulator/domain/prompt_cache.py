"""Which prompt prefixes the provider has cached: what the second request with the same prefix reads instead of writing."""

from collections import OrderedDict
from collections.abc import Sequence

from llm_mesh_simulator.domain.question import CachePoint


class PromptCache:
    """Remembers the most recent prefixes of each model."""

    def __init__(self, capacity: int = 4096) -> None:
        self._capacity = capacity
        self._prefixes: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    def use(self, model: str, points: Sequence[CachePoint]) -> tuple[int, int, int]:
        """Tokens read, written for five minutes and written for an hour; the longest known prefix is read, the rest written."""
        read = written = written_hour = 0
        for point in points:
            key = (model, point.digest)
            if key in self._prefixes:
                self._prefixes.move_to_end(key)
                read, written, written_hour = point.tokens, 0, 0
                continue
            self._prefixes[key] = None
            missing = point.tokens - read - written - written_hour
            if point.hour:
                written_hour += missing
            else:
                written += missing
            if len(self._prefixes) > self._capacity:
                self._prefixes.popitem(last=False)
        return read, written, written_hour

    def clear(self) -> None:
        """Forgets all prefixes."""
        self._prefixes.clear()
