"""Starts the embedded mesh: which services, in which order, with which first administrator."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from llm_mesh_cli.files import DataFiles
from llm_mesh_runtime.host import Host, StartError, installed, load, run
from llm_mesh_runtime.settings import Configuration, MeshSettings, SettingsError

if TYPE_CHECKING:
    from llm_mesh_cli.up.arguments import Arguments
    from llm_mesh_runtime.service import Service

_TOKEN_VARIABLE = "LLM_MESH_POLICY_BOOTSTRAP_TOKEN"  # noqa: S105 (a name, no token)
_ORDER = ("policy", "registry", "router", "catalogue", "observability", "adapter/", "gateway", "edge")
_USUAL_HTTP = "127.0.0.1:8080"
_FAILED = 1


def start(arguments: Arguments) -> int:
    """Host everything until SIGTERM or Ctrl-C; answers with the exit code."""
    try:
        services = _services()
        files = DataFiles(arguments.data_dir or _data_dir())
        token = "" if files.admin_key.exists() else f"mb_{secrets.token_urlsafe(32)}"
        configuration = _configuration(token, arguments.http)
    except (StartError, SettingsError, OSError) as error:
        sys.stderr.write(f"llm-mesh: {error}\n")
        return _FAILED

    announced = False

    async def prepare(host: Host) -> None:
        nonlocal announced
        from llm_mesh_cli.up.first_start import FirstStart  # noqa: PLC0415 (services start while this is not needed yet)

        done = await FirstStart(host, files, token).complete()
        files.keep_addresses(listeners(host))
        announced = True
        if not arguments.quiet:
            from llm_mesh_cli.up.panel import panel  # noqa: PLC0415 (likewise)

            sys.stdout.write(panel(listeners(host), files, done))
            sys.stdout.flush()

    try:
        return run(
            services,
            mode="embedded",
            ready_file=arguments.ready_file,
            configuration=configuration,
            prepare=prepare,
            **arguments.overrides(),
        )
    finally:
        if announced:  # a start that failed because another mesh runs here leaves that one's addresses alone
            files.forget_addresses()


def listeners(host: Host) -> dict[str, str]:
    """Where the mesh listens: `http` is the edge's, `grpc` the public listener of all services."""
    shown = host.addresses()
    names = {hosted.service.name for hosted in host.hosted}
    found = {"grpc": shown["public"]} if "public" in shown else {}
    return found | ({"http": shown["http"]} if "edge" in names and "http" in shown else {})


def _services() -> list[Service]:
    """All that are installed, in the order in which they need each other."""
    services: list[Service] = []
    for name in sorted(installed(), key=_place):
        try:
            services += load([name])
        except ModuleNotFoundError as missing:
            if not (missing.name or "").startswith("llm_mesh_"):
                raise StartError(f"{name} needs {missing.name}, which is not installed") from missing
            sys.stderr.write(f"llm-mesh: {name} is left out: {missing.name} is not there\n")
    if not services:
        raise StartError("no service is installed: install llm-mesh, or the services that you want")
    return services


def _place(name: str) -> tuple[int, str]:
    return next((place for place, prefix in enumerate(_ORDER) if name.startswith(prefix)), len(_ORDER)), name


def _data_dir() -> Path:
    return Configuration.read().load(MeshSettings).value.data_dir


def _configuration(token: str, http: str | None) -> Configuration:
    """The environment, with what follows from this process being the whole mesh."""
    environ = dict(os.environ)  # noqa: TID251 (handed to the one reader of settings, with what is added here)
    if token:
        environ[_TOKEN_VARIABLE] = token
    simulator = environ.get("LLM_MESH_SIMULATOR_ADDRESS")
    if simulator:  # adapters find the simulator where it listens
        environ.setdefault("LLM_MESH_ADAPTER_OPENAI_ENDPOINT_SIMULATOR", f"http://{simulator}/v1")
        environ.setdefault("LLM_MESH_ADAPTER_ANTHROPIC_ENDPOINT_SIMULATOR_ANTHROPIC", f"http://{simulator}")
    if (http or environ.get("LLM_MESH_HTTP") or _USUAL_HTTP).endswith(":8080"):  # llama.cpp's usual port is ours here
        environ.setdefault("LLM_MESH_ADAPTER_OPENAI_ENDPOINT_LLAMACPP", "http://127.0.0.1:8081/v1")
    return Configuration.read(environ)
