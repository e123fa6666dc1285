"""In which topology a proof's mesh runs: in one process, with workers, or each service in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc

from tests.e2e.running import RunningMesh, running
from tests.e2e.separate import separate

TOPOLOGIES = ("embedded", "workers", "separate")
VARIABLE = "LLM_MESH_PROOF_TOPOLOGY"
"""Names the topology that stands take. The meshes themselves never see it."""
_WORKERS = "2"


def topology() -> str:
    """The topology of this run; embedded where none is named."""
    name = os.environ.get(VARIABLE, TOPOLOGIES[0])
    assert name in TOPOLOGIES, f"{VARIABLE} must be one of {', '.join(TOPOLOGIES)}"
    return name


class ServiceChannels:
    """One channel per service behind the four methods that stubs call: each method goes to the service that its contract names."""

    def __init__(self, channels: Mapping[str, grpc.Channel]) -> None:
        self._channels = channels

    def _of(self, method: str) -> grpc.Channel:
        package = method.removeprefix("/").split(".")
        return self._channels.get(package[1] if package[0] == "llm_mesh" else "gateway", self._channels["gateway"])

    def unary_unary(self, method: str, *rest: Any, **more: Any) -> Any:
        """See `grpc.Channel`."""
        return self._of(method).unary_unary(method, *rest, **more)

    def unary_stream(self, method: str, *rest: Any, **more: Any) -> Any:
        """See `grpc.Channel`."""
        return self._of(method).unary_stream(method, *rest, **more)

    def stream_unary(self, method: str, *rest: Any, **more: Any) -> Any:
        """See `grpc.Channel`."""
        return self._of(method).stream_unary(method, *rest, **more)

    def stream_stream(self, method: str, *rest: Any, **more: Any) -> Any:
        """See `grpc.Channel`."""
        return self._of(method).stream_stream(method, *rest, **more)

    def close(self) -> None:
        """Close them all."""
        for channel in self._channels.values():
            channel.close()


def channel_to(addresses: Mapping[str, str], options: Sequence[tuple[str, Any]] = ()) -> Any:
    """A channel to the public methods of all services of a mesh, whatever its topology."""
    made = {service: grpc.insecure_channel(at, options=options) for service, at in addresses.items() if service != "http"}
    return ServiceChannels(made) if made.keys() - {"grpc"} else made["grpc"]


@contextmanager
def started(folder: Path, env: Mapping[str, str]) -> Iterator[tuple[RunningMesh, Any]]:
    """A mesh of the named topology, and a channel to the public methods of all of its services."""
    name = topology()
    with ExitStack() as stack:
        if name == "separate":
            place = folder / "separate"
            place.mkdir()
            mesh: RunningMesh = stack.enter_context(separate(place, mutual_tls=False, env=env))
            channel = channel_to(mesh.addresses)
            stack.callback(channel.close)
            yield mesh, channel
            return
        workers = {"LLM_MESH_WORKERS": _WORKERS} if name == "workers" else {}
        mesh = stack.enter_context(running(folder, env=workers | dict(env)))
        yield mesh, stack.enter_context(grpc.insecure_channel(mesh.grpc))
