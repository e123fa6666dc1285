"""What can be wrong with a setting, told so that the reader knows which variable or key to correct.

No message repeats a given value: a key pasted into the wrong variable must not end up in a log.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """One thing to correct: where it stands, and what was expected there."""

    place: str
    expected: str

    def __str__(self) -> str:
        return f"{self.place}: {self.expected}"


class SettingsError(Exception):
    """All problems of one start, so that they are corrected in one go."""

    def __init__(self, problems: Sequence[SettingProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


def suggestion(name: str, known: Iterable[str]) -> str:
    """A hint for a name that nobody reads; empty where nothing comes close."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.75)
    return f"; did you mean {close[0]}?" if close else ""
