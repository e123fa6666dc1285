"""The link between services of one process: what gRPC does on a wire, done on the event loop."""

from llm_mesh_runtime.links.local.channel import LocalChannel
from llm_mesh_runtime.links.local.server import LocalServer, local_origin

__all__ = ["LocalChannel", "LocalServer", "local_origin"]
