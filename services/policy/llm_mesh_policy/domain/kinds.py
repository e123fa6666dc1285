"""The kinds of resources that identity and rules keep alike: by name, with a message as content."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from llm_mesh.policy.v1 import floors_pb2, identity_pb2, rules_pb2
from llm_mesh_policy.domain import checks
from llm_mesh_policy.domain.resources import StoredResource, Transaction
from llm_mesh_runtime.errors import not_found
from llm_mesh_runtime.resources import NamePattern, etag_of

M = TypeVar("M", bound=Message)


class ResourceKind(Generic[M]):
    """One kind of resource: how it is named, what of it may change, what is valid."""

    def __init__(self, message: type[M], template: str, mutable: Collection[str], check: Callable[[M, str], None]) -> None:
        self.message = message
        self.pattern = NamePattern(template)
        self.collection = template.split("/")[-2]
        self.noun = message.DESCRIPTOR.name.lower()
        self.mutable = frozenset(mutable)
        self._fields = frozenset(message.DESCRIPTOR.fields_by_name)
        self._check = check

    def place(self, name: str, field: str = "name") -> tuple[str, str]:
        """The domain and the id in a name; INVALID_FIELD where it is not a name of this kind."""
        ids = self.pattern.parse(name, field)
        return ids[0], ids[-1]

    def find(self, transaction: Transaction, name: str, field: str = "name") -> M | None:
        """The resource, or None."""
        row = transaction.find(self.collection, *self.place(name, field))
        return self.unpack(row) if row else None

    def get(self, transaction: Transaction, name: str, field: str = "name") -> M:
        """The resource; NOT_FOUND where there is none."""
        row = self.find(transaction, name, field)
        if row is None:
            raise not_found(name)
        return row

    def save(self, transaction: Transaction, message: M, field: str) -> M:
        """Creates or replaces the resource, once it is found valid."""
        self._check(message, field)
        name: Any = getattr(message, "name")  # noqa: B009 (messages of all kinds have a name, which their common type lacks)
        domain, identity = self.place(name, f"{field}.name")
        content = self.content(message)
        return self.unpack(
            transaction.save(self.collection, StoredResource(domain, identity, content.SerializeToString(deterministic=True)))
        )

    def content(self, message: M) -> M:
        """The message with nothing but what people set."""
        content = self.message()
        content.CopyFrom(message)
        for name in self._fields - self.mutable:
            content.ClearField(name)
        return content

    def row_of(self, message: M) -> StoredResource:
        """The row of a resource that `unpack` has shown, as far as that tells."""
        shown: Any = message
        times = [getattr(shown, name).ToMicroseconds() if name in self._fields else 0 for name in ("create_time", "update_time")]
        domain, identity = self.place(shown.name)
        return StoredResource(domain, identity, self.content(message).SerializeToString(deterministic=True), *times)

    def name_of(self, row: StoredResource) -> str:
        """The resource's name."""
        return f"domains/{row.id}" if self.collection == "domains" else f"domains/{row.domain}/{self.collection}/{row.id}"

    def unpack(self, row: StoredResource) -> M:
        """The stored resource as the contract shows it."""
        message: Any = self.message.FromString(row.body)
        if "etag" in self._fields:
            message.etag = etag_of(message)
        message.name = self.name_of(row)
        if "create_time" in self._fields:
            message.create_time.FromMicroseconds(row.create_time)
        if "update_time" in self._fields:
            message.update_time.FromMicroseconds(row.update_time)
        shown: M = message
        return shown


DOMAINS = ResourceKind(
    identity_pb2.Domain,
    "domains/{domain}",
    {"display_name", "regions", "default_data_class", "allowed_adapters", "zero_retention"},
    checks.domain,
)
PROJECTS = ResourceKind(
    identity_pb2.Project,
    "domains/{domain}/projects/{project}",
    {"display_name", "allowed_models", "max_output_tokens", "strict_charging", "keep_answers"},
    checks.project,
)
PRINCIPALS = ResourceKind(identity_pb2.Principal, "domains/{domain}/principals/{principal}", {"display_name", "disabled"}, checks.principal)
ROLES = ResourceKind(rules_pb2.Role, "domains/{domain}/roles/{role}", {"description", "permissions"}, checks.role)
BINDINGS = ResourceKind(rules_pb2.Binding, "domains/{domain}/bindings/{binding}", {"principal", "role", "scope", "state"}, checks.binding)
FLOORS = ResourceKind(
    floors_pb2.Floor,
    "domains/{domain}/floors/{floor}",
    set(floors_pb2.Floor.DESCRIPTOR.fields_by_name) - {"name", "etag", "create_time", "update_time"},
    checks.floor,
)

ALL_KINDS: Mapping[str, ResourceKind[Any]] = {kind.collection: kind for kind in (DOMAINS, PROJECTS, PRINCIPALS, ROLES, BINDINGS, FLOORS)}
"""By collection."""

KEY_NAME = NamePattern("domains/{domain}/projects/{project}/keys/{key}")
