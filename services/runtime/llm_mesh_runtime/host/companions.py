"""Further processes of a mesh, as the process that owns its data sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from llm_mesh_runtime.host.host import Host


class Companions(Protocol):
    """They live between `begin` and `stop`."""

    def begin(self, host: Host) -> None:
        """The host serves: let them start."""

    async def stop(self) -> None:
        """End them in order; none is left afterwards."""
