"""What the rules of fields do not say of a request: it depends on more than one message of it, or on the method.

The rules themselves stand in the contracts, and are checked before the gateway sees a request. What is wrong costs nothing.
"""

from __future__ import annotations

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_runtime.errors import invalid


def check_generation(request: generate_pb2.GenerateInput, *, has_prompt: bool) -> None:
    """Raise INVALID_FIELD where neither the request nor a prompt has a message."""
    if not request.messages and not has_prompt:
        raise invalid("input.messages", "must have at least one, where no prompt supplies them")


def check_embedding(*, has_prompt: bool) -> None:
    """Raise INVALID_FIELD where a prompt comes with texts to embed."""
    if has_prompt:
        raise invalid("options.prompt", "must not be set with embeddings")
