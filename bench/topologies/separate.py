"""The mesh as separate processes, with service tokens: edge and gateway in one, policy, router, the adapter, and one for the rest.

The rest is registry, observability and catalogue, which a request does not pass but its peers ask. Each service that owns data has an
SQLite file of its own, as embedded, so that links are what differs. All are on one core.
"""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc

from bench.keys import KEYS, make_keys
from bench.proc import tree
from bench.processes import MESH_CORE, BrokenOffError, await_true, environment, process
from bench.topologies.target import Target
from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc, rules_pb2_grpc
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh.services import SERVICES
from llm_mesh_cli.naming import named
from llm_mesh_cli.set_up.project import PLATFORM, PRINCIPAL, PROJECT, wanted_policy
from llm_mesh_cli.set_up.simulated import simulator_models

PROCESSES: Mapping[str, tuple[str, ...]] = {
    "policy": ("policy",),
    "rest": ("registry", "observability", "catalogue"),
    "router": ("router",),
    "adapter": ("adapter-openai",),
    "edge+gateway": ("edge", "gateway"),
}
_HOSTED = {name.replace("adapter-", "adapter/") for names in PROCESSES.values() for name in names}
_PORTS = {each.name: each.port for each in SERVICES if each.contracts and each.name in _HOSTED}
_STATEFUL = tuple(each.name for each in SERVICES if each.database)
_PUBLIC = 100
_HTTP = 8080
_SERVING_SECONDS = 60.0
_RETRY_SECONDS = 0.1


@contextmanager
def separate(folder: Path, upstream_port: int, *, scheme: str = "dns", keys: int = KEYS, core: int | None = MESH_CORE) -> Iterator[Target]:
    """A new mesh; `scheme` is the links': `dns` for plain gRPC, `mux+dns` for the batched stream."""
    host = f"127.{secrets.randbelow(128) + 64}.{secrets.randbelow(256)}.{secrets.randbelow(254) + 1}"
    token = f"mb_{secrets.token_hex(24)}"
    settings = _settings(folder, host, upstream_port, token)
    _migrated(settings)
    begun = time.monotonic()
    with ExitStack() as stack:
        pids = {}
        for name, services in PROCESSES.items():
            log = folder / f"{name}.log"
            own = settings | _links(host, scheme, services)
            words = ["-m", "llm_mesh_cli", "serve", *services, "--ready-file", str(folder / f"{name}.ready")]
            pids[name] = (stack.enter_context(process([sys.executable, *words], core, log=log, environ=own)), log)
        for name, (started, log) in pids.items():
            await_true((folder / f"{name}.ready").exists, log, started)
        taken = time.monotonic() - begun
        admin, project = asyncio.run(_set_up(host, token))
        made = asyncio.run(make_keys(f"{host}:{_PORTS['policy'] + _PUBLIC}", admin, project, keys))
        processes = {name: tuple(tree(started.pid)) for name, (started, _) in pids.items()}
        yield Target(f"separate, {_note(scheme)}", _HTTP, host, keys=made, processes=processes, started_seconds=taken)


def refused(scheme: str) -> str:
    """Why this build cannot have such links; empty where it can."""
    from llm_mesh_runtime.links.fabric import Fabric, LinkError  # noqa: PLC0415 - asked only where it is wanted
    from llm_mesh_runtime.seals import Seals  # noqa: PLC0415 - likewise

    async def ask() -> str:
        fabric = Fabric((), seals=Seals(), targets={"policy": f"{scheme}:///127.0.0.1:9"})
        try:
            fabric.channel("bench", "policy")
        except LinkError as error:
            return str(error)
        finally:
            await fabric.close()
        return ""

    return asyncio.run(ask())


def _settings(folder: Path, host: str, upstream_port: int, token: str) -> dict[str, str]:
    data = folder / "data"
    data.mkdir(exist_ok=True)
    shown = {f"LLM_MESH_{name.upper()}_DATABASE_URL": f"sqlite:///{data}/{name}.db" for name in _STATEFUL}
    return shown | {
        "LLM_MESH_SECRET": secrets.token_hex(32),
        "LLM_MESH_POLICY_KEY_PEPPER": secrets.token_hex(32),
        "LLM_MESH_POLICY_BOOTSTRAP_TOKEN": token,
        "LLM_MESH_LISTEN_HOST": host,
        "LLM_MESH_HTTP": f"{host}:{_HTTP}",
        "LLM_MESH_PUBLIC_LISTENER": "true",
        "LLM_MESH_DATA_DIR": str(data),
        "LLM_MESH_GRACE": "5",
        "LLM_MESH_LOG_LEVEL": "warning",
        "LLM_MESH_ADAPTER_OPENAI_ENDPOINT_SIMULATOR": f"http://127.0.0.1:{upstream_port}/v1",
    }


def _links(host: str, scheme: str, services: Sequence[str]) -> dict[str, str]:
    own = {service.replace("adapter-", "adapter/") for service in services}
    peers = {name: port for name, port in _PORTS.items() if name not in own}
    return {f"LLM_MESH_LINK_{name.upper().replace('/', '_')}": f"{scheme}:///{host}:{port}" for name, port in peers.items()}


def _migrated(settings: Mapping[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "llm_mesh_cli", "migrate"], env=environment(settings), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BrokenOffError(f"no schemas: {done.stderr}")


async def _set_up(host: str, token: str) -> tuple[str, str]:
    """What `up` sets up, by the same calls; the administrator's and the project's keys."""
    policy_address, registry_address = (f"{host}:{_PORTS[name] + _PUBLIC}" for name in ("policy", "registry"))
    async with grpc.aio.insecure_channel(policy_address) as policy, grpc.aio.insecure_channel(registry_address) as registry:
        for channel in (policy, registry):
            await asyncio.wait_for(channel.channel_ready(), _SERVING_SECONDS)
        identity = identity_pb2_grpc.IdentityServiceStub(policy)
        made = await identity.Bootstrap(identity_pb2.BootstrapRequest(), metadata=_bearer(token), wait_for_ready=True)
        admin = _bearer(made.secret)
        await rules_pb2_grpc.RuleServiceStub(policy).ApplyPolicy(wanted_policy(), metadata=admin)
        key = identity_pb2.CreateKeyRequest(parent=PROJECT, key=identity_pb2.Key(principal=PRINCIPAL, display_name="First project key"))
        project = (await identity.CreateKey(key, metadata=admin)).secret
        models = named(list(simulator_models((("openai", "simulator"),))), [])
        stub = registry_pb2_grpc.RegistryServiceStub(registry)
        applied = registry_pb2.ApplyModelsRequest(parent=PLATFORM, models=models)
        await _once_its_peers_answer(lambda: stub.ApplyModels(applied, metadata=admin, timeout=10))
    return made.secret, project


async def _once_its_peers_answer(call: Callable[[], Awaitable[object]]) -> None:
    """A service that started before policy finds it after a while: its connection is tried again after growing pauses."""
    async with asyncio.timeout(_SERVING_SECONDS):
        while True:
            try:
                await call()
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return


def _bearer(key: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {key}"),)


def _note(scheme: str) -> str:
    return "mux" if scheme.startswith("mux") else "gRPC"
