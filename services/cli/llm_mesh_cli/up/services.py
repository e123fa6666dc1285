"""Which installed services a process of `up` hosts, in the order in which they need each other."""

from __future__ import annotations

import sys
from collections.abc import Callable

from llm_mesh.services import SERVICES
from llm_mesh_runtime.host import StartError, installed, load
from llm_mesh_runtime.service import Service

_ADAPTERS = "adapter/"
_WITHOUT_CONTRACT = frozenset(each.name for each in SERVICES if not each.contracts)
_IN_WORKERS = frozenset(each.name for each in SERVICES if each.in_workers)


def everything(name: str) -> bool:
    """Where one process is the whole mesh."""
    del name
    return True


def of_main(name: str) -> bool:
    """Where workers accept HTTP: all that own data, and a gateway with its adapters for gRPC."""
    return not (name in _IN_WORKERS and name in _WITHOUT_CONTRACT)


def of_worker(name: str) -> bool:
    """What carries requests, and owns nothing."""
    return name in _IN_WORKERS or name.startswith(_ADAPTERS)


def hosted(selects: Callable[[str], bool]) -> list[Service]:
    """The services, loaded. One whose parts are not all there is left out, and that is said."""
    services: list[Service] = []
    for name in sorted(filter(selects, installed()), key=_place):
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
    return next((place for place, each in enumerate(SERVICES) if _alike(each.name, name)), len(SERVICES)), name


def _alike(declared: str, name: str) -> bool:
    """An adapter of another repository takes the place of ours."""
    return declared == name or (declared.startswith(_ADAPTERS) and name.startswith(_ADAPTERS))
