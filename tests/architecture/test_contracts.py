"""Every contract says who may call what, what each error means, and builds on nothing but ours and Google's own types."""

import re
from collections import Counter
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor, EnumDescriptor, EnumValueDescriptor, FieldDescriptor, MethodDescriptor

from llm_mesh.mesh.v1 import access_pb2, carries_pb2, errors_pb2
from llm_mesh.services import SERVICES
from tests.architecture.repository import ROOT

SHARED = {"mesh", "inference", "link"}
"""Areas that no service serves by itself."""
AREAS = SHARED | {contract.split(".")[1] for each in SERVICES for contract in each.contracts}
# Generated stubs type an extension as a plain descriptor, not as the key that `Extensions` takes.
ACCESS: Any = access_pb2.access
ERROR: Any = errors_pb2.error
CARRIES: Any = carries_pb2.carries
LEVELS = {access_pb2.ACCESS_LEVEL_PUBLIC, access_pb2.ACCESS_LEVEL_MESH}


def _contracts() -> descriptor_pb2.FileDescriptorSet:
    contracts = descriptor_pb2.FileDescriptorSet.FromString((ROOT / "gen/llm_mesh.binpb").read_bytes())
    return descriptor_pb2.FileDescriptorSet(file=[file for file in contracts.file if file.package.startswith("llm_mesh.")])


def _pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString((ROOT / "gen/llm_mesh.binpb").read_bytes()).file:
        pool.Add(file)
    return pool


def methods() -> list[MethodDescriptor]:
    """Every RPC of every contract."""
    pool = _pool()
    services = [service for file in _contracts().file for service in pool.FindFileByName(file.name).services_by_name.values()]
    return [method for service in services for method in service.methods]


def reasons() -> list[EnumDescriptor]:
    """Every enum of error reasons."""
    pool = _pool()
    enums = [enum for file in _contracts().file for enum in pool.FindFileByName(file.name).enum_types_by_name.values()]
    return [enum for enum in enums if enum.name == "ErrorReason"]


def access_problem(method: MethodDescriptor) -> str:
    """What is wrong with the access rule of a method, or nothing."""
    options = descriptor_pb2.MethodOptions.FromString(method.GetOptions().SerializeToString())
    rule = options.Extensions[ACCESS]
    if rule.level not in LEVELS:
        return "has no access level"
    if not re.fullmatch(r"[a-z][A-Za-z]*\.[a-z][A-Za-z]*", rule.action):
        return f"has no action of the form collection.verb: {rule.action!r}"
    if not rule.resource:
        return "has no resource"
    for path in re.findall(r"\{([^}]*)\}", rule.resource):
        if not _resolves(method.input_type, path):
            return f"authorises a field that its request does not have: {path}"
    return ""


def _resolves(message: Descriptor | None, path: str) -> bool:
    for name in path.split("."):
        field = message.fields_by_name.get(name) if message else None
        if field is None:
            return False
        message = field.message_type
    return True


def rule_problem(value: EnumValueDescriptor) -> str:
    """What is wrong with the error rule of a reason, or nothing."""
    options = descriptor_pb2.EnumValueOptions.FromString(value.GetOptions().SerializeToString())
    rule = options.Extensions[ERROR]
    if value.number == 0:
        return "the zero value must have no rule" if options.HasExtension(ERROR) else ""
    if rule.code == errors_pb2.STATUS_CODE_UNSPECIFIED:
        return "has no status code"
    if not 400 <= rule.http <= 599:
        return f"has no HTTP status: {rule.http}"
    return "" if rule.remedy.endswith(".") else "has no remedy that is a sentence"


def messages() -> list[Descriptor]:
    """Every message of every contract that is not inside another."""
    pool = _pool()
    return [message for file in _contracts().file for message in pool.FindFileByName(file.name).message_types_by_name.values()]


