"""One kind of resource, as its contract has it and as people see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from google.protobuf.message import Message

Column = tuple[str, Callable[[Any], str]]
"""A title, and the cell of a resource."""


@dataclass(frozen=True, slots=True)
class Option:
    """A field that commands write. `field` is its key in a file for `apply`."""

    field: str
    flag: str
    help: str
    plain: str = ""
    """In a list of messages: the field that a plain text stands for."""
    refers_to: str = ""
    """The collection whose resources it names, so that short names are completed."""
    created_only: bool = False
    """It is given when the resource is created, and changes by another command."""


@dataclass(frozen=True, slots=True)
class Noun:
    """A kind of resource. The names of its RPCs follow from `kind`, such as `CreateProject` and `ListProjects`."""

    singular: str
    """Also the name of its field in requests and answers."""
    plural: str
    kind: str
    service: str
    stub: Callable[[Any], Any]
    messages: ModuleType
    """Where its message and those of its requests are."""
    columns: tuple[Column, ...]
    options: tuple[Option, ...] = ()
    parent: str = "domain"
    """What its lists are asked of: `domain`, or nothing."""

    @property
    def message(self) -> type[Message]:
        """The type of its resources."""
        kind: type[Message] = getattr(self.messages, self.kind)
        return kind

    @property
    def one(self) -> str:
        """`a route`, `an adapter`."""
        return f"{'an' if self.singular[0] in 'aeiou' else 'a'} {self.singular}"

    @property
    def has_get(self) -> bool:
        """Whether one can be asked for by its name."""
        return self.offers("Get")

    @property
    def has_masks(self) -> bool:
        """Whether an update names the fields that change; otherwise the whole resource is sent."""
        return self.offers("Update") and "update_mask" in self.request("Update").DESCRIPTOR.fields_by_name

    def offers(self, verb: str) -> bool:
        """Whether the contract has this verb."""
        return hasattr(self.messages, f"{self.method(verb)}Request")

    def request(self, verb: str) -> Any:  # noqa: ANN401 (a request of any type)
        """An empty request."""
        return getattr(self.messages, f"{self.method(verb)}Request")()

    def rpc(self, channel: Any, verb: str) -> Any:  # noqa: ANN401 (a method of any stub)
        """The method of the stub."""
        return getattr(self.stub(channel), self.method(verb))

    def method(self, verb: str) -> str:
        """The name of an RPC, such as `GetProject` or `ListProjects`."""
        return f"{verb}{self.kind}{'s' if verb == 'List' else ''}"
