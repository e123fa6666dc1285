"""The failure that a stub raised, as an error that domain code can read and that passes on unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import grpc

    from llm_mesh_runtime.errors import PeerError


def from_rpc_error(error: grpc.aio.AioRpcError, *, peer: str = "") -> PeerError:
    """The peer's error: its reason, field, details and metadata as they came."""
    from llm_mesh_runtime.status import peer_error  # noqa: PLC0415 (google.rpc is only loaded once something fails)

    return peer_error(error, peer)
