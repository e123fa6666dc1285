"""Reads what `valgrind --tool=callgrind` counted: instructions by library and by function.

The format: https://valgrind.org/docs/manual/cl-format.html. A line of cost belongs to the function above it, the one after `calls=`
to the function that is called, where it is counted as well: that one is left out. Names are numbered, and told once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

_NAMED = re.compile(r"\((\d+)\)(?: (.*))?")
_RECURSION = re.compile(r"'\d+$")
_COST = frozenset("0123456789+-*")
_UNKNOWN = "(unknown)"


@dataclass(frozen=True, slots=True)
class Counted:
    """Instructions of one thread, each counted once: where it ran, not where that was called from."""

    libraries: Counter[str] = field(default_factory=Counter)
    functions: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """Instructions of all libraries together."""
        return self.libraries.total()


class _Names:
    """The names of one kind, by number."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def of(self, text: str) -> str:
        """The name that `(12) name` tells, or that `(12)` refers to."""
        named = _NAMED.match(text)
        if named is None:
            return text
        number, name = named.groups()
        if name:
            self._names[number] = name
        return self._names.get(number, _UNKNOWN)


def counted(lines: Iterable[str]) -> Counted:
    """What a file with one event, `Ir`, counted."""
    sums, libraries, functions = Counted(), _Names(), _Names()
    library = function = _UNKNOWN
    of_callee = False
    for line in lines:
        key, _, value = line.rstrip("\n").partition("=")
        if key == "ob":
            library = libraries.of(value).rsplit("/", 1)[-1]
        elif key == "cob":
            libraries.of(value)
        elif key == "fn":
            function = _RECURSION.sub("", functions.of(value))
        elif key == "cfn":
            functions.of(value)
        elif key == "calls":
            of_callee = True
        elif line[:1] in _COST:
            cost = line.split()
            if len(cost) == 2 and not of_callee:  # a line's number, and its instructions
                sums.libraries[library] += int(cost[1])
                sums.functions[function] += int(cost[1])
            of_callee = False
    return sums
