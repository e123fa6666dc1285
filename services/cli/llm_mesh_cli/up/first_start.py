"""What `up` sets up: an administrator, a project with a key, and models; by the same calls that anybody would make.

Each step looks whether it is needed, so that an interrupted first start is completed by the next one, and a second start
asks for nothing. What an operator has changed since is left alone: only models that are missing are registered.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import grpc

from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc
from llm_mesh_cli.set_up.endpoints import PREFIX, AdapterEndpoints
from llm_mesh_cli.set_up.models import ProviderModels
from llm_mesh_cli.set_up.project import first_project_key
from llm_mesh_cli.set_up.simulated import simulator_models
from llm_mesh_runtime.errors import PeerError
from llm_mesh_runtime.host import StartError
from llm_mesh_runtime.peer_errors import from_rpc_error

if TYPE_CHECKING:
    from llm_mesh_cli.files import DataFiles
    from llm_mesh_runtime.host import Host


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
            raise StartError(_refusal(from_rpc_error(error), self._files)) from error

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
            secret = await first_project_key(self._links.channel, self._admin())
            await asyncio.to_thread(self._files.keep_key, self._files.project_key, secret)
            made.append(self._files.project_key.name)
        return tuple(made)

    async def _models(self, keys: tuple[str, ...]) -> SetUp:
        adapters = [name for name in self._names if name.startswith(PREFIX)]
        endpoints = await AdapterEndpoints.ask(self._links.channel, adapters)
        if "simulator" not in self._names:
            endpoints = endpoints.simulated_by(())
        providers = endpoints.with_credential
        expected = [model.SerializeToString(deterministic=True) for model in simulator_models(endpoints.simulator)]
        digest = hashlib.sha256(repr((sorted(providers), len(endpoints.facts), expected)).encode()).hexdigest()
        done = SetUp(new_keys=keys, providers=tuple(name for _, name in providers), simulator=bool(expected))
        if "registry" not in self._names or self._files.known() == digest:
            return done
        new = await ProviderModels(self._links.channel, self._admin()).register(endpoints)
        await asyncio.to_thread(self._files.keep_known, digest)
        return replace(done, new_models=new)

    def _admin(self) -> tuple[tuple[str, str], ...]:
        return _bearer(self._files.key(self._files.admin_key).reveal())


def _bearer(key: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {key}"),)


def _refusal(error: PeerError, files: DataFiles) -> str:
    if error.reason_name == "INVALID_CREDENTIAL":
        return f"the key in {files.admin_key} is not one of this mesh: remove the file, and the next start makes a new administrator"
    return f"set-up failed: {error.message} ({error.reason_name})"
