"""The simulator's models as Ollama lists and shows them."""

from collections.abc import Iterable
from typing import Final

import orjson

from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.ollama.errors import headers
from llm_mesh_simulator.provider.reply import JSON, Reply

_DETAILS: Final = {"format": "simulated", "family": "simulator", "parameter_size": "0", "quantization_level": "none"}
_WINDOW: Final = 128_000
_TALKS: Final = ("completion", "tools", "vision", "thinking")
_EMBEDS: Final = ("embedding",)
_EMBEDDING_MODEL: Final = "sim-embed"


def tags(known: Iterable[str], request: str) -> Reply:
    """`GET /api/tags`."""
    models = [{"name": each, "model": each, "size": 0, "digest": "simulated", "details": _DETAILS} for each in known]
    return Reply(200, [*headers(request), JSON], orjson.dumps({"models": models}))


def show(body: bytes, request: str) -> Reply:
    """`POST /api/show`: what a model can do. Its behaviour is not asked: nothing is generated."""
    try:
        name = orjson.loads(body).get("model", "")
    except (orjson.JSONDecodeError, AttributeError):
        raise RefusedError("invalid character in the body") from None
    can = _EMBEDS if name == _EMBEDDING_MODEL else _TALKS
    shown = {"details": _DETAILS, "model_info": {"simulator.context_length": _WINDOW}, "capabilities": can}
    return Reply(200, [*headers(request), JSON], orjson.dumps(shown))
