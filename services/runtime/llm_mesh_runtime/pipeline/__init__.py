"""What stands between a link and a handler: every handler is wrapped once, when it registers.

Stages, outermost first: errors and metrics → request id → access by the head → deadline → limiter → access by the message → handler.
"""

from llm_mesh_runtime.pipeline.arriving import Arrivals, Awaited, MessagePlace, Unread
from llm_mesh_runtime.pipeline.drain import Drain
from llm_mesh_runtime.pipeline.methods import Method, methods_of
from llm_mesh_runtime.pipeline.stages import Pipeline, Wrapped
from llm_mesh_runtime.pipeline.transport import Origin, Transport

__all__ = ["Arrivals", "Awaited", "Drain", "MessagePlace", "Method", "Origin", "Pipeline", "Transport", "Unread", "Wrapped", "methods_of"]
