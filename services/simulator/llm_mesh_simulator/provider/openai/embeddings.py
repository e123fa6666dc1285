"""Embeddings."""

import struct
from base64 import b64encode
from dataclasses import dataclass

import orjson

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.answer import Usage, reported
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.embedding import DEFAULT_DIMENSIONS, MAX_DIMENSIONS, embed, embed_tokens
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.openai.headers import headers
from llm_mesh_simulator.provider.reply import JSON, AnswerIdentity, Reply

_MAX_INPUTS = 2048


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """Texts, or token numbers, to be made into vectors."""

    model: str
    inputs: tuple[str | tuple[int, ...], ...]
    dimensions: int
    base64: bool
    prompt_tokens: int
    stream: bool = False

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:
        """A vector for each input."""
        data = [{"object": "embedding", "index": index, "embedding": self._vector(each)} for index, each in enumerate(self.inputs)]
        used = reported(Usage(self.prompt_tokens, 0), behaviour)
        body: dict[str, object] = {"object": "list", "data": data, "model": self.model}
        if used is not None:
            body["usage"] = {"prompt_tokens": used.prompt, "total_tokens": used.prompt}
        return Reply(200, [*headers(identity.request, tokens=self.prompt_tokens), JSON], orjson.dumps(body), 0, used)

    def _vector(self, each: str | tuple[int, ...]) -> list[float] | str:
        vector = embed(each, self.dimensions) if isinstance(each, str) else embed_tokens(each, self.dimensions)
        if not self.base64:
            return vector
        return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def read(body: RequestFields) -> EmbeddingRequest:
    """Reads and checks a request."""
    inputs = _inputs(body)
    dimensions = body.integer("dimensions")
    if dimensions is None:
        dimensions = DEFAULT_DIMENSIONS
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        message = f"Invalid 'dimensions': expected a value from 1 to {MAX_DIMENSIONS}, but got {dimensions} instead."
        raise RefusedError(message, param="dimensions", code="invalid_value")
    form = body.text_or("encoding_format") or "float"
    if form not in {"float", "base64"}:
        message = f"Invalid value: '{form}'. Supported values are: 'float' and 'base64'."
        raise RefusedError(message, param="encoding_format", code="invalid_value")
    used = sum(tokens.count(each) if isinstance(each, str) else len(each) for each in inputs)
    return EmbeddingRequest(body.text("model"), inputs, dimensions, form == "base64", used)


def _inputs(body: RequestFields) -> tuple[str | tuple[int, ...], ...]:
    items = body.values.get("input")
    if items is None:
        raise body.missing("input")
    if isinstance(items, str):
        items = [items]
    if isinstance(items, list) and items and all(isinstance(each, int) for each in items):
        items = [items]
    if not isinstance(items, list) or not 1 <= len(items) <= _MAX_INPUTS:
        raise RefusedError("'$.input' is invalid. Please check the API reference.", param="input")
    inputs: list[str | tuple[int, ...]] = []
    for each in items:
        if isinstance(each, str):
            inputs.append(each)
        elif isinstance(each, list) and each and all(isinstance(number, int) for number in each):
            inputs.append(tuple(each))
        else:
            raise RefusedError("'$.input' is invalid. Please check the API reference.", param="input")
    return tuple(inputs)
