"""Values in words: no field of a resource is ever shown as protobuf prints it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor

from llm_mesh.catalogue.v1 import catalogue_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import floors_pb2, identity_pb2, ledger_pb2, rules_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_runtime.resources import change_of

APPLIED: tuple[type[Any], ...] = (
    identity_pb2.Domain,
    identity_pb2.Project,
    identity_pb2.Principal,
    rules_pb2.Role,
    rules_pb2.Binding,
    floors_pb2.Floor,
    ledger_pb2.Budget,
    ledger_pb2.Limit,
    registry_pb2.Model,
    registry_pb2.Adapter,
    registry_pb2.Endpoint,
    registry_pb2.Subscription,
    router_pb2.Route,
    catalogue_pb2.Prompt,
    catalogue_pb2.PromptVersion,
)
"""Everything that an apply can change."""
FIELDS = [
    (kind, field.name) for kind in APPLIED for field in kind.DESCRIPTOR.fields if field.name not in {"etag", "create_time", "update_time"}
]
PROTOBUF = re.compile(r"\w: |[{}<>]|\b[A-Z]+_[A-Z_]+\b|\bseconds|nanos\b|\[\(|True|False|None")


def filled(message: Any, field: Any, depth: int = 0) -> None:
    """Gives a field a value of its kind."""
    value: Any
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        number = field.message_type.fields_by_name["value"].cpp_type != FieldDescriptor.CPPTYPE_STRING
        getattr(message, field.name)["key"] = 7 if number else "v"
        return
    if field.message_type is not None:
        inner = getattr(message, field.name).add() if field.is_repeated else getattr(message, field.name)
        inner.SetInParent()
        for each in field.message_type.fields:
            if depth < 3:
                filled(inner, each, depth + 1)
        return
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        value = field.enum_type.values[-1].number
    elif field.type == FieldDescriptor.TYPE_BYTES:
        value = b"\x01"
    elif field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        value = "text"
    else:
        value = True if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL else 7
    if field.is_repeated:
        getattr(message, field.name).extend([value, value])
    else:
        setattr(message, field.name, value)


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=lambda part: part if isinstance(part, str) else part.DESCRIPTOR.name)
def test_a_change_of_any_field_is_told_in_words(kind: type[Any], name: str) -> None:
    before, after = kind(), kind()
    filled(after, kind.DESCRIPTOR.fields_by_name[name])
    (change,) = change_of("r", before, after, ignore=()).fields
    assert change.path.partition(".")[0] == name
    assert change.before == ""
    assert change.after
    assert not PROTOBUF.search(change.after), change.after


def test_amounts_spans_and_lists_read_as_files_have_them() -> None:
    before = ledger_pb2.Budget(amount=resources_pb2.Money(currency="USD", nanos=25_000_000_000), period=ledger_pb2.BUDGET_PERIOD_DAILY)
    after = ledger_pb2.Budget(amount=resources_pb2.Money(currency="USD", nanos=500_000_000), period=ledger_pb2.BUDGET_PERIOD_MONTHLY)
    told = [(field.path, field.before, field.after) for field in change_of("r", before, after).fields]
    assert told == [("amount", "25 USD", "0.5 USD"), ("period", "daily", "monthly")]
    limit, longer = ledger_pb2.Limit(), ledger_pb2.Limit()
    limit.window.seconds, longer.window.seconds = 60, 5430
    assert [(field.before, field.after) for field in change_of("r", limit, longer).fields] == [("1m", "1h30m30s")]
    few, more = identity_pb2.Project(allowed_models=["a"]), identity_pb2.Project(allowed_models=["a", "b"])
    assert [(field.before, field.after) for field in change_of("r", few, more).fields] == [("a", "a, b")]
