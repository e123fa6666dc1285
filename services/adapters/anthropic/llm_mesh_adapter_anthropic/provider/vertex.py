"""Claude at Vertex AI: the same bodies, with the model in the path, and the version in the body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.model_paths import in_path

PUBLISHER: Final = "/publishers/anthropic"
"""How the base address of an endpoint at Vertex ends."""
VERSION: Final = "vertex-2023-10-16"
COUNT: Final = "/models/count-tokens:rawPredict"


def predicts(endpoint: Endpoint) -> bool:
    """Whether an endpoint is Vertex': its address says so."""
    return endpoint.base_url.rstrip("/").endswith(PUBLISHER)


def path_of(model: str, *, stream: bool) -> str:
    """Where a message is asked for."""
    return f"/models/{in_path(model, safe='@')}:{'streamRawPredict' if stream else 'rawPredict'}"


def predicted(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a request for a message, whose path names the model."""
    return {"anthropic_version": VERSION, **{key: value for key, value in body.items() if key != "model"}}


def counted(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a request for a count."""
    return {"anthropic_version": VERSION, **body}


def models_of(endpoint: Endpoint, most: int) -> str:
    """The list of Anthropic's models, which is not below the project."""
    version = endpoint.base_url.removeprefix(endpoint.origin).strip("/").partition("/")[0]
    return f"/{'v1beta1' if version == 'v1' else version}{PUBLISHER}/models?pageSize={most}"
