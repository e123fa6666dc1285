"""Finds the services that are installed, and loads the ones that are named: nothing else is imported."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import entry_points

from llm_mesh_runtime.service import Service
from llm_mesh_runtime.start_error import StartError

_GROUP = "llm_mesh.services"


def installed() -> tuple[str, ...]:
    """The names of all services that are installed."""
    return tuple(sorted(_link_name(point.name) for point in entry_points(group=_GROUP)))


def load(names: Iterable[str]) -> tuple[Service, ...]:
    """The named services, in that order."""
    points = {_link_name(point.name): point for point in entry_points(group=_GROUP)}
    links = [_link_name(name) for name in names]
    missing = [name for name in links if name not in points]
    if missing:
        raise StartError(f"not installed: {', '.join(missing)}; installed are: {', '.join(sorted(points)) or 'none'}")
    services = []
    for name in links:
        service = points[name].load()
        if not isinstance(service, Service):
            raise StartError(f"the entry point {points[name].value} of {name} is no Service")
        services.append(service)
    return tuple(services)


def _link_name(name: str) -> str:
    return name.replace("adapter-", "adapter/", 1) if name.startswith("adapter-") else name
