"""The simulator's models as Cohere lists them."""

from collections.abc import Iterable, Mapping
from typing import Final

import orjson

from llm_mesh_simulator.provider.cohere.errors import headers
from llm_mesh_simulator.provider.reply import JSON, Reply

_WINDOW: Final = 128_000
_FEATURES: Final = ["json_mode", "json_schema", "tools", "strict_tools", "tool_choice", "vision", "logprobs"]
_USUAL_PAGE: Final = 20


def models(known: Iterable[str], query: Mapping[str, str], request: str) -> Reply:
    """`GET /v1/models`: one page of them."""
    size = int(query["page_size"]) if query.get("page_size", "").isdecimal() else _USUAL_PAGE
    shown = [_model(each) for each in known][:size]
    return Reply(200, [*headers(request), JSON], orjson.dumps({"models": shown}))


def _model(name: str) -> dict[str, object]:
    if name == "sim-embed":
        return {"name": name, "endpoints": ["embed"], "context_length": _WINDOW, "features": None}
    return {"name": name, "endpoints": ["chat"], "context_length": _WINDOW, "features": _FEATURES}
