"""`POST /api/embed`."""

from dataclasses import dataclass

import orjson

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.answer import Usage, reported
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.embedding import DEFAULT_DIMENSIONS, MAX_DIMENSIONS, embed
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.ollama.errors import headers
from llm_mesh_simulator.provider.reply import JSON, AnswerIdentity, Reply


@dataclass(frozen=True, slots=True)
class OllamaEmbedRequest:
    """Texts to be made into vectors."""

    model: str
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
        body: dict[str, object] = {"model": self.model, "embeddings": [embed(text, self.dimensions) for text in self.texts]}
        body |= {"total_duration": 2_000_000, "load_duration": 1_000_000}
        if used is not None:
            body["prompt_eval_count"] = used.prompt
        return Reply(200, [*headers(identity.request), JSON], orjson.dumps(body), 0, used)


def read(body: RequestFields) -> OllamaEmbedRequest:
    """Reads and checks a request."""
    if body.values.get("input") is None:
        raise body.missing("input")
    dimensions = body.integer("dimensions") or DEFAULT_DIMENSIONS
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise RefusedError(f"dimensions must be from 1 to {MAX_DIMENSIONS}")
    return OllamaEmbedRequest(body.text("model"), body.texts("input"), dimensions)
