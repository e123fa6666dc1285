"""The check of a request, and of a resource as a change leaves it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from llm_mesh_runtime.validation.broken import BrokenRule
from llm_mesh_runtime.validation.counts import counts_of
from llm_mesh_runtime.validation.messages import Compiler, RuleScope

RequestCheck = Callable[[Any, int], None]
"""Takes a request and its size in bytes. Raises INVALID_FIELD."""


@lru_cache(maxsize=1)
def _compiler() -> Compiler:
    """One for the process: there are as many checks as the contracts have messages."""
    return Compiler()


@lru_cache(maxsize=1024)
def request_check(descriptor: Any, *, known_enums: bool) -> RequestCheck | None:  # noqa: ANN401 (a descriptor)
    """The check of a method's requests; None where no field in them has a rule.

    `known_enums`: enums must have a value that this build knows. Not between services, of which one may be newer.
    """
    check, counts = _compiler().check_of(descriptor, RuleScope(known_enums)), counts_of(descriptor)
    if check is None:
        return None

    def checked(request: Any, size: int) -> None:  # noqa: ANN401 (any message)
        try:
            check(request)
            for count in counts:
                if size >= count.least_size:
                    count.check(request)
        except BrokenRule as broken:
            raise broken.error() from None

    return checked


def check_message(message: Any, field: str) -> None:  # noqa: ANN401 (any message)
    """Raises INVALID_FIELD where a message breaks a rule; `field` is what the caller calls the message.

    For what no request has as it is: a resource as an update leaves it, or an input to which a prompt was added.
    """
    check, counts = _compiler().check_of(message.DESCRIPTOR, RuleScope(known_enums=True)), counts_of(message.DESCRIPTOR)
    try:
        if check is not None:
            check(message)
        for count in counts:
            count.check(message)
    except BrokenRule as broken:
        raise broken.error(field) from None
