"""`POST /v2/embed`."""

from dataclasses import dataclass

import orjson

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.answer import Usage, reported
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.embedding import DEFAULT_DIMENSIONS, MAX_DIMENSIONS, embed
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.cohere.errors import headers
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.reply import JSON, AnswerIdentity, Reply

_TYPES = ("search_document", "search_query", "classification", "clustering", "image")
_MOST = 96


@dataclass(frozen=True, slots=True)
class CohereEmbedRequest:
    """Texts to be made into vectors."""

    texts: tuple[str, ...]
    dimensions: int
    stream: bool = False

    @property
    def prompt_tokens(self) -> int:
        """The tokens of its input."""
        return sum(tokens.count(text) for text in self.texts)

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:
        """A vector for each text."""
        used = reported(Usage(self.prompt_tokens, 0), behaviour)
        meta: dict[str, object] = {"api_version": {"version": "2"}}
        if used is not None:
            meta["billed_units"] = {"input_tokens": used.prompt}
        vectors = [embed(text, self.dimensions) for text in self.texts]
        body = {
            "id": identity.number,
            "embeddings": {"float": vectors},
            "texts": self.texts,
            "meta": meta,
            "response_type": "embeddings_by_type",
        }
        return Reply(200, [*headers(identity.request), JSON], orjson.dumps(body), 0, used)


def read(body: RequestFields) -> CohereEmbedRequest:
    """Reads and checks a request."""
    body.text("model")
    kind = body.text("input_type")
    if kind not in _TYPES:
        raise RefusedError(f"invalid request: input_type '{kind}' must be one of {', '.join(_TYPES)}")
    texts = body.texts("texts")
    if not 1 <= len(texts) <= _MOST:
        raise RefusedError(f"invalid request: texts must have 1 to {_MOST} items")
    if body.texts("embedding_types") not in {(), ("float",)}:
        raise RefusedError("invalid request: the simulator has vectors of floats")
    dimensions = body.integer("output_dimension") or DEFAULT_DIMENSIONS
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise RefusedError(f"invalid request: output_dimension must be from 1 to {MAX_DIMENSIONS}")
    return CohereEmbedRequest(texts, dimensions)
