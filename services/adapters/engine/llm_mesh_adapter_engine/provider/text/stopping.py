"""Stop sequences, found over the borders of tokens. Text that may yet become one waits."""

from __future__ import annotations

from collections.abc import Sequence


def held_back(text: str, words: Sequence[str]) -> int:
    """How many characters at the end of a text may be the beginning of a word."""
    longest = max((len(word) for word in words), default=0) - 1
    for size in range(min(longest, len(text)), 0, -1):
        end = text[-size:]
        if any(word.startswith(end) for word in words):
            return size
    return 0


class StopSequences:
    """Those of one answer."""

    __slots__ = ("_held", "_stops", "stopped")

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = stops
        self._held = ""
        self.stopped = ""
        """The sequence that the text came to. Empty: none yet."""

    def feed(self, text: str) -> str:
        """What of the text so far can be shown."""
        if not self._stops:
            return text
        text = self._held + text
        places = [(place, -len(stop), stop) for stop in self._stops if (place := text.find(stop)) >= 0]
        if places:
            place, _, self.stopped = min(places)
            self._held = ""
            return text[:place]
        keep = len(text) - held_back(text, self._stops)
        self._held = text[keep:]
        return text[:keep]

    def rest(self) -> str:
        """What waited, and became no stop sequence."""
        held, self._held = self._held, ""
        return held
