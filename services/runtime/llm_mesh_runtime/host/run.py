"""Runs a host until it is told to stop: signals, the ready file, the exit code."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from llm_mesh_runtime.host.discovery import load
from llm_mesh_runtime.host.errors import StartError
from llm_mesh_runtime.host.host import Host
from llm_mesh_runtime.observer import silent
from llm_mesh_runtime.service import Service

if TYPE_CHECKING:
    from llm_mesh_runtime.settings import Configuration

_FAILED = 1
_INTERRUPTED = 130
Prepare = Callable[[Host], Awaitable[None]]


def run(
    services: Sequence[Service | str],
    *,
    mode: Literal["embedded", "separate"],
    ready_file: Path | None = None,
    configuration: Configuration | None = None,
    prepare: Prepare | None = None,
    **overrides: Any,  # noqa: ANN401 - mesh settings
) -> int:
    """Host the services, given or named, until SIGTERM or SIGINT. Returns the exit code.

    `prepare` runs once everything serves, before the ready file is written. `overrides` are mesh settings that win over
    environment and file.
    """
    return _runner()(_main(services, mode, ready_file, configuration, prepare, overrides))


async def _main(  # noqa: PLR0913 - the arguments of `run`
    services: Sequence[Service | str],
    mode: str,
    ready_file: Path | None,
    configuration: Configuration | None,
    prepare: Prepare | None,
    overrides: dict[str, Any],
) -> int:
    from llm_mesh_runtime.settings import SettingsError  # noqa: PLC0415 - loaded once hosting begins

    stop = _signals()
    host: Host | None = None
    try:
        host = _host(services, mode, configuration, overrides)
        await host.start()
        if prepare is not None:
            await prepare(host)
    except (StartError, SettingsError, LookupError, ValueError) as error:
        if host is not None:
            await host.stop()
        sys.stderr.write(f"llm-mesh: {error}\n")
        return _FAILED
    ready = asyncio.create_task(_announce(host, ready_file))
    try:
        await stop.wait()
    finally:
        ready.cancel()
        if ready_file is not None:
            ready_file.unlink(missing_ok=True)
        await host.stop()
    return 0


def _host(services: Sequence[Service | str], mode: str, configuration: Configuration | None, overrides: dict[str, Any]) -> Host:
    from dataclasses import replace  # noqa: PLC0415

    from llm_mesh_runtime.settings import Configuration, MeshSettings  # noqa: PLC0415 - loaded once hosting begins

    configuration = configuration or Configuration.read()
    loaded = tuple(service for each in services for service in ([each] if isinstance(each, Service) else load([each])))
    mesh = replace(configuration.load(MeshSettings).value, embedded=mode == "embedded", **overrides)
    settings = {service.name: configuration.load(service.settings, service.name).value for service in loaded}
    return Host(loaded, mesh, lambda service: settings[service.name], observer=silent)


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


async def _announce(host: Host, ready_file: Path | None) -> None:
    """Write the ready file once everything serves."""
    while not host.health.serving():
        await asyncio.sleep(0.02)
    if ready_file is not None:
        partial = ready_file.with_name(ready_file.name + ".part")
        partial.write_text(f"{os.getpid()}\n")
        partial.replace(ready_file)


def _runner() -> Callable[..., int]:
    try:
        import uvloop  # noqa: PLC0415 - optional: without it asyncio's own loop does
    except ImportError:
        return asyncio.run
    return uvloop.run
