"""The paths of Google's dialect. Its SDKs ask below both versions of its API, which say the same here."""

from __future__ import annotations

from llm_mesh_edge.http.app import Handler, Route
from llm_mesh_edge.http.google import models
from llm_mesh_edge.http.google.failures import shape
from llm_mesh_edge.http.google.methods import ModelMethods
from llm_mesh_edge.http.models import ModelsHandler
from llm_mesh_edge.http.parts import EdgeParts

_BETA = "/v1beta/models"
_PATHS = ("/v1/models", _BETA)


def routes(parts: EdgeParts) -> list[Route]:
    """All of them, but those that several dialects have."""
    own, listed = ModelMethods(parts), ModelsHandler(parts.gateway, _BETA, lambda _headers: models)
    methods: dict[str, Handler] = {
        "generateContent": own.generate,
        "streamGenerateContent": own.stream,
        "countTokens": own.count,
        "embedContent": own.embed,
        "batchEmbedContents": own.embed_batch,
    }
    return [
        *(
            Route(f"{path}/*:{name}", {"POST": answer}, shape, works=True, protected=True)
            for path in _PATHS
            for name, answer in methods.items()
        ),
        Route(_BETA, {"GET": listed.all}, shape, protected=True),
        Route(f"{_BETA}/*", {"GET": listed.one}, shape, protected=True),
    ]
