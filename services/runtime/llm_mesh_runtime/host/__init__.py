"""Hosts services in one process: all of them (`llm-mesh up`) or some (`llm-mesh serve`), by the same function."""

from llm_mesh_runtime.host.discovery import installed, load
from llm_mesh_runtime.host.host import Host
from llm_mesh_runtime.host.run import main, run
from llm_mesh_runtime.start_error import StartError

__all__ = ["Host", "StartError", "installed", "load", "main", "run"]
