"""Counting input tokens: at the provider where it can, otherwise an upper estimate from the bytes."""

from __future__ import annotations

from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_kit.attempts import Attempts


async def count(attempts: Attempts, attempt: plan_pb2.Attempt, request: generate_pb2.GenerateInput) -> embed_pb2.TokenCount:
    """How many tokens the request has, and who counted."""
    endpoint = attempts.endpoints.get(attempt.endpoint)
    call = attempts.dialect.count(endpoint, attempt.upstream_model, request) if endpoint.has_credential else None
    if call is not None:
        tokens = attempts.dialect.counted(await attempts.ask(endpoint, call, attempt.upstream_model))
        return embed_pb2.TokenCount(input_tokens=tokens, source=embed_pb2.COUNT_SOURCE_PROVIDER)
    return embed_pb2.TokenCount(input_tokens=attempt.max_input_tokens, source=embed_pb2.COUNT_SOURCE_ESTIMATED)
