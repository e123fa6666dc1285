"""Which installed services a process of `up` hosts, in the order in which they need each other."""

from __future__ import annotations

import sys
from collections.abc import Callable

from llm_mesh_runtime.host import StartError, installed, load
from llm_mesh_runtime.service import Service

_ORDER = ("policy", "registry", "router", "catalogue", "observability", "adapter/", "gateway", "edge")


def everything(name: str) -> bool:
    """Where one process is the whole mesh."""
    del name
    return True


def of_main(name: str) -> bool:
    """Where workers accept HTTP: all that own data, and a gateway with its adapters for gRPC."""
    return name != "edge"


def of_worker(name: str) -> bool:
    """What carries requests, and owns nothing."""
    return name in {"edge", "gateway"} or name.startswith("adapter/")


def hosted(wanted: Callable[[str], bool]) -> list[Service]:
    """The services, loaded. One whose parts are not all there is left out, and that is said."""
    services: list[Service] = []
    for name in sorted(filter(wanted, installed()), key=_place):
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
