"""How many messages of one type a request may have in all, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from llm_mesh.mesh.v1 import rules_pb2
from llm_mesh_runtime.validation.broken import BrokenRule
from llm_mesh_runtime.validation.messages import is_map, rule_of

_MAX_IN_REQUEST: Any = rules_pb2.max_in_request  # see `messages`
_SMALLEST = 2
"""Bytes of a message in another one: its tag and its length."""


class MessageCount:
    """Counts messages of one type. A request that is too small to have too many is not looked at."""

    def __init__(self, root: Any, target: Any) -> None:  # noqa: ANN401 (descriptors)
        self._target = target.full_name
        self.most: int = target.GetOptions().Extensions[_MAX_IN_REQUEST]
        self.least_size = _SMALLEST * self.most
        self._ways: dict[str, list[tuple[str, bool]]] = {}
        """Names of the fields that lead to the type, by message, and whether they are repeated."""
        for descriptor in _messages_in(root):
            self._ways[descriptor.full_name] = [
                (field.name, field.is_repeated) for field in _inner(descriptor) if target in _messages_in(field.message_type)
            ]

    def check(self, request: Any) -> None:  # noqa: ANN401 (any message)
        """Raises where there are too many."""
        if self._count(request) > self.most:
            raise BrokenRule(f"must have at most {self.most:,} {self._target.rpartition('.')[2].lower()}s in all", *self._place(request))

    def _count(self, message: Any) -> int:  # noqa: ANN401 (any message)
        name = message.DESCRIPTOR.full_name
        return int(name == self._target) + sum(self._count(inner) for inner in self._within(message, self._ways[name]))

    def _within(self, message: Any, ways: list[tuple[str, bool]]) -> Iterator[Any]:  # noqa: ANN401 (any message)
        for name, repeated in ways:
            if repeated:
                yield from getattr(message, name)[:]
            elif message.HasField(name):
                yield getattr(message, name)

    def _place(self, message: Any) -> list[str]:  # noqa: ANN401 (any message)
        """The first list on the way, innermost name first."""
        for name, repeated in self._ways[message.DESCRIPTOR.full_name]:
            if repeated:
                return [name]
            if message.HasField(name) and self._count(getattr(message, name)) > self.most:
                return [*self._place(getattr(message, name)), name]
        return []


@lru_cache(maxsize=1024)
def counts_of(root: Any) -> tuple[MessageCount, ...]:  # noqa: ANN401 (a descriptor)
    """What is counted in a request."""
    return tuple(
        MessageCount(root, each) for each in _messages_in(root) if each.has_options and each.GetOptions().Extensions[_MAX_IN_REQUEST]
    )


def _messages_in(descriptor: Any) -> list[Any]:  # noqa: ANN401 (a descriptor)
    """A message and all that may be in it, each once."""
    reached, open_ = [descriptor], [descriptor]
    while open_:
        for field in _inner(open_.pop()):
            if field.message_type not in reached:
                reached.append(field.message_type)
                open_.append(field.message_type)
    return reached


def _inner(descriptor: Any) -> Iterator[Any]:  # noqa: ANN401 (a descriptor)
    """The fields that hold messages, without maps and without what was checked before."""
    for field in descriptor.fields:
        kind = field.message_type
        if kind is not None and not is_map(field) and not rule_of(field).checked_by_sender:
            yield field
