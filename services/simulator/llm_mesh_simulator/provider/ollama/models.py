"""The simulator's models as Ollama lists and shows them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import orjson

from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.ollama.errors import headers
from llm_mesh_simulator.provider.reply import JSON, AnswerIdentity, Reply

_DETAILS: Final = {"format": "simulated", "family": "simulator", "parameter_size": "0", "quantization_level": "none"}
_WINDOW: Final = 128_000
_TALKS: Final = ("completion", "tools", "vision", "thinking")
_EMBEDS: Final = ("embedding",)
_EMBEDDING_MODEL: Final = "sim-embed"


def tags(known: Iterable[str], request: str) -> Reply:
    """`GET /api/tags`."""
    models = [{"name": each, "model": each, "size": 0, "digest": "simulated", "details": _DETAILS} for each in known]
    return Reply(200, [*headers(request), JSON], orjson.dumps({"models": models}))


@dataclass(frozen=True, slots=True)
class OllamaShowRequest:
    """One model to be shown."""

    model: str
    prompt_tokens: int = 0
    stream: bool = False

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:  # noqa: ARG002 (what a model can do depends on its name)
        """What it can do."""
        can = _EMBEDS if self.model == _EMBEDDING_MODEL else _TALKS
        shown = {"details": _DETAILS, "model_info": {"simulator.context_length": _WINDOW}, "capabilities": can}
        return Reply(200, [*headers(identity.request), JSON], orjson.dumps(shown))


def read_show(body: RequestFields) -> OllamaShowRequest:
    """`POST /api/show`."""
    return OllamaShowRequest(body.text("model"))
