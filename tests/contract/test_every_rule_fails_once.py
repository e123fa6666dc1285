"""Each rule of a field in a request fails once: with its path, with what was expected, and before the method begins."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf import message_factory

from llm_mesh.mesh.v1 import access_pb2, rules_pb2
from llm_mesh.services import SERVICES
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.pipeline.methods import Method, methods_of
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.testing import FakePolicy, NoSettings, host
from llm_mesh_runtime.validation import request_check, rule_of
from tests.contract.rule_breaking import all_broken, valid, ways

MAX_IN_REQUEST: Any = rules_pb2.max_in_request
OF_POLICY = ("Authorize", "RecordChanges", "WatchRevision")


class Recorder:
    """A servicer of any contract, which notes the methods that were called."""

    def __init__(self, policy: FakePolicy | None = None) -> None:
        self.called: list[str] = []
        self._policy = policy

    def __getattr__(self, name: str) -> Callable[[Any, Any], Any]:
        if self._policy is not None and name in OF_POLICY:
            return getattr(self._policy, name)  # type: ignore[no-any-return]

        async def method(request: Any, context: Any) -> Any:
            self.called.append(name)

        return method


def registrations(contract: str, servicer: Any) -> Any:
    package, name = contract.rpartition(".")[::2]
    area = package.split(".")[1]
    for file in SERVICE_FILES.get(area, (area,)):
        module = importlib.import_module(f"{package}.{file}_pb2_grpc")
        if hasattr(module, f"add_{name}Servicer_to_server"):
            return getattr(module, f"add_{name}Servicer_to_server"), servicer
    raise AssertionError(contract)


SERVICE_FILES = {
    "policy": ("policy", "identity", "rules", "ledger"),
    "batches": ("batches", "files"),
    "conversations": ("responses", "conversations", "retention"),
}
"""Where the service of an area is not in a file of its name."""
HOSTED = [each for each in SERVICES if each.contracts and "adapter" not in each.name]
METHODS = [
    method
    for each in SERVICES
    if each.contracts and each.name != "adapter/anthropic"
    for contract in each.contracts
    for method in methods_of([registrations(contract, Recorder())])
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.path)
def test_each_rule_of_a_request_fails_once(method: Method) -> None:
    check, wrong = request_check(method.request, known_enums=method.public), []
    if check is not None:
        check(valid(method.request), 10**6)
    for broken in all_broken(method.request, known_enums=method.public):
        assert check is not None, broken.rule
        try:
            check(broken.request, 10**6)
        except MeshError as error:
            words = error.message.removeprefix(f"{error.field}: ").removeprefix("the key ")
            if (error.reason_name, error.field) != ("INVALID_FIELD", broken.field) or (
                broken.expected and not fits(words, broken.expected)
            ):
                wrong.append((broken.rule, broken.field, str(error), broken.expected))
        else:
            wrong.append((broken.rule, broken.field, "was taken", broken.expected))
    assert not wrong, "\n".join(map(str, wrong))


def fits(words: str, expected: frozenset[str]) -> bool:
    return any(words in each for each in expected) or words.startswith(("must be one of ", "must be a time ", "must be a duration "))


def test_rules_are_found() -> None:
    broken = [each.rule for method in METHODS for each in all_broken(method.request, known_enums=method.public)]
    assert len(set(broken)) > 200
    kinds = {each.partition(" of ")[0] for each in broken}
    assert kinds >= {
        "required", "max_items", "unique_items", "key", "max_depth", "min", "max", "min_duration", "min_bytes", "max_bytes", "pattern",
        "form", "max_json_depth", "utf8", "one", "known", "valid", "a number",
    }  # fmt: skip


def test_what_a_service_has_checked_is_passed_on_between_services_alone() -> None:
    public = [method for method in METHODS if method.public and method.rule is not None]
    assert public
    for method in public:
        assert method.rule is not None
        assert method.rule.level == access_pb2.ACCESS_LEVEL_PUBLIC
        for _, descriptor in ways(method.request):
            assert not [field.full_name for field in descriptor.fields if rule_of(field).checked_by_sender], method.path


def test_the_messages_that_are_counted_are_those_of_which_a_test_sends_too_many() -> None:
    counted = {
        descriptor.full_name
        for method in METHODS
        for _, descriptor in ways(method.request)
        if descriptor.GetOptions().Extensions[MAX_IN_REQUEST]
    }
    assert counted == {"llm_mesh.inference.v1.Part"}, "see tests/runtime/test_field_rules.py"


async def test_a_broken_rule_is_told_to_keys_before_a_method_begins() -> None:
    fake = FakePolicy()
    recorders = {each.name: Recorder(fake if each.name == "policy" else None) for each in HOSTED}
    services = [Service(each.name, each.contracts, NoSettings, built(each.contracts, recorders[each.name])) for each in HOSTED]
    sent, wrong = 0, []
    async with host(*services) as mesh:
        for method in METHODS:
            broken = next(all_broken(method.request, known_enums=True), None)
            area = method.contract.split(".")[1]
            if not method.public or broken is None or area not in recorders or method.name in OF_POLICY or method.request_streaming:
                continue
            sent += 1
            channel = mesh.application(area, key="mk_ana")
            request = message_factory.GetMessageClass(method.request)
            kind: Any = channel.unary_stream if method.response_streaming else channel.unary_unary
            call = kind(method.path, request_serializer=request.SerializeToString, response_deserializer=None)(broken.request, timeout=20)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await (call.read() if method.response_streaming else call)
            error = from_rpc_error(refused.value)
            if (error.reason_name, error.field) != ("INVALID_FIELD", broken.field):
                wrong.append((method.path, broken.rule, broken.field, str(error)))
    assert not wrong, "\n".join(map(str, wrong))
    assert sent > 20
    assert not [each for recorder in recorders.values() for each in recorder.called]


def built(contracts: tuple[str, ...], recorder: Recorder) -> Callable[[Any, Any], Servicers]:
    return lambda _settings, _links: Servicers(*(registrations(contract, recorder) for contract in contracts))
