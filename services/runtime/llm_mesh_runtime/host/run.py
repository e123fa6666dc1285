"""Runs a host until it is told to stop: settings, logs, telemetry, signals, the ready file, the exit code."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from llm_mesh_runtime.host.discovery import load
from llm_mesh_runtime.host.host import Host
from llm_mesh_runtime.host.lock import DataDirectory
from llm_mesh_runtime.links import LinkError
from llm_mesh_runtime.log import configure_log, get_logger
from llm_mesh_runtime.service import Service
from llm_mesh_runtime.settings import Configuration, MeshSettings, SettingsError
from llm_mesh_runtime.start_error import StartError
from llm_mesh_runtime.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_mesh_runtime.host.companions import Companions

Prepare = Callable[[Host], Awaitable[None]]
_FAILED = 1
_INTERRUPTED = 130
_GARBAGE = 10_000
_LEAST_GRACE = 1.0
"""Seconds for what still runs here once the companions have used the grace up."""
_SWITCH = 0.0005
"""Seconds until a thread that computes gives the interpreter to the event loop, each time the loop wants it. Python's own 5 ms would
make a request, which wants it dozens of times, wait for a tenth of a second beside a large one; under load alone nothing changes."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What is to be run, and how."""

    services: Sequence[Service | str]
    embedded: bool
    ready_file: Path | None
    configuration: Configuration | None
    prepare: Prepare | None
    companions: Companions | None
    conditions: Sequence[str] = ()
    overrides: Mapping[str, Any] = field(default_factory=dict)


def _tell(reason: str) -> None:
    sys.stderr.write(f"llm-mesh: {reason}\n")


def run(  # noqa: PLR0913 (what differs between the ways to start a process)
    services: Sequence[Service | str],
    *,
    mode: Literal["embedded", "separate"],
    ready_file: Path | None = None,
    configuration: Configuration | None = None,
    prepare: Prepare | None = None,
    companions: Companions | None = None,
    conditions: Sequence[str] = (),
    failed: Callable[[str], None] = _tell,
    **overrides: Any,  # noqa: ANN401 (mesh settings)
) -> int:
    """Host the services, given or named, until SIGTERM or SIGINT. Returns the exit code.

    `prepare` runs once everything serves, before the ready file is written. `companions` are further processes of the mesh: they
    begin once this one serves, and are gone before it ends. `conditions` are what `/readyz` waits for until `prepare`, or what it
    begins, has them fulfilled by `host.health`. `failed` hears why there is no start. `overrides` are mesh settings
    that win over environment and file.
    """
    described = _Run(services, mode == "embedded", ready_file, configuration, prepare, companions, conditions, overrides)
    sys.setswitchinterval(_SWITCH)
    try:
        return _runner()(_main(described))
    except (StartError, LinkError, SettingsError) as error:
        failed(str(error))
        return _FAILED


def main(service: Service) -> None:
    """Serve one service until it is told to stop: the body of its `__main__`."""
    raise SystemExit(run((service,), mode="separate"))


async def _main(run: _Run) -> int:
    stop = _signals()
    mesh, services, settings = _loaded(run)
    name = services[0].name if len(services) == 1 else "llm-mesh"
    configure_log(level=mesh.log_level, format=mesh.log_format, service=f"{name}/{mesh.process}".rstrip("/"))
    telemetry = Telemetry.open(mesh, service=name)
    try:
        with DataDirectory(mesh.data_dir, needed=mesh.embedded):
            host = Host(services, mesh, lambda service: settings[service.name], telemetry=telemetry)
            for condition in run.conditions:
                host.health.expect(condition)
            await _host(host, run, stop)
    finally:
        await telemetry.close()
    return 0


async def _host(host: Host, run: _Run, stop: asyncio.Event) -> None:
    await host.start()
    try:
        if run.companions is not None:
            run.companions.begin(host)
        announced = asyncio.create_task(_announce(host, run))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([announced, stopped], return_when=asyncio.FIRST_COMPLETED)
        if announced.done():
            announced.result()
        await stopped
        announced.cancel()
    finally:
        if run.ready_file is not None:
            await asyncio.to_thread(run.ready_file.unlink, missing_ok=True)
        await _end(host, run.companions)
        get_logger().info("stopped")


async def _end(host: Host, companions: Companions | None) -> None:
    """Within one grace: while companions end, what runs here may end too."""
    began = time.monotonic()
    if companions is not None:
        host.health.drain()
        await companions.stop()  # they still need what is here, to bring their requests to an end
    await host.stop(max(_LEAST_GRACE, host.mesh.grace.total_seconds() - (time.monotonic() - began)))


async def _announce(host: Host, run: _Run) -> None:
    """Once everything serves: prepare, and write the ready file."""
    if not host.health.serving():
        gc.enable()  # whoever waits for a store may wait long, and an entry point may have switched the collector off for its start
        await host.health.all_serving()
    if run.prepare is not None:
        await run.prepare(host)
    _spare_the_collector()
    get_logger().info("serving", services=[hosted.service.name for hosted in host.hosted], addresses=host.addresses())
    if run.ready_file is not None:
        await asyncio.to_thread(_write, run.ready_file)


def _spare_the_collector() -> None:
    """What is here now stays: collections need not look at it.

    Few of a request's objects form cycles, so that a collection after every 700 of them, Python's default, finds next to nothing.
    """
    gc.freeze()
    gc.set_threshold(_GARBAGE, 10, 10)
    gc.enable()


def _write(path: Path) -> None:
    partial = path.with_name(path.name + ".part")
    partial.write_text(f"{os.getpid()}\n", encoding="utf-8")
    partial.replace(path)


def _loaded(run: _Run) -> tuple[MeshSettings, tuple[Service, ...], dict[str, Any]]:
    configuration = run.configuration or Configuration.read()
    services = tuple(service for each in run.services for service in ([each] if isinstance(each, Service) else load([each])))
    mesh = replace(configuration.load(MeshSettings).value, embedded=run.embedded, **run.overrides)
    return mesh, services, {service.name: configuration.load(service.settings, service.name).value for service in services}


def _signals() -> asyncio.Event:
    """The first signal drains, the second one ends at once."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def received() -> None:
        if stop.is_set():
            os._exit(_INTERRUPTED)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, received)
    return stop


def _runner() -> Callable[..., int]:
    try:
        import uvloop  # noqa: PLC0415 (optional: without it asyncio's own loop does)
    except ImportError:
        return asyncio.run
    return uvloop.run
