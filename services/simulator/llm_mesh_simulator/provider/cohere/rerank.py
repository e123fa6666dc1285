"""`POST /v2/rerank`: documents that share words with the query come first; a search for each hundred of them is billed."""

from dataclasses import dataclass
from typing import Final

import orjson

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.answer import Usage, reported
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.embedding import embed
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.cohere.errors import headers
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.reply import JSON, AnswerIdentity, Reply

_MOST: Final = 10_000
_PER_SEARCH: Final = 100


@dataclass(frozen=True, slots=True)
class CohereRerankRequest:
    """Documents to be ordered."""

    query: str
    documents: tuple[str, ...]
    top: int | None
    stream: bool = False

    @property
    def prompt_tokens(self) -> int:
        """The tokens of its input."""
        return sum(tokens.count(self.query) + tokens.count(each) for each in self.documents)

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:
        """The best documents, the best one first."""
        sought = embed(self.query.lower())
        scores = [sum(one * other for one, other in zip(sought, embed(each.lower()), strict=True)) for each in self.documents]
        order = sorted(range(len(scores)), key=lambda place: (-scores[place], place))[: self.top]
        searches = -(-len(self.documents) // _PER_SEARCH)
        used = reported(Usage(searches, 0), behaviour)
        body: dict[str, object] = {
            "id": identity.number,
            "results": [{"index": place, "relevance_score": (1 + scores[place]) / 2} for place in order],
        }
        if used is not None:
            body["meta"] = {"api_version": {"version": "2"}, "billed_units": {"search_units": used.prompt}}
        return Reply(200, [*headers(identity.request), JSON], orjson.dumps(body), 0, used)


def read(body: RequestFields) -> CohereRerankRequest:
    """Reads and checks a request."""
    body.text("model")
    documents = body.texts("documents")
    if not 1 <= len(documents) <= _MOST:
        raise RefusedError(f"invalid request: documents must have 1 to {_MOST} items")
    return CohereRerankRequest(body.text("query"), documents, body.integer("top_n"))
