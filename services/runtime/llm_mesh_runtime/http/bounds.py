"""What an HTTP listener takes: how large a head may be, how much strangers hold, and how many connections known callers share."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, NamedTuple

from llm_mesh_runtime.http.unauthenticated import StrangerLimits, Strangers
from llm_mesh_runtime.shares import RESERVE, Shares

if TYPE_CHECKING:
    from llm_mesh_runtime.settings import MeshSettings

_SPARE = 256
"""Files that a process needs besides connections."""


class HeadLimits(NamedTuple):
    """How large the head of a request may be. A line is the request line, a header or a trailer."""

    lines: int = 100
    line: int = 16 * 1024
    size: int = 64 * 1024


class HttpBounds:
    """The bounds of a process, for all of its HTTP listeners."""

    def __init__(
        self, head: HeadLimits | None = None, strangers: StrangerLimits | None = None, *, connections: int = 8192, reserve: float = RESERVE
    ) -> None:
        self.head = head or HeadLimits()
        self.strangers = Strangers(strangers)
        self.connections = Shares(connections, reserve)

    @classmethod
    def of(cls, mesh: MeshSettings) -> HttpBounds:
        """As the settings say, within what the process may open."""
        openable = max(_SPARE, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE)
        strangers = StrangerLimits(
            min(mesh.http_stranger_connections, openable // 2),
            min(mesh.http_stranger_connections_per_address, openable // 4),
            mesh.http_stranger_bytes,
            mesh.http_stranger_bytes_per_address,
        )
        return cls(
            HeadLimits(mesh.http_header_lines, mesh.http_header_line_bytes, mesh.http_head_bytes),
            strangers,
            connections=min(mesh.http_connections, openable // 2),
            reserve=mesh.share_reserve,
        )
