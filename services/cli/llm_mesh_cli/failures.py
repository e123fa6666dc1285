"""Exit codes: what a script can tell from the end of a command. The README documents them."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llm_mesh_runtime.errors import MeshError


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNAVAILABLE = 3
    DENIED = 4
    NOT_FOUND = 5
    CONFLICT = 6
    USED_UP = 7
    INTERRUPTED = 130


_BY_CODE = {
    "INVALID_ARGUMENT": Exit.USAGE,
    "OUT_OF_RANGE": Exit.USAGE,
    "UNAVAILABLE": Exit.UNAVAILABLE,
    "DEADLINE_EXCEEDED": Exit.UNAVAILABLE,
    "UNAUTHENTICATED": Exit.DENIED,
    "PERMISSION_DENIED": Exit.DENIED,
    "NOT_FOUND": Exit.NOT_FOUND,
    "ALREADY_EXISTS": Exit.CONFLICT,
    "ABORTED": Exit.CONFLICT,
    "FAILED_PRECONDITION": Exit.CONFLICT,
    "RESOURCE_EXHAUSTED": Exit.USED_UP,
}


class CommandError(Exception):
    """A command that cannot go on, told in one line."""

    def __init__(self, text: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(text)
        self.code = code


def exit_code(error: MeshError) -> Exit:
    """The exit code of an error of the mesh."""
    return _BY_CODE.get(error.code.name, Exit.FAILED)
