"""Every text of every input that is admitted is screened, wherever the contract has one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor

from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_policy.admission.domain.inputs import INPUTS
from llm_mesh_policy.domain.model_uses import MODEL_USES, OPERATIONS
from llm_mesh_policy.rules.domain.roles import BUILT_IN

_NOT_SENT = {"model", "source_dialect", "dialect"}
"""The alias, and the words by which the mesh itself tells dialects: no provider sees them."""
_DEEPEST = 9
_FIELDS = policy_pb2.AdmitRequest.DESCRIPTOR.oneofs_by_name["input"].fields


def fill(message: Any, said: str, depth: int = 0) -> None:
    """Sets every text of a message. Of alternatives the last one is left."""
    for field in message.DESCRIPTOR.fields:
        if field.name in _NOT_SENT or depth > _DEEPEST:
            continue
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            inner = getattr(message, field.name).add() if field.is_repeated else getattr(message, field.name)
            inner.SetInParent()
            fill(inner, said, depth + 1)
        elif field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            value: Any = f"{{{said!r}:1}}".replace("'", '"') if field.name.endswith("json") else said
            value = value.encode() if field.type == FieldDescriptor.TYPE_BYTES else value
            if field.is_repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)


@pytest.mark.parametrize("operation", ["rerank", "moderate", "assess", "generate_image", "speak", "transcribe"])
def test_every_text_of_an_input_is_screened(operation: str) -> None:
    made = policy_pb2.AdmitRequest()
    message = getattr(made, operation)
    fill(message, "secret")
    if operation == "assess":  # one alternative of each is left of what excludes each other
        message.questions.add().predicate.true_description = "secret"
        message.questions[-1].predicate.false_description = "secret"
        message.questions.add().choice.options.add(text="secret", description="secret")
    assert any("secret" in slot.text for slot in INPUTS[operation].slots(message))
    for slot in list(INPUTS[operation].slots(message)):
        slot.put("gone")
    left = [field for field in _texts(message) if "secret" in field]
    assert left == [], "each text can be replaced by what is masked"


def _texts(message: Any) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for inner in value if field.is_repeated else (value,):
                yield from _texts(inner)
        elif field.cpp_type == FieldDescriptor.CPPTYPE_STRING and field.name not in _NOT_SENT:
            yield from (f"{field.full_name}={each!r}" for each in (value if field.is_repeated else (value,)))


def test_every_input_of_the_contract_can_be_admitted_and_applications_may_use_it() -> None:
    assert set(INPUTS) == {field.name for field in _FIELDS} == set(OPERATIONS)
    application = next(role for role in BUILT_IN.values() if role.name == "roles/application")
    assert set(MODEL_USES) <= {action for permission in application.permissions for action in permission.actions}
