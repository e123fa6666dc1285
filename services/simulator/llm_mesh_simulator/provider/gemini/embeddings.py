"""Vectors: `:batchEmbedContents`, `:embedContent`, and `:predict` of Vertex."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.answer import Usage, reported
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.embedding import DEFAULT_DIMENSIONS, MAX_DIMENSIONS, embed
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.gemini.headers import headers
from llm_mesh_simulator.provider.reply import JSON, AnswerIdentity, Reply

_MOST = 2048


@dataclass(frozen=True, slots=True)
class ContentEmbeddingRequest:
    """Texts to be made into vectors. `shape` is the method that was called."""

    texts: Sequence[str]
    dimensions: int
    shape: str
    stream: bool = False

    @property
    def prompt_tokens(self) -> int:
        """The tokens of its input."""
        return sum(tokens.count(text) for text in self.texts)

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:
        """A vector for each text."""
        used = reported(Usage(self.prompt_tokens, 0), behaviour)
        return Reply(200, [*headers(identity.request), JSON], orjson.dumps(self._body(used)), 0, used)

    def _body(self, used: Usage | None) -> dict[str, object]:
        vectors = [{"values": embed(text, self.dimensions)} for text in self.texts]
        if self.shape == "predict":
            counted = [{"token_count": tokens.count(text), "truncated": False} for text in self.texts]
            each = [
                {**vector, **({"statistics": count} if used is not None else {})} for vector, count in zip(vectors, counted, strict=True)
            ]
            return {"predictions": [{"embeddings": vector} for vector in each]}
        metadata: dict[str, object] = {} if used is None else {"usageMetadata": {"promptTokenCount": used.prompt}}
        return {"embedding": vectors[0], **metadata} if self.shape == "embedContent" else {"embeddings": vectors, **metadata}


def read_batch(body: RequestFields) -> ContentEmbeddingRequest:
    """A request of `:batchEmbedContents`."""
    requests = list(body.objects("requests"))
    if not 1 <= len(requests) <= _MOST:
        raise RefusedError("* BatchEmbedContentsRequest.requests: at least one request is required", param="requests")
    return ContentEmbeddingRequest([_text(each) for each in requests], _dimensions(requests[0]), "batchEmbedContents")


def read_content(body: RequestFields) -> ContentEmbeddingRequest:
    """A request of `:embedContent`."""
    return ContentEmbeddingRequest([_text(body)], _dimensions(body), "embedContent")


def read_predict(body: RequestFields) -> ContentEmbeddingRequest:
    """A request of `:predict`."""
    texts = [each.text("content") for each in body.objects("instances")]
    if not 1 <= len(texts) <= _MOST:
        raise RefusedError("instances must not be empty", param="instances")
    parameters = body.member("parameters")
    return ContentEmbeddingRequest(texts, DEFAULT_DIMENSIONS if parameters is None else _dimensions(parameters), "predict")


def _text(request: RequestFields) -> str:
    content = request.member("content")
    if content is None:
        raise request.missing("content")
    return "".join(part.text("text") for part in content.objects("parts"))


def _dimensions(owner: RequestFields) -> int:
    config = owner.member("embedContentConfig") or owner
    dimensions = config.integer("outputDimensionality")
    if dimensions is None:
        return DEFAULT_DIMENSIONS
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise RefusedError(f"outputDimensionality must be from 1 to {MAX_DIMENSIONS}", param="outputDimensionality")
    return dimensions
