"""What `up` sets up: an administrator, a project with a key, and models; by the same calls that anybody would make.

Each step looks whether it is needed, so that an interrupted first start is completed by the next one, and a second start
asks for nothing. What an operator has changed since is left alone: only models that are missing are registered.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc, rules_pb2, rules_pb2_grpc
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_cli.naming import SHARED, named
from llm_mesh_cli.up.endpoints import Endpoints
from llm_mesh_cli.up.simulated import simulator_models
from llm_mesh_runtime.errors import PeerError, from_rpc_error
from llm_mesh_runtime.host import StartError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_mesh_cli.files import DataFiles
    from llm_mesh_runtime.host import Host

DOMAIN = "domains/default"
PROJECT = f"{DOMAIN}/projects/default"
PRINCIPAL = f"{DOMAIN}/principals/application"
PLATFORM = "domains/platform"
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class SetUp:
    """What a start did, for the panel."""

    new_keys: tuple[str, ...] = ()
    """Names of the key files that were written now."""
    new_models: int = 0
    providers: tuple[str, ...] = ()
    """Endpoints with a credential, but the simulator."""
    simulator: bool = False


class FirstStart:
    """Completes what a new data directory needs. `token` makes the first administrator; empty where there is one."""

    def __init__(self, host: Host, files: DataFiles, token: str) -> None:
        self._links = host.links("up")
        self._names = {hosted.service.name for hosted in host.hosted}
        self._files = files
        self._token = token

    async def complete(self) -> SetUp:
        """Do what is missing."""
        if "policy" not in self._names:
            return SetUp()
        try:
            keys = await self._keys()
            return await self._models(keys)
        except grpc.aio.AioRpcError as error:
            raise StartError(_told(from_rpc_error(error), self._files)) from error

    async def _keys(self) -> tuple[str, ...]:
        made = []
        if self._token:
            if self._files.admin_key.exists():
                raise StartError(
                    f"{self._files.admin_key} exists, but this mesh has no administrator yet: move the file away, and start again"
                )
            identity = identity_pb2_grpc.IdentityServiceStub(self._links.channel("policy"))
            answer = await identity.Bootstrap(identity_pb2.BootstrapRequest(), metadata=_bearer(self._token))
            await asyncio.to_thread(self._files.keep_key, self._files.admin_key, answer.secret)
            made.append(self._files.admin_key.name)
        if not self._files.project_key.exists():
            secret = await self._project_key()
            await asyncio.to_thread(self._files.keep_key, self._files.project_key, secret)
            made.append(self._files.project_key.name)
        return tuple(made)

    async def _project_key(self) -> str:
        channel, admin = self._links.channel("policy"), self._admin()
        await rules_pb2_grpc.RuleServiceStub(channel).ApplyPolicy(wanted_policy(), metadata=admin)
        key = identity_pb2.Key(principal=PRINCIPAL, display_name="First project key")
        wanted = identity_pb2.CreateKeyRequest(parent=PROJECT, key=key)
        answer = await identity_pb2_grpc.IdentityServiceStub(channel).CreateKey(wanted, metadata=admin)
        return answer.secret

    async def _models(self, keys: tuple[str, ...]) -> SetUp:
        endpoints = await Endpoints.ask(self._links, self._names)
        wanted = list(simulator_models(endpoints.simulator if "simulator" in self._names else ()))
        providers = endpoints.with_credential
        digest = hashlib.sha256(
            repr((sorted(providers), len(endpoints.facts), [model.SerializeToString(deterministic=True) for model in wanted])).encode()
        )
        done = SetUp(new_keys=keys, providers=tuple(name for _, name in providers), simulator=bool(wanted))
        if "registry" not in self._names or self._files.known() == digest.hexdigest():
            return done
        registry = registry_pb2_grpc.RegistryServiceStub(self._links.channel("registry"))
        for adapter, endpoint in providers:
            wanted += await self._well_known(registry, adapter, endpoint)
        missing = named(wanted, await self._registered(registry))
        undeclared = await self._undeclared(registry, endpoints.facts)
        if missing or undeclared:
            request = registry_pb2.ApplyModelsRequest(parent=PLATFORM, models=missing, endpoints=undeclared)
            await registry.ApplyModels(request, metadata=self._admin())
        await asyncio.to_thread(self._files.keep_known, digest.hexdigest())
        return SetUp(new_keys=keys, new_models=len(missing), providers=done.providers, simulator=done.simulator)

    async def _well_known(self, registry: registry_pb2_grpc.RegistryServiceStub, adapter: str, endpoint: str) -> list[registry_pb2.Model]:
        found: list[registry_pb2.Model] = []
        token = ""
        while True:
            request = registry_pb2.ListWellKnownModelsRequest(page_size=_PAGE, page_token=token, endpoint=endpoint)
            answer = await registry.ListWellKnownModels(request, metadata=self._admin())
            found += [model for model in answer.models if model.adapter == adapter]
            token = answer.next_page_token
            if not token:
                return found

    async def _undeclared(
        self, registry: registry_pb2_grpc.RegistryServiceStub, facts: Sequence[registry_pb2.Endpoint]
    ) -> list[registry_pb2.Endpoint]:
        """Those whose facts nobody has declared: what an operator wrote since is left alone."""
        request = registry_pb2.ListEndpointsRequest(page_size=_PAGE)
        declared: set[str] = set()
        while True:
            answer = await registry.ListEndpoints(request, metadata=self._admin())
            declared.update(endpoint.name for endpoint in answer.endpoints)
            request.page_token = answer.next_page_token
            if not request.page_token:
                return [endpoint for endpoint in facts if endpoint.name not in declared]

    async def _registered(self, registry: registry_pb2_grpc.RegistryServiceStub) -> list[registry_pb2.Model]:
        found: list[registry_pb2.Model] = []
        token = ""
        while True:
            request = registry_pb2.ListModelsRequest(parent=SHARED, page_size=_PAGE, page_token=token)
            answer = await registry.ListModels(request, metadata=self._admin())
            found += answer.models
            token = answer.next_page_token
            if not token:
                return found

    def _admin(self) -> tuple[tuple[str, str], ...]:
        return _bearer(self._files.key(self._files.admin_key).reveal())


def wanted_policy() -> rules_pb2.ApplyPolicyRequest:
    """The domain and project that a newcomer starts with, and the domain of what all share."""
    return rules_pb2.ApplyPolicyRequest(
        parent=PLATFORM,
        domains=[
            identity_pb2.Domain(name=DOMAIN, display_name="Default"),
            identity_pb2.Domain(name=SHARED, display_name="Shared with all domains"),
        ],
        projects=[identity_pb2.Project(name=PROJECT, display_name="Default")],
        principals=[identity_pb2.Principal(name=PRINCIPAL, display_name="First application")],
        bindings=[
            rules_pb2.Binding(name=f"{DOMAIN}/bindings/application", principal=PRINCIPAL, role="roles/application"),
        ],
    )


def _bearer(key: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {key}"),)


def _told(error: PeerError, files: DataFiles) -> str:
    if error.reason_name == "INVALID_CREDENTIAL":
        return f"the key in {files.admin_key} is not one of this mesh: remove the file, and the next start makes a new administrator"
    return f"set-up failed: {error.message} ({error.reason_name})"
