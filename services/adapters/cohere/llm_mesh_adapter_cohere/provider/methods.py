"""The methods that the dialect has beside chat and embeddings."""

from __future__ import annotations

from llm_mesh.inference.v1 import rerank_pb2
from llm_mesh_adapter_cohere.provider.bodies import answered_by, understood
from llm_mesh_adapter_cohere.provider.sayable import allowance_of, sayable
from llm_mesh_adapter_kit.dialect import Ask, Call
from llm_mesh_adapter_kit.methods import AnsweredMethod, DialectMethod, DialectMethods
from llm_mesh_dialects.cohere import reranking
from llm_mesh_dialects.extras import dumped


def methods() -> DialectMethods:
    """By the name of the RPC."""
    return {"Rerank": DialectMethod(_rerank, _reranked)}


def _rerank(ask: Ask, request: rerank_pb2.RerankInput) -> Call:
    body, translations = sayable(lambda: reranking.input_to_rerank(request, model=ask.model, allowance=allowance_of(ask.endpoint)))
    return Call("/v2/rerank", dumped(body), translations=translations)


def _reranked(answer: AnsweredMethod, request: rerank_pb2.RerankInput, output: rerank_pb2.RerankOutput) -> None:
    body = answered_by(answer.endpoint.name, answer.body)
    understood(answer.endpoint.name, lambda: reranking.rerank_into_output(body, request, output))
