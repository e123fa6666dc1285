"""A mesh of separate processes: each service alone, on PostgreSQL, with links from the environment: plain gRPC, or batched.

Services keep the ports of their contracts, so each mesh gets a loopback address of its own; meshes of several test runs then
live side by side. Who calls is proven by service tokens, or by mutual TLS.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc, rules_pb2_grpc
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh.services import SERVICES
from llm_mesh_cli.naming import named
from llm_mesh_cli.set_up.project import PLATFORM, PRINCIPAL, PROJECT, wanted_policy
from llm_mesh_cli.set_up.simulated import simulator_models
from llm_mesh_runtime.links.outbound import Outbound
from llm_mesh_runtime.links.remote import RemoteChannel
from llm_mesh_runtime.links.tls import Tls
from tests.contract.certificates import authority
from tests.deploy.compose import described
from tests.e2e.running import RunningMesh, environment, llm_mesh
from tests.postgres import Cluster, cluster

_PATIENCE = 90.0
_POLL = 0.05
_PUBLIC = 100
PLAIN, BATCHED = "dns:///", "mux+dns:///"
PORTS = {each.folder.replace("adapters/", "adapter/"): each.port for each in described() if each.has_contract}
"""The services with a contract, by link name."""
STATEFUL = tuple(each.name for each in SERVICES if each.database)
SIMULATORS = (
    ("openai", "simulator"),
    ("anthropic", "simulator-anthropic"),
    ("bedrock", "simulator-bedrock"),
    ("gemini", "simulator-gemini"),
    ("cohere", "simulator-cohere"),
    ("ollama", "simulator-ollama"),
)
_WITHOUT_CONTRACT = tuple(each.name for each in SERVICES if not each.contracts)


@dataclass(frozen=True)
class SeparateMesh(RunningMesh):
    """All services, each in a process of its own."""

    host: str
    secret: str
    folder: Path
    server: Cluster
    certificates: Mapping[str, Mapping[str, str]]
    """By service name; empty where services prove themselves by tokens."""
    link: str
    """What the links of the services begin with: `dns:///`, or `mux+dns:///` for the batched one."""
    shared: dict[str, str] = field(default_factory=dict)
    """Settings of the mesh as a whole, which every service gets."""
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def pids(self) -> list[int]:
        """The processes of all services but the simulator, which is a provider."""
        return [process.pid for name, process in self.processes.items() if name != "simulator"]

    def target(self, service: str) -> str:
        """The mesh listener of a service."""
        return f"{self.host}:{PORTS[service]}"

    def channel(self, service: str, *, caller: str = "", key: str = "", public: bool = False) -> grpc.aio.Channel:
        """A channel as a service has it, or as an application with a key; with neither, as nobody."""
        port = PORTS[service] + (_PUBLIC if public else 0)
        files = self.certificates.get(caller, {"tls_ca": self.authority}) if self.authority else {}
        tls = Tls.read(files.get("tls_certificate", ""), files.get("tls_key", ""), files["tls_ca"]) if files else None
        sent: tuple[tuple[str, str], ...] = (("authorization", f"Bearer {key}"),) if key else ()
        if caller and not self.authority:
            from llm_mesh_runtime.access.tokens import HEADER, ServiceTokens  # noqa: PLC0415 (only here)

            sent += ((HEADER, ServiceTokens(self.secret.encode()).token(caller, service)),)
        made = RemoteChannel(service, f"{self.host}:{port}", Outbound(caller, identity=lambda: sent), tls)
        return cast("grpc.aio.Channel", made)

    async def serving(self, service: str) -> bool:
        """Whether the service says that it serves."""
        if service in _WITHOUT_CONTRACT:
            return await asyncio.to_thread(self._answers, service)
        channel = self.channel(service, caller=service)
        try:
            answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=3)
        except grpc.aio.AioRpcError:
            return False
        else:
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
        finally:
            await channel.close()

    async def until(self, service: str, *, serving: bool) -> None:
        """Wait until the service serves, or no longer does."""
        end = time.monotonic() + _PATIENCE
        while await self.serving(service) is not serving:
            process = self.processes[service]
            if process.poll() is not None:
                raise AssertionError(f"{service} ended with {process.returncode}:\n{self.log_of(service)}")
            if time.monotonic() > end:
                raise AssertionError(f"{service} is not {'serving' if serving else 'down'}:\n{self.log_of(service)}")
            await asyncio.sleep(_POLL)  # health has no event that crosses a connection which does not stand yet

    def log_of(self, service: str) -> str:
        """What the service has logged."""
        return (self.folder / f"{service.replace('/', '-')}.log").read_text(encoding="utf-8")

    def start(self, service: str, *words: str) -> None:
        """Start the service's process, as `python -m llm_mesh_<name>` or by other words after `python -m`."""
        name = service.replace("/", "_")
        with (self.folder / f"{service.replace('/', '-')}.log").open("a", encoding="utf-8") as log:
            command = [sys.executable, "-m", *(words or (f"llm_mesh_{name}",))]
            self.processes[service] = subprocess.Popen(
                command, env=self._environment(service), stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True
            )

    def stop_all(self) -> dict[str, int]:
        """SIGTERM to all, and their exit codes."""
        for process in self.processes.values():
            process.terminate()
        return {name: _ended(process) for name, process in self.processes.items()}

    def answers(self) -> bool:
        """Whether a request gets through the edge, the gateway, policy and the router."""
        return _found(self.addresses["http"], "/v1/models", {"authorization": f"Bearer {self.project_key}"})

    def _answers(self, service: str) -> bool:
        """Whether the process lives: an edge is ready only once there are keys and models."""
        address = self.addresses["http"] if service == "edge" else self.env["LLM_MESH_SIMULATOR_ADDRESS"]
        return _found(address, "/healthz", {})

    def _environment(self, service: str) -> dict[str, str]:
        peers = {name: port for name, port in PORTS.items() if name != service}
        links = {f"LLM_MESH_LINK_{_upper(name)}": f"{self.link}{self.host}:{port}" for name, port in peers.items()}
        files = {f"LLM_MESH_{name.upper()}": path for name, path in self.certificates.get(service, {}).items()}
        kept = {name: value for name, value in self.env.items() if name.startswith(f"LLM_MESH_{_upper(service)}_")}
        plain = {name: value for name, value in self.env.items() if not name.startswith("LLM_MESH_")}
        common = {
            "LLM_MESH_SECRET": self.secret,
            "LLM_MESH_LISTEN_HOST": self.host,
            "LLM_MESH_HTTP": self.addresses["http"],
            "LLM_MESH_PUBLIC_LISTENER": "true",
            "LLM_MESH_REFLECTION": "true",
            "LLM_MESH_DATA_DIR": str(self.data_dir),
            "LLM_MESH_GRACE": "5",
        }
        return plain | common | self.shared | links | files | kept


