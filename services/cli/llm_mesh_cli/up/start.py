"""Starts the embedded mesh: which services, in which order, with which first administrator."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llm_mesh_cli.files import DataFiles
from llm_mesh_cli.up import usable
from llm_mesh_cli.up.order import MAIN, worker_name
from llm_mesh_cli.up.services import everything, hosted, of_main
from llm_mesh_runtime.host import Host, StartError, installed, run
from llm_mesh_runtime.host.sockets import PROCESS, link_to, sockets_folder
from llm_mesh_runtime.settings import Configuration, MeshSettings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_mesh_cli.up.arguments import UpArguments
    from llm_mesh_cli.up.workers import Workers

_TOKEN_VARIABLE = "LLM_MESH_POLICY_BOOTSTRAP_TOKEN"  # noqa: S105 (a name, no token)
_USUAL_HTTP = "127.0.0.1:8080"
_FAILED = 1
_TIMEOUT = 10.0
"""Seconds until a start is announced although the router does not know the models yet that are registered."""


def start(arguments: UpArguments) -> int:
    """Host everything until SIGTERM or Ctrl-C; answers with the exit code."""
    tell = _silent if arguments.quiet else _tell
    tell("loading the services")
    try:
        files = DataFiles(arguments.data_dir or _data_dir())
        token = "" if files.admin_key.exists() else f"mb_{secrets.token_urlsafe(32)}"
        environ = _environment(arguments)
        mesh = Configuration.read(environ).load(MeshSettings).value
        with ExitStack() as stack:
            workers = _workers(mesh, environ, stack) if mesh.workers > 1 else None  # they load while this process does
            return _Start(arguments, files, token, workers, tell).run(environ)
    except (StartError, SettingsError, OSError) as error:
        sys.stderr.write(f"llm-mesh: {error}\n")
        return _FAILED


@dataclass(slots=True)
class _Start:
    """A mesh that `up` is starting: its arguments, files and processes."""

    arguments: UpArguments
    files: DataFiles
    token: str
    workers: Workers | None
    tell: Callable[[str], None]
    alone: bool = False
    """Whether the data directory is ours."""
    announced: bool = False

    def run(self, environ: Mapping[str, str]) -> int:
        """Host what this process has, until it is told to stop."""
        services = hosted(everything if self.workers is None else of_main)
        self.tell(f"starting {', '.join(service.name for service in services)}")
        configuration = Configuration.read({**environ, _TOKEN_VARIABLE: self.token} if self.token else environ)
        overrides = self.arguments.overrides()
        if self.workers is not None:
            sockets = sockets_folder(self.files.folder)
            names = (f"{PROCESS}{worker_name(number)}" for number in range(1, self.workers.count + 1))
            links = {name: link_to(sockets, name) for name in names}
            overrides |= {"process": MAIN, "sockets": sockets, "links": links | dict(configuration.load(MeshSettings).value.links)}
        try:
            return run(
                services,
                mode="embedded",
                ready_file=self.arguments.ready_file,
                configuration=configuration,
                prepare=self._prepare,
                companions=self.workers,
                conditions=(usable.KEYS, usable.MODELS),
                **overrides,
            )
        finally:
            if self.announced:  # a start that failed because another mesh runs here leaves that one's addresses alone
                self.files.forget_addresses()
            if self.alone:  # nobody listens there any more, and an earlier start with workers may have been killed
                shutil.rmtree(sockets_folder(self.files.folder), ignore_errors=True)

    async def _prepare(self, host: Host) -> None:
        from llm_mesh_cli.up.first_start import FirstStart  # noqa: PLC0415 (services start while this is not needed yet)

        self.alone = True
        self.tell("the first start makes keys, and registers models with their prices" if self.token else "looking for new models")
        done = await FirstStart(host, self.files, self.token).complete()
        host.health.fulfil(usable.KEYS)
        expected = done.simulator or bool(done.providers)
        await usable.until_models(host, time_limit=_TIMEOUT if expected else 0)
        addresses = listeners(host)
        if self.workers is not None:
            self.tell(f"waiting for {self.workers.count} workers")
            await self.workers.serving()
            addresses["http"] = self.workers.http
        scheme = "https" if host.mesh.http_tls_certificate else "http"
        self.files.keep_addresses(
            addresses | ({"http": f"https://{addresses['http']}"} if scheme == "https" and "http" in addresses else {})
        )
        self.announced = True
        if not self.arguments.quiet:
            from llm_mesh_cli.up.panel import panel  # noqa: PLC0415 (likewise)

            count = self.workers.count if self.workers is not None else 1
            sys.stdout.write(panel(addresses, self.files, done, workers=count, scheme=scheme))
            sys.stdout.flush()


def _tell(what: str) -> None:
    """What a start is at, for whoever waits for it."""
    sys.stderr.write(f"llm-mesh: {what} …\n")
    sys.stderr.flush()


def _silent(what: str) -> None:
    del what


def listeners(host: Host) -> dict[str, str]:
    """Where the mesh listens: `http` is the edge's, `grpc` the public listener of all services."""
    shown = host.addresses()
    names = {hosted.service.name for hosted in host.hosted}
    bound = {"grpc": shown["public"]} if "public" in shown else {}
    return bound | ({"http": shown["http"]} if "edge" in names and "http" in shown else {})


def _data_dir() -> Path:
    return Configuration.read().load(MeshSettings).value.data_dir


def _workers(mesh: MeshSettings, environ: Mapping[str, str], stack: ExitStack) -> Workers:
    """The workers, at an address that is kept for them."""
    from llm_mesh_cli.up.workers import Workers  # noqa: PLC0415 (one process has none)
    from llm_mesh_runtime.http.listener import reserved  # noqa: PLC0415 (likewise)

    if missing := {"edge", "gateway"} - set(installed()):
        raise StartError(f"workers need {' and '.join(sorted(missing))}, which are not installed")
    held, address = reserved(mesh.http)
    stack.callback(held.close)
    return stack.enter_context(Workers(mesh.workers, address, environ))


def _environment(arguments: UpArguments) -> dict[str, str]:
    """The environment, with what follows from this being the whole mesh."""
    environ = dict(os.environ)  # noqa: TID251 (handed to the one reader of settings, with what is added here)
    if arguments.http is not None:
        environ["LLM_MESH_HTTP"] = arguments.http
    if arguments.workers is not None:
        environ["LLM_MESH_WORKERS"] = str(arguments.workers)
    if (environ.get("LLM_MESH_HTTP") or _USUAL_HTTP).endswith(":8080"):  # llama.cpp's usual port is ours here
        environ.setdefault("LLM_MESH_ADAPTER_OPENAI_ENDPOINT_LLAMACPP", "http://127.0.0.1:8081/v1")
    return environ
