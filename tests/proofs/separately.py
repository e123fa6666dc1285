"""Every service as it stands alone: listeners of its own for the mesh and for the public, gRPC between them, a database each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from llm_mesh.policy.v1 import identity_pb2
from llm_mesh.policy.v1.identity_pb2_grpc import IdentityServiceStub
from llm_mesh.services import SERVICES
from llm_mesh_runtime.host import load
from llm_mesh_runtime.host.process import process_service
from llm_mesh_runtime.migrate import migrate_services, stateful
from llm_mesh_runtime.settings import Configuration
from llm_mesh_runtime.testing import HostedMesh, host

_NAMES = tuple(
    each.name for each in reversed(SERVICES) if each.contracts and not (each.name.startswith("adapter/") and each.name != "adapter/openai")
)
"""Who calls before who is called: `host` starts the last one first. One adapter stands for all."""
_TOKEN = "mb_" + "0123456789" * 4


@asynccontextmanager
async def separate(folder: Path) -> AsyncIterator[tuple[HostedMesh, str]]:
    """The services, and the key of a platform administrator."""
    async with empty(folder) as alone:
        yield alone, await bootstrapped(alone)


async def bootstrapped(alone: HostedMesh) -> str:
    """The key of the first platform administrator, which is made now."""
    stub = IdentityServiceStub(alone.application("policy", key=_TOKEN))
    return (await stub.Bootstrap(identity_pb2.BootstrapRequest())).secret


@asynccontextmanager
async def empty(folder: Path, *others: str) -> AsyncIterator[HostedMesh]:
    """The services, and others by name, with nothing in their databases."""
    names = (*_NAMES, *others)
    databases = {f"LLM_MESH_{name.upper()}_DATABASE_URL": f"sqlite:///{folder}/{name}.db" for name in stateful(_NAMES)}
    secrets = {"LLM_MESH_POLICY_BOOTSTRAP_TOKEN": _TOKEN, "LLM_MESH_POLICY_KEY_PEPPER": "a pepper of tests, at least 32 bytes"}
    secrets["LLM_MESH_BATCHES_SEALING_KEY"] = "a sealing key of tests, at least 32 bytes"
    secrets["LLM_MESH_CONVERSATIONS_CONTENT_SECRET"] = "a content secret of tests, at least 32 bytes"
    configuration = Configuration.read(databases | secrets)
    await migrate_services(stateful(_NAMES), configuration)
    services = (*load(names), process_service("main"))
    settings: dict[str, Any] = {service.name: configuration.load(service.settings, service.name).value for service in load(names)}
    async with host(*services, link="grpc", settings=settings, data_dir=folder) as alone:
        yield alone