def _is_of_a_service(setting: str) -> bool:
    return setting.startswith(tuple(f"LLM_MESH_{_upper(name)}_" for name in (*PORTS, *_WITHOUT_CONTRACT)))


def _upper(service: str) -> str:
    return service.upper().replace("/", "_")


def _ended(process: subprocess.Popen[str]) -> int:
    try:
        return process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(30)


def _found(address: str, path: str, headers: Mapping[str, str]) -> bool:
    connection = http.client.HTTPConnection(address, timeout=3)
    try:
        connection.request("GET", path, headers=dict(headers))
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _described(
    folder: Path, server: Cluster, *, mutual_tls: bool, link: str, like: SeparateMesh | None, env: Mapping[str, str]
) -> SeparateMesh:
    """Addresses, secrets and databases of a mesh that is about to start; the secrets of another one, where it takes its place."""
    a, b, c = secrets.randbelow(128) + 64, secrets.randbelow(256), secrets.randbelow(254) + 1
    host = f"127.{a}.{b}.{c}"
    data = folder / "data"
    data.mkdir()
    certificates: dict[str, Mapping[str, str]] = {}
    if mutual_tls:
        issued = authority(folder)
        certificates = {name: issued(name) for name in (*PORTS, *_WITHOUT_CONTRACT, "console")}
    settings = {
        "LLM_MESH_POLICY_KEY_PEPPER": secrets.token_hex(32),
        "LLM_MESH_BATCHES_SEALING_KEY": secrets.token_hex(32),
        "LLM_MESH_CONVERSATIONS_CONTENT_SECRET": secrets.token_hex(32),
        "LLM_MESH_POLICY_BOOTSTRAP_TOKEN": f"mb_{secrets.token_hex(24)}",
        "LLM_MESH_SIMULATOR_ADDRESS": f"{host}:8099",
        "LLM_MESH_ADAPTER_OPENAI_ENDPOINT_SIMULATOR": f"http://{host}:8099/v1",
        "LLM_MESH_ADAPTER_ANTHROPIC_ENDPOINT_SIMULATOR_ANTHROPIC": f"http://{host}:8099",
        "LLM_MESH_ADAPTER_BEDROCK_ENDPOINT_SIMULATOR_BEDROCK": f"http://{host}:8099",
        "LLM_MESH_ADAPTER_COHERE_ENDPOINT_SIMULATOR_COHERE": f"http://{host}:8099/cohere",
        "LLM_MESH_ADAPTER_GEMINI_ENDPOINT_SIMULATOR_GEMINI": f"http://{host}:8099/v1",
        "LLM_MESH_ADAPTER_OLLAMA_ENDPOINT_SIMULATOR_OLLAMA": f"http://{host}:8099",
        "LLM_MESH_ADDRESS": f"{host}:{PORTS['gateway'] + _PUBLIC}",
    }
    settings |= {f"LLM_MESH_{name.upper()}_DATABASE_URL": server.database().replace("+psycopg", "") for name in STATEFUL}
    settings |= {f"LLM_MESH_ADDRESS_{_upper(name)}": f"{host}:{port + _PUBLIC}" for name, port in PORTS.items()}
    settings["LLM_MESH_ADDRESS_EDGE"] = f"{host}:8080"
    if mutual_tls:
        settings["LLM_MESH_TLS_CA"] = str(folder / "ca.pem")
    settings |= env
    if like is not None:
        settings["LLM_MESH_POLICY_KEY_PEPPER"] = like.env["LLM_MESH_POLICY_KEY_PEPPER"]
        settings["LLM_MESH_BATCHES_SEALING_KEY"] = like.env["LLM_MESH_BATCHES_SEALING_KEY"]
        settings["LLM_MESH_CONVERSATIONS_CONTENT_SECRET"] = like.env["LLM_MESH_CONVERSATIONS_CONTENT_SECRET"]
        for key in like.data_dir.glob("*.key"):
            shutil.copy2(key, data)
    addresses = {name: f"{host}:{port + _PUBLIC}" for name, port in PORTS.items()}
    addresses |= {"http": f"{host}:8080", "grpc": addresses["gateway"]}
    return SeparateMesh(
        data_dir=data,
        process=cast("Any", None),
        env=environment(settings),
        addresses=addresses,
        log=folder / "gateway.log",
        started_in=0.0,
        host=host,
        secret=like.secret if like is not None else secrets.token_hex(32),
        folder=folder,
        server=server,
        certificates=certificates,
        link=like.link if like is not None else link,
        shared={name: value for name, value in env.items() if not _is_of_a_service(name)},
    )


