"""What the main process tells a worker once it serves: who it is, where it accepts, whom it finds where."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from llm_mesh_runtime.host.keys import mesh_secret
from llm_mesh_runtime.host.sockets import PROCESS, link_to
from llm_mesh_runtime.secret import Secret

if TYPE_CHECKING:
    from llm_mesh_runtime.settings import MeshSettings

MAIN = "main"


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """The order to one worker. It has no secret: the worker reads that where the main process has it from."""

    number: int
    workers: int
    http: str
    data_dir: str
    sockets: str
    services: tuple[str, ...]
    """What the main process serves at its private sockets."""

    @property
    def process(self) -> str:
        """The worker's name."""
        return worker_name(self.number)

    def line(self) -> bytes:
        """It, on one line."""
        return json.dumps(dataclasses.asdict(self)).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Self:
        """What `line` made."""
        order = json.loads(line)
        return cls(**{**order, "services": tuple(order["services"])})

    def overrides(self, mesh: MeshSettings, own: frozenset[str]) -> dict[str, Any]:
        """The mesh settings of the worker, which hosts the services `own`, from those that all processes share.

        What a process may work on at once is shared out among the workers, so that all of them together are one gateway.
        """
        data_dir = Path(self.data_dir)
        whole = dataclasses.replace(mesh, embedded=True, data_dir=data_dir)
        return {
            "process": self.process,
            "workers": self.workers,
            "sockets": self.sockets,
            "http": self.http,
            "data_dir": data_dir,
            "secret": Secret(mesh_secret(whole).decode()),
            "links": {name: link_to(self.sockets, name) for name in self._peers(own)} | dict(mesh.links),
            "concurrency": max(1, mesh.concurrency // self.workers),
            "queue": mesh.queue // self.workers,
        }

    def _peers(self, own: frozenset[str]) -> list[str]:
        processes = [MAIN, *(worker_name(number) for number in range(1, self.workers + 1) if number != self.number)]
        return [*(name for name in self.services if name not in own), *(PROCESS + name for name in processes)]


def worker_name(number: int) -> str:
    """Workers count from 1."""
    return f"worker-{number}"
