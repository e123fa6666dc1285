"""Every method takes the whole way: charged exactly, failed over, cancelled, refused by its field, and never beyond a strict budget."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest

from llm_mesh.gateway.v1 import gateway_pb2_grpc
from llm_mesh.policy.v1 import identity_pb2, rules_pb2, usage_pb2
from tests.proofs.methods import (
    CHARACTER_PRICE,
    IMAGE_PRICE,
    INPUTS,
    METHODS,
    SEARCH_PRICE,
    SECOND_PRICE,
    WAYS,
    ProvenMethod,
    method_model,
    methods_of_the_contract,
)
from tests.proofs.refusals import refused
from tests.proofs.stand import INPUT_PRICE, OUTPUT_PRICE, Stand, bearer, model, provider, route, stand, until
from tests.proofs.wires import settings_of_wires

CLIENTS, EACH = 64, 3
DOMAIN = "domains/methods"
PRINCIPAL = f"{DOMAIN}/principals/many"
EVERY = pytest.mark.parametrize("method", WAYS.values(), ids=WAYS)


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder: Path = tmp_path_factory.mktemp("methods")
    with provider(folder) as simulator, stand(folder, simulator, settings_of_wires(simulator)) as made:
        models, routes = [model("talks", "sim-echo")], []
        for method in WAYS.values():
            name = method.slug
            models += [
                method_model(method, f"{name}-good", "sim-echo"),
                method_model(method, f"{name}-failing", f"sim-echo/status:500/tokens:{len(models)}"),
                method_model(method, f"{name}-silent", "sim-stall"),
            ]
            routes.append(route(f"{name}-moved", f"{name}-failing", f"{name}-good"))
        made.put_models(models, routes)
        binding = rules_pb2.Binding(name=f"{DOMAIN}/bindings/many", principal=PRINCIPAL, role="roles/application")
        domains, principals = [identity_pb2.Domain(name=DOMAIN)], [identity_pb2.Principal(name=PRINCIPAL)]
        made.apply_policy(domains=domains, principals=principals, bindings=[binding])
        yield made


def alias(method: ProvenMethod, what: str) -> str:
    return f"{method.slug}-{what}"


def ask(mesh: Stand, method: ProvenMethod, what: str, request: str, size: int = 1) -> Any:
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    metadata = (*mesh.user, ("x-request-id", request))
    return getattr(stub, method.rpc)(method.request(alias(method, what), size), metadata=metadata, timeout=30)


def test_every_method_of_the_contract_is_proven() -> None:
    assert METHODS.keys() == methods_of_the_contract()
    assert {method.operation for method in METHODS.values()} == {field.name for field in INPUTS} - {"generate", "embed"}


@EVERY
def test_each_answer_is_charged_what_the_provider_says_that_it_used(mesh: Stand, method: ProvenMethod) -> None:
    answer = ask(mesh, method, "good", f"paid-{method.slug}", size=3)
    (line,) = mesh.provider.received(f"paid-{method.slug}")
    used = mesh.provider.served(line) or {}
    entry = mesh.entry(f"paid-{method.slug}")
    (charged,) = entry.lines
    usage = charged.usage.usage
    assert (entry.operation, entry.state) == (method.operation, usage_pb2.RESERVATION_STATE_SETTLED)
    expected = (
        sum(image.count * (IMAGE_PRICE if image.size == "1024x1024" else 0) for image in usage.images) + usage.characters * CHARACTER_PRICE
    )
    if "usage" in used:
        assert charged.usage.source == usage_pb2.USAGE_SOURCE_PROVIDER
        billed = usage.search_units if method.adapter == "cohere" else usage.input_tokens
        assert (billed, usage.output_tokens) == (used["usage"]["prompt"], used["usage"]["completion"])
    else:
        assert charged.usage.source == usage_pb2.USAGE_SOURCE_COUNTED
    expected += usage.audio_input_milliseconds * SECOND_PRICE // 1000 + usage.search_units * SEARCH_PRICE
    expected += usage.input_tokens * INPUT_PRICE + usage.output_tokens * OUTPUT_PRICE
    assert expected % 1_000_000 == 0
    assert entry.charged.nanos == expected // 1_000_000 == answer.receipt.charged.nanos > 0
    assert sum(image.count for image in usage.images) == (3 if method.rpc == "GenerateImage" else 0)
    assert usage.audio_input_milliseconds == (3_000 if method.rpc == "Transcribe" else 0)
    assert usage.characters == (len(method.input("", 3).text) if method.rpc == "Speak" else 0)
    assert entry.charged.nanos <= entry.reserved.nanos
    assert not charged.overrun
    assert answer.output.model == "sim-echo"


@EVERY
def test_a_target_that_fails_is_passed_over(mesh: Stand, method: ProvenMethod) -> None:
    answer = ask(mesh, method, "moved", f"moved-{method.slug}")
    assert answer.receipt.model == f"domains/shared/models/{alias(method, 'good')}"
    first, second = mesh.entry(f"moved-{method.slug}").lines
    assert (first.usage.error_reason, first.charge.nanos) == ("PROVIDER_ERROR", 0)
    assert second.charge.nanos == answer.receipt.charged.nanos > 0


@EVERY
def test_a_client_that_leaves_is_followed_to_the_provider(mesh: Stand, method: ProvenMethod) -> None:
    request = f"left-{method.slug}"
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    metadata = (*mesh.user, ("x-request-id", request))
    call = getattr(stub, method.rpc).future(method.request(alias(method, "silent")), metadata=metadata, timeout=30)
    (line,) = until(lambda: mesh.provider.received(request), "the provider is asked")
    call.cancel()
    assert until(lambda: mesh.provider.served(line), "the provider's connection closes")["outcome"] == "client_gone"
    entry = mesh.entry(request)
    (charged,) = entry.lines
    assert charged.usage.outcome == usage_pb2.ATTEMPT_OUTCOME_CANCELLED
    assert 0 < entry.charged.nanos <= entry.reserved.nanos


@EVERY
def test_a_wrong_input_is_refused_by_its_field_and_costs_nothing(mesh: Stand, method: ProvenMethod) -> None:
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    before = len(mesh.entries()), len(mesh.provider.log())
    for field in (*method.wrong, "input.end_user"):
        asked = method.request(alias(method, "good"))
        if field in method.wrong:
            method.wrong[field](asked.input)
        else:
            asked.input.end_user = "x" * 513
        told = refused(partial(getattr(stub, method.rpc), asked, metadata=mesh.user, timeout=20))
        assert (told.code, told.reason, told.field) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", field)
    prompted = method.request(alias(method, "good"))
    prompted.options.prompt.name = "greeting"
    assert refused(lambda: getattr(stub, method.rpc)(prompted, metadata=mesh.user, timeout=20)).field == "options.prompt"
    assert (len(mesh.entries()), len(mesh.provider.log())) == before


@EVERY
def test_a_model_that_cannot_is_not_asked_and_nothing_is_reserved(mesh: Stand, method: ProvenMethod) -> None:
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    metadata = (*mesh.user, ("x-request-id", f"unable-{method.slug}"))
    told = refused(lambda: getattr(stub, method.rpc)(method.request("talks"), metadata=metadata, timeout=20))
    assert (told.code, told.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NO_ELIGIBLE_TARGET")
    assert mesh.entries(f"unable-{method.slug}") == []


@EVERY
def test_a_strict_budget_holds_while_sixty_four_spend(mesh: Stand, method: ProvenMethod) -> None:
    project = f"{DOMAIN}/projects/{method.slug}"
    mesh.apply_policy(projects=[identity_pb2.Project(name=project, strict_charging=True)])
    ask(mesh, method, "good", f"bound-{method.slug}", size=3)
    reserved = mesh.entry(f"bound-{method.slug}").reserved.nanos
    amount = reserved * CLIENTS // 2
    mesh.put_budget(amount, project)
    key, told, lock = mesh.new_key(project, PRINCIPAL).secret, [], threading.Lock()
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)

    def spend(number: int) -> None:
        for turn in range(EACH):
            try:
                getattr(stub, method.rpc)(method.request(alias(method, "good"), 1 + (number + turn) % 4), metadata=bearer(key), timeout=60)
                result = "answered"
            except grpc.RpcError as error:
                result = error.code().name
            held = mesh.budget(project)
            assert held.spent.nanos + held.held.nanos <= amount
            with lock:
                told.append(result)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(spend, range(CLIENTS)))
    assert set(told) <= {"answered", "RESOURCE_EXHAUSTED"}, set(told)
    assert "answered" in told
    until(lambda: not mesh.budget(project).held.nanos, "nothing is held at rest")
    entries = mesh.entries(parent=project)
    assert len([entry for entry in entries if entry.charged.nanos]) == told.count("answered")
    assert mesh.budget(project).spent.nanos == sum(entry.charged.nanos for entry in entries) <= amount
    assert not any(line.overrun for entry in entries for line in entry.lines)