@contextmanager
def separate(folder: Path, *, mutual_tls: bool, link: str = PLAIN, env: Mapping[str, str] | None = None) -> Iterator[SeparateMesh]:
    """Start every service, make the first administrator and a first project, and end everything.

    Settings of `env` reach the service that their name begins with; those of the mesh as a whole reach all.
    """
    with cluster() as server, _started(folder, server, _migrated, mutual_tls=mutual_tls, link=link, env=env) as mesh:
        made = mesh.cli("bootstrap", "--token", mesh.env["LLM_MESH_POLICY_BOOTSTRAP_TOKEN"])
        assert made.returncode == 0, made.stderr
        asyncio.run(_first_project(mesh))
        asyncio.run(_connected(mesh))
        yield mesh


@contextmanager
def restored(folder: Path, like: SeparateMesh, restore: Callable[[SeparateMesh], None]) -> Iterator[SeparateMesh]:
    """A mesh with new databases, which `restore` fills, that takes the place of another one."""
    with _started(folder, like.server, restore, like=like) as mesh:
        asyncio.run(_connected(mesh))
        yield mesh


@contextmanager
def _started(
    folder: Path,
    server: Cluster,
    prepare: Callable[[SeparateMesh], None],
    *,
    mutual_tls: bool = False,
    link: str = PLAIN,
    like: SeparateMesh | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[SeparateMesh]:
    mesh = _described(folder, server, mutual_tls=mutual_tls, link=link, like=like, env=env or {})
    try:
        prepare(mesh)
        for service in (*PORTS, *_WITHOUT_CONTRACT):
            mesh.start(service)
        asyncio.run(_all_serving(mesh))
        yield mesh
        assert set(mesh.stop_all().values()) == {0}, "a service does not end in order"
    finally:
        mesh.stop_all()


def _migrated(mesh: SeparateMesh) -> None:
    done = llm_mesh("migrate", "--json", env=mesh.env)
    assert done.returncode == 0, done.stderr
    assert {row["service"] for row in json.loads(done.stdout)} == set(STATEFUL)


async def _all_serving(mesh: SeparateMesh) -> None:
    await asyncio.gather(*(mesh.until(service, serving=True) for service in mesh.processes))


async def _connected(mesh: SeparateMesh) -> None:
    """Services are ready by themselves, and may still be about to reach their peers again."""
    end = time.monotonic() + _PATIENCE
    while not mesh.answers():
        assert time.monotonic() < end, f"the mesh does not answer:\n{mesh.log_of('gateway')}"
        await asyncio.sleep(_POLL)


async def _first_project(mesh: SeparateMesh) -> None:
    """What `up` sets up, by the same calls."""
    policy = mesh.channel("policy", key=mesh.admin_key, public=True)
    registry = mesh.channel("registry", key=mesh.admin_key, public=True)
    try:
        await rules_pb2_grpc.RuleServiceStub(policy).ApplyPolicy(wanted_policy(), timeout=30)
        key = identity_pb2.Key(principal=PRINCIPAL, display_name="First project key")
        made = await identity_pb2_grpc.IdentityServiceStub(policy).CreateKey(
            identity_pb2.CreateKeyRequest(parent=PROJECT, key=key), timeout=30
        )
        handle = os.open(mesh.data_dir / "project.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(made.secret + "\n")
        wanted = registry_pb2.ApplyModelsRequest(parent=PLATFORM, models=named(list(simulator_models(SIMULATORS)), []))
        await registry_pb2_grpc.RegistryServiceStub(registry).ApplyModels(wanted, timeout=30)
    finally:
        await policy.close()
        await registry.close()
