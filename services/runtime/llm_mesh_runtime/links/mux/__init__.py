"""The batched link: the calls of one service to another on a few long-lived streams. docs/link.md has the wire format."""

from llm_mesh_runtime.links.mux.channel import MuxChannel
from llm_mesh_runtime.links.mux.names import Name

__all__ = ["MuxChannel", "Name"]