def carried_problems(message: Descriptor, by_name: dict[str, Descriptor]) -> list[str]:
    """What a message lacks of the one that it declares to carry."""
    options = descriptor_pb2.MessageOptions.FromString(message.GetOptions().SerializeToString())
    if not options.HasExtension(CARRIES):
        return []
    carried = by_name.get(options.Extensions[CARRIES])
    if carried is None:
        return [f"carries a message that does not exist: {options.Extensions[CARRIES]}"]
    own = {field.name: _on_the_wire(field) for field in message.fields}
    return [f"has no field like {field.full_name}" for field in carried.fields if own.get(field.name) != _on_the_wire(field)]


def _on_the_wire(field: FieldDescriptor) -> tuple[object, ...]:
    inner = field.message_type or field.enum_type
    return field.number, field.type, field.is_repeated, field.is_packed, inner and inner.full_name


def test_messages_have_the_fields_of_what_they_carry() -> None:
    by_name = {message.full_name: message for message in messages()}
    assert {message.full_name: problems for message in messages() if (problems := carried_problems(message, by_name))} == {}
    carriers = {name for name, message in by_name.items() if message.GetOptions().ListFields()}
    assert {f"llm_mesh.{area}.v1.GenerateStreamResponse" for area in ("adapter", "gateway")} <= carriers


def test_a_message_without_a_field_of_what_it_carries_is_found() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="carrying.proto", package="carrying", syntax="proto3")
    for name, number in (("Events", 1), ("Response", 2)):
        file.message_type.add(name=name).field.add(
            name="events", number=number, type=FieldDescriptor.TYPE_STRING, label=FieldDescriptor.LABEL_REPEATED
        )
    file.message_type[1].options.Extensions[CARRIES] = "carrying.Events"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    by_name = {message.full_name: message for message in pool.FindFileByName("carrying.proto").message_types_by_name.values()}
    assert carried_problems(by_name["carrying.Response"], by_name) == ["has no field like carrying.Events.events"]
    assert carried_problems(by_name["carrying.Response"], {}) == ["carries a message that does not exist: carrying.Events"]


def test_every_area_of_the_design_has_a_contract() -> None:
    assert {file.package.split(".")[1] for file in _contracts().file} == AREAS


@pytest.mark.parametrize("method", methods(), ids=lambda method: method.full_name)
def test_every_rpc_says_who_may_call_it(method: MethodDescriptor) -> None:
    assert access_problem(method) == ""


@pytest.mark.parametrize("enum", reasons(), ids=lambda enum: enum.full_name)
def test_every_error_reason_says_how_it_is_answered(enum: EnumDescriptor) -> None:
    assert {value.name: problem for value in enum.values if (problem := rule_problem(value))} == {}


def test_every_area_with_a_service_has_error_reasons() -> None:
    serving = {method.containing_service.file.package for method in methods()}
    assert serving <= {enum.file.package for enum in reasons()}


def test_requests_and_responses_belong_to_one_rpc() -> None:
    used = Counter(name for method in methods() for name in (method.input_type.full_name, method.output_type.full_name))
    assert [name for name, count in used.items() if count > 1] == []


def test_contracts_import_only_ours_and_googles_own() -> None:
    imports = {name for file in _contracts().file for name in file.dependency}
    assert [name for name in imports if not name.startswith(("llm_mesh/", "google/protobuf/"))] == []


def test_a_method_without_a_rule_is_found() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="open.proto", package="open", syntax="proto3")
    file.message_type.add(name="Request")
    file.service.add(name="Open").method.add(name="Call", input_type=".open.Request", output_type=".open.Request")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    method = pool.FindServiceByName("open.Open").methods_by_name["Call"]
    assert access_problem(method) == "has no access level"


def test_every_file_says_how_its_java_classes_are_called() -> None:
    for file in _contracts().file:
        stem = file.name.rsplit("/", 1)[1].removesuffix(".proto")
        outer = "".join(word.capitalize() for word in stem.split("_")) + "Proto"
        options = (file.options.java_package, file.options.java_multiple_files, file.options.java_outer_classname)
        assert options == (f"dev.{file.package}", True, outer), file.name
