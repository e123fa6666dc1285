"""Embeddings by InvokeModel: bodies of Titan and of Cohere's models."""

from dataclasses import dataclass

import orjson

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.answer import Usage, reported
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.embedding import DEFAULT_DIMENSIONS, MAX_DIMENSIONS, embed
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.bedrock.headers import counts, headers
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.reply import JSON, AnswerIdentity, Reply

_MAX_TEXTS = 96


@dataclass(frozen=True, slots=True)
class InvokeRequest:
    """Texts to be made into vectors."""

    texts: tuple[str, ...]
    dimensions: int
    titan: bool
    prompt_tokens: int
    stream: bool = False

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:
        """A vector for each text."""
        vectors = [embed(each, self.dimensions) for each in self.texts]
        used = reported(Usage(self.prompt_tokens, 0), behaviour)
        sent = headers(identity.request)
        if self.titan:
            body: dict[str, object] = {"embedding": vectors[0], "embeddingsByType": {"float": vectors[0]}}
            if used is not None:
                body["inputTextTokenCount"] = used.prompt
        else:
            body = {"id": identity.number, "response_type": "embeddings_by_type", "texts": self.texts, "embeddings": {"float": vectors}}
        if used is not None:
            sent += counts(used.prompt, 0)
        return Reply(200, [*sent, JSON], orjson.dumps(body), 0, used)


def read(body: RequestFields) -> InvokeRequest:
    """Reads and checks a request."""
    titan = "inputText" in body.values
    texts = (body.text("inputText"),) if titan else body.texts("texts")
    if not 1 <= len(texts) <= _MAX_TEXTS:
        raise RefusedError(f"Malformed input request: expected inputText, or 1 to {_MAX_TEXTS} texts.")
    if not titan and body.text_or("input_type") is None:
        raise RefusedError("Malformed input request: #: required key [input_type] not found, please reformat your input and try again.")
    dimensions = body.integer("dimensions" if titan else "output_dimension") or DEFAULT_DIMENSIONS
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise RefusedError(f"Malformed input request: {dimensions} is not a valid number of dimensions.")
    return InvokeRequest(texts, dimensions, titan, sum(tokens.count(each) for each in texts))
