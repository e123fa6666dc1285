"""Peers of the released contracts, and of ones yet to come, use a running mesh: each public service, and its streams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message

from llm_mesh_runtime.links.outbound import Outbound
from llm_mesh_runtime.links.remote import RemoteChannel
from llm_mesh_runtime.links.tls import Tls
from tests.e2e.running import RunningMesh
from tests.skew.contracts import Rpc, Version, contracts

DOMAIN = "domains/default"
PROJECT = f"{DOMAIN}/projects/default"
INPUT = {"model": "sim-echo", "messages": [{"role": "ROLE_USER", "parts": [{"text": {"text": "across versions"}}]}]}


class Peer:
    """An application of another version, of which only descriptors exist. What it sends has something new wherever it can."""

    def __init__(self, mesh: RunningMesh, version: Version, key: str) -> None:
        self._mesh = mesh
        self._rpcs = {rpc.path.removeprefix("/llm_mesh."): rpc for rpc in contracts(version).rpcs()}
        self._sent = (("authorization", f"Bearer {key}"),)
        self._tls = Tls.read("", "", mesh.authority)
        self._opened: list[RemoteChannel] = []

    async def ask(self, path: str, **fields: Any) -> Any:
        """The answer of a unary call; of a stream, its first message that has something."""
        async for answer in self.follow(path, **fields):
            return answer
        raise AssertionError(f"{path} ended without an answer")

    async def follow(self, path: str, **fields: Any) -> AsyncIterator[Any]:
        """All answers of a call."""
        rpc = self._rpcs[path]
        request = rpc.request()
        json_format.ParseDict(fields, request)
        with_news(request)
        call = self._callable(rpc)(request, timeout=20)
        if not rpc.streams_out:
            yield await call
            return
        try:
            async for answer in call:
                yield answer
        finally:
            call.cancel()

    async def close(self) -> None:
        for channel in self._opened:
            await channel.close()

    def _callable(self, rpc: Rpc) -> Any:
        service = rpc.path.split(".")[1]
        channel = RemoteChannel(service, self._mesh.address(service), Outbound("", identity=lambda: self._sent), self._tls)
        self._opened.append(channel)
        kind = channel.unary_stream if rpc.streams_out else channel.unary_unary
        return kind(rpc.path, request_serializer=rpc.request.SerializeToString, response_deserializer=rpc.response.FromString)


def with_news(message: Message) -> None:
    """Set the fields that only the future has, at every depth."""
    for field, value in message.ListFields():
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for inner in value if field.is_repeated else [value]:
                with_news(inner)
    if "from_the_future" in message.DESCRIPTOR.fields_by_name:
        message.from_the_future = "news"  # type: ignore[attr-defined]  # a field of a synthesised contract


@asynccontextmanager
async def peer(mesh: RunningMesh, version: Version, key: str) -> AsyncIterator[Peer]:
    made = Peer(mesh, version, key)
    try:
        yield made
    finally:
        await made.close()


@pytest.mark.parametrize("version", ["released", "future"])
async def test_an_application_of_another_version_is_answered_and_streamed_to(mesh: RunningMesh, version: Version) -> None:
    async with peer(mesh, version, mesh.project_key) as application:
        answer = await application.ask("gateway.v1.GatewayService/Generate", input=INPUT)
        assert answer.output.choices[0].message.parts[0].text.text == "across versions"
        assert answer.receipt.charged.nanos > 0
        messages = [each async for each in application.follow("gateway.v1.GatewayService/GenerateStream", input=INPUT)]
        text = "".join(event.text.text for message in messages for event in message.events)
        assert text == "across versions"
        assert messages[-1].receipt.charged.nanos > 0
        models = await application.ask("gateway.v1.GatewayService/ListModels")
        assert "sim-echo" in {model.alias for model in models.models}


@pytest.mark.parametrize("version", ["released", "future"])
async def test_an_administrator_of_another_version_uses_every_service(mesh: RunningMesh, version: Version) -> None:
    name = f"skew-{uuid4().hex[:12]}"
    async with peer(mesh, version, mesh.admin_key) as admin:
        caller = (await admin.ask("policy.v1.IdentityService/WhoAmI")).caller
        assert caller.domain == "domains/platform"
        assert (await admin.ask("policy.v1.RuleService/ListRoles", parent=DOMAIN)).roles
        explained = await admin.ask(
            "policy.v1.RuleService/Explain",
            parent=DOMAIN,
            principal=f"{DOMAIN}/principals/application",
            action="models.generate",
            resource="models/x",
        )
        assert explained.allowed
        assert (await admin.ask("policy.v1.LedgerService/ListLedgerEntries", parent=PROJECT)) is not None

        made = await admin.ask(
            "catalogue.v1.CatalogueService/CreatePrompt", parent=DOMAIN, promptId=name, prompt={"description": "of another version"}
        )
        assert made.prompt.name == f"{DOMAIN}/prompts/{name}"
        listed = await admin.ask("catalogue.v1.CatalogueService/ListPrompts", parent=DOMAIN, pageSize=1000)
        assert made.prompt.name in {prompt.name for prompt in listed.prompts}

        model = (await admin.ask("registry.v1.RegistryService/GetModel", name="domains/shared/models/sim-echo")).model
        assert model.alias == "sim-echo"
        route = await admin.ask(
            "router.v1.RouterService/CreateRoute", parent=DOMAIN, routeId=name, route={"alias": name, "targets": [{"model": model.name}]}
        )
        assert (await admin.ask("router.v1.RouterService/GetRoute", name=route.route.name)).route.targets[0].model == model.name

        assert (await admin.ask("observability.v1.ObservabilityService/QuerySpend", parent="domains/-")) is not None


@pytest.mark.parametrize("version", ["released", "future"])
async def test_a_reader_of_another_version_follows_requests_live(mesh: RunningMesh, version: Version) -> None:
    async with peer(mesh, version, mesh.admin_key) as admin, peer(mesh, version, mesh.project_key) as application:
        answer = await application.ask("gateway.v1.GatewayService/Generate", input=INPUT)
        async for message in admin.follow("observability.v1.ObservabilityService/Tail", parent=DOMAIN, backlog=100):
            if answer.receipt.reservation in {entry.name for entry in message.entries}:
                return
    raise AssertionError("the request never showed")
