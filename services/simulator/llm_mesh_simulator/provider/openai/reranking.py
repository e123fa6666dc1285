"""Reranking in the forms of Jina and vLLM, and of Voyage (`top_k`, `data`)."""

from typing import Any

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.answer import Usage
from llm_mesh_simulator.domain.embedding import embed
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.openai.method import Document, MethodAnswer
from llm_mesh_simulator.provider.reply import AnswerIdentity

_MOST_DOCUMENTS = 10_000


def read(body: RequestFields) -> MethodAnswer:
    """Reads and checks a request. The query is counted with each document, as these providers do."""
    model, query, documents = body.text("model"), body.text("query"), body.texts("documents")
    if not 1 <= len(documents) <= _MOST_DOCUMENTS:
        raise RefusedError(f"Expected 1 to {_MOST_DOCUMENTS} documents.", param="documents")
    voyage = "top_k" in body.values
    top = body.integer("top_k" if voyage else "top_n")
    query_vector = embed(query.lower())
    scored = [
        (sum(one * other for one, other in zip(query_vector, embed(each.lower()), strict=True)), place)
        for place, each in enumerate(documents)
    ]
    ranked = sorted(scored, key=lambda each: (-each[0], each[1]))[: top if top is not None else None]
    used = sum(tokens.count(query) + tokens.count(each) for each in documents)

    def document(identity: AnswerIdentity, usage: Usage | None) -> Document:
        results = [{"index": place, "relevance_score": (1 + score) / 2} for score, place in ranked]
        made: dict[str, Any] = {"object": "list", "data": results, "model": model}
        if not voyage:
            made = {"id": f"rerank-{identity.number}", "model": model, "results": results}
        return made if usage is None else made | {"usage": {"total_tokens": usage.prompt}}

    return MethodAnswer(document, used)
