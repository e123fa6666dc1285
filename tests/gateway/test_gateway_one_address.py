"""The public listener of a gateway that runs apart answers for the whole mesh, and opens nothing that is not public."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2, adapter_pb2_grpc
from llm_mesh.catalogue.v1 import catalogue_pb2, catalogue_pb2_grpc
from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.observability.v1 import observability_pb2, observability_pb2_grpc
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh.services import SERVICES
from llm_mesh_gateway.peers import relays
from llm_mesh_runtime.errors import PeerError
from llm_mesh_runtime.host import load
from llm_mesh_runtime.host.relays import relayed
from llm_mesh_runtime.migrate import migrate_services, stateful
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.pipeline import Pipeline, Wrapped
from llm_mesh_runtime.service import Relay
from llm_mesh_runtime.settings import Configuration
from llm_mesh_runtime.testing import FakePolicy, HostedMesh, Link, host
from tests.contract.certificates import authority
from tests.proofs.every_rpc import every_rpc

NAMES = tuple(each.name for each in reversed(SERVICES) if each.contracts and each.name != "policy")
"""Who calls before who is called: `host` starts the last one first."""
ADAPTERS = sorted(name.removeprefix("adapter/") for name in NAMES if name.startswith("adapter/"))
APART: tuple[Link, ...] = ("grpc", "mux", "tls", "mux-tls")
KEY = "mk_ana"
SECRETS = dict.fromkeys(("LLM_MESH_BATCHES_SEALING_KEY", "LLM_MESH_CONVERSATIONS_CONTENT_SECRET"), "a secret of tests, at least 32 bytes")
"""What services cannot do without where they run alone."""


@asynccontextmanager
async def apart(
    folder: Path,
    link: Link = "grpc",
    *,
    without: str = "",
    policy: FakePolicy | None = None,
    **common: Any,
) -> AsyncIterator[HostedMesh]:
    """Services apart, beside a policy that knows one key."""
    names = tuple(name for name in NAMES if name != without)
    databases = {f"LLM_MESH_{name.upper()}_DATABASE_URL": f"sqlite:///{folder}/{name}.db" for name in stateful(names)}
    configuration = Configuration.read(SECRETS | databases)
    await migrate_services(stateful(names), configuration)
    services = load(names)
    settings: dict[str, Any] = {service.name: configuration.load(service.settings, service.name).value for service in services}
    tls = authority(folder) if link.endswith("tls") else None
    async with host(*services, link=link, settings=settings, tls=tls, policy=policy, **common) as mesh:
        yield mesh


async def refusal(call: Any) -> PeerError:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return from_rpc_error(refused.value)


async def until(done: Callable[[], bool]) -> None:
    """Wait until something has happened in another host, which tells nobody of it."""
    async with asyncio.timeout(30):
        while not done():  # noqa: ASYNC110 (see above)
            await asyncio.sleep(0.005)


def passed(given: tuple[Relay, ...]) -> set[str]:
    """The methods that are relayed, without a mesh around them."""

    class Unwrapped:
        def wrap(self, method: Any) -> Wrapped:
            return Wrapped(method, cast("Any", None))

    return {wrapped.method.path for wrapped in relayed(given, cast("Any", None), cast("Pipeline", Unwrapped()))}


def test_every_public_method_of_all_other_services_is_relayed_and_no_other() -> None:
    assert passed(relays()) == {rpc.path for rpc in every_rpc() if rpc.public and rpc.service != "gateway"}


def test_a_method_that_takes_a_stream_and_answers_with_one_cannot_be_relayed() -> None:
    from llm_mesh_runtime.host.relays import _passing  # noqa: PLC0415 (no contract has such a public method)

    class Streaming:
        def wrap(self, method: Any) -> Wrapped:
            _passing(replace(method, request_streaming=True, response_streaming=True), "registry", cast("Any", None))
            raise AssertionError

    with pytest.raises(ValueError, match="takes a stream"):
        relayed(relays()[1:2], cast("Any", None), cast("Pipeline", Streaming()))


@pytest.mark.parametrize("link", APART)
async def test_answers_and_refusals_are_those_of_the_service_itself(link: Link, tmp_path: Path) -> None:
    async with apart(tmp_path, link) as mesh:
        request = catalogue_pb2.GetPromptRequest(name="domains/claims/prompts/none")
        told = [
            await refusal(catalogue_pb2_grpc.CatalogueServiceStub(mesh.application(name, key=KEY)).GetPrompt(request))
            for name in ("gateway", "catalogue")
        ]
        assert told[0].details == told[1].details
        assert (told[0].reason_name, told[0].domain) == ("PROMPT_NOT_FOUND", "catalogue.llm-mesh")
        listing = registry_pb2.ListWellKnownModelsRequest(page_size=3)
        answers = [
            await registry_pb2_grpc.RegistryServiceStub(mesh.application(name, key=KEY)).ListWellKnownModels(listing)
            for name in ("gateway", "registry")
        ]
        assert answers[0] == answers[1]
        assert len(answers[0].models) == 3


async def test_a_stream_is_relayed_and_ends_with_its_reader(tmp_path: Path) -> None:
    async with apart(tmp_path) as mesh:
        stub = observability_pb2_grpc.ObservabilityServiceStub(mesh.application("gateway", key=KEY))
        call = stub.Tail(observability_pb2.TailRequest(parent="domains/claims"), timeout=30)
        watches = mesh.hosts["observability"]._drain._watches
        await until(lambda: len(watches) == 1)
        call.cancel()
        await until(lambda: not watches)


async def test_relayed_streams_take_no_slots_of_requests(tmp_path: Path) -> None:
    slots = 2 * len(NAMES)  # each service watches policy, too
    async with apart(tmp_path, concurrency=slots, queue=0, share_reserve=0) as mesh:
        channel = mesh.application("gateway", key=KEY)
        stub = observability_pb2_grpc.ObservabilityServiceStub(channel)
        calls = [stub.Tail(observability_pb2.TailRequest(parent="domains/claims")) for _ in range(slots)]
        watches = mesh.hosts["observability"]._drain._watches
        await until(lambda: len(watches) == slots)
        assert (await gateway_pb2_grpc.GatewayServiceStub(channel).CheckServices(gateway_pb2.CheckServicesRequest())).services
        for call in calls:
            call.cancel()


async def test_the_callers_credential_decides_at_the_gateway_and_at_the_service(tmp_path: Path) -> None:
    policy = FakePolicy()
    async with apart(tmp_path, policy=policy) as mesh:
        request = registry_pb2.ListWellKnownModelsRequest(page_size=1)
        method = "/llm_mesh.registry.v1.RegistryService/ListWellKnownModels"
        for key, reason in (("", "MISSING_CREDENTIAL"), ("mk_nobody", "INVALID_CREDENTIAL")):
            stub = registry_pb2_grpc.RegistryServiceStub(mesh.application("gateway", key=key))
            assert (await refusal(stub.ListWellKnownModels(request))).reason_name == reason
        policy.questions.clear()
        await registry_pb2_grpc.RegistryServiceStub(mesh.application("gateway", key=KEY)).ListWellKnownModels(request)
        assert [asked.credential for asked in policy.questions if asked.method == method] == [
            KEY,
            KEY,
        ]  # by the gateway, and by the registry
        policy.denied.add("wellKnownModels.list")
        policy.change()
        stub = registry_pb2_grpc.RegistryServiceStub(mesh.application("gateway", key=KEY))
        told = await refusal(stub.ListWellKnownModels(registry_pb2.ListWellKnownModelsRequest(page_size=2)))
        assert told.reason_name == "ACTION_DENIED"


@pytest.mark.parametrize("link", APART)
async def test_the_gateway_itself_may_not_call_what_it_only_relays(link: Link, tmp_path: Path) -> None:
    async with apart(tmp_path, link) as mesh:
        stub = registry_pb2_grpc.RegistryServiceStub(mesh.channel("registry", caller="gateway"))
        told = await refusal(stub.ListWellKnownModels(registry_pb2.ListWellKnownModelsRequest()))
        assert told.reason_name == "CALLER_NOT_ALLOWED"
        keyed = (("authorization", f"Bearer {KEY}"),)
        watching = stub.WatchModels(registry_pb2.WatchModelsRequest(), metadata=keyed)
        assert (await refusal(watching.read())).reason_name == "MESH_ONLY"


async def test_other_services_may_not_relay(tmp_path: Path) -> None:
    async with apart(tmp_path) as mesh:
        stub = registry_pb2_grpc.RegistryServiceStub(mesh.channel("registry", caller="catalogue"))
        keyed = (("authorization", f"Bearer {KEY}"),)
        told = await refusal(stub.ListWellKnownModels(registry_pb2.ListWellKnownModelsRequest(), metadata=keyed))
        assert told.reason_name == "CALLER_NOT_ALLOWED"


async def test_the_caller_names_the_adapter_that_is_meant(tmp_path: Path) -> None:
    async with apart(tmp_path) as mesh:
        for named, first in (("openai", "openai"), ("anthropic", "anthropic")):
            channel = mesh.application("gateway", key=KEY, metadata=(("x-llm-mesh-adapter", named),))
            answer = await adapter_pb2_grpc.AdapterServiceStub(channel).ListEndpoints(adapter_pb2.ListEndpointsRequest())
            assert first in {endpoint.name for endpoint in answer.endpoints}
        for metadata in ((), (("x-llm-mesh-adapter", "mistral"),)):
            channel = mesh.application("gateway", key=KEY, metadata=metadata)
            told = await refusal(adapter_pb2_grpc.AdapterServiceStub(channel).ListEndpoints(adapter_pb2.ListEndpointsRequest()))
            assert (told.code, told.field) == (grpc.StatusCode.INVALID_ARGUMENT, "x-llm-mesh-adapter")
            assert told.message.endswith(", ".join(ADAPTERS))


async def test_a_service_without_a_link_is_named_with_its_setting(tmp_path: Path) -> None:
    async with apart(tmp_path, without="catalogue") as mesh:
        stub = catalogue_pb2_grpc.CatalogueServiceStub(mesh.application("gateway", key=KEY))
        told = await refusal(stub.GetPrompt(catalogue_pb2.GetPromptRequest(name="domains/claims/prompts/none")))
        assert told.code is grpc.StatusCode.UNAVAILABLE
        assert "LLM_MESH_LINK_CATALOGUE" in told.message


async def test_the_states_of_all_services_are_told_to_those_who_may_know(tmp_path: Path) -> None:
    policy = FakePolicy()
    async with apart(tmp_path, policy=policy) as mesh:
        stub = gateway_pb2_grpc.GatewayServiceStub(mesh.application("gateway", key=KEY))
        states = {each.service: each.state for each in (await stub.CheckServices(gateway_pb2.CheckServicesRequest())).services}
        names = {name.replace("adapter-", "adapter/") for name in NAMES} | {"policy"}
        assert states == dict.fromkeys(names, gateway_pb2.SERVICE_STATE_SERVING)
        mesh.hosts["catalogue"].health.drain()
        await mesh.hosts["router"].stop()
        states = {each.service: each.state for each in (await stub.CheckServices(gateway_pb2.CheckServicesRequest())).services}
        assert states.pop("catalogue") == gateway_pb2.SERVICE_STATE_NOT_SERVING
        assert states.pop("router") == gateway_pb2.SERVICE_STATE_UNREACHABLE
        assert set(states.values()) == {gateway_pb2.SERVICE_STATE_SERVING}
        assert {(asked.resource, asked.action) for asked in policy.questions} == {("domains/platform", "services.check")}
