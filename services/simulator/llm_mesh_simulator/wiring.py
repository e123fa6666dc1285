"""The composition root: the simulator as a service that has HTTP and no contract."""

from pathlib import Path
from typing import TYPE_CHECKING

from llm_mesh_runtime.service import HttpApp, Service, Servicers
from llm_mesh_simulator.provider.app import Simulator
from llm_mesh_simulator.settings import Settings
from llm_mesh_simulator.store.journal import Journal

if TYPE_CHECKING:
    from llm_mesh_runtime.links import Links

_LOG = "simulator.log.jsonl"


def journal(settings: Settings, data_dir: Path) -> Journal:
    """The log at its place, still closed."""
    path = None if settings.log_path == "-" else Path(settings.log_path or data_dir / _LOG)
    return Journal(path, capacity=settings.log_kept, fsync=settings.log_fsync)


def application(settings: Settings, log: Journal) -> Simulator:
    """The ASGI application."""
    return Simulator(log, api_key=settings.api_key.reveal(), keep_requests=settings.keep_requests)


def build(settings: Settings, links: "Links") -> Servicers:
    """The simulator as its host takes it."""
    log = journal(settings, links.mesh.data_dir)

    async def start() -> None:
        log.open()

    async def close() -> None:
        log.close()

    return Servicers(
        start=start, close=close, http=HttpApp(application(settings, log), address=settings.address, setting="LLM_MESH_SIMULATOR_ADDRESS")
    )


service = Service.declared("simulator", settings=Settings, build=build)
