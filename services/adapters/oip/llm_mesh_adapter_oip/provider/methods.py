"""The paths of the protocol's methods."""

from __future__ import annotations

from typing import Final

from llm_mesh_adapter_oip.provider.wire import SERVICE

INFER: Final = f"/{SERVICE}/ModelInfer"
SERVER_READY: Final = f"/{SERVICE}/ServerReady"
MODEL_READY: Final = f"/{SERVICE}/ModelReady"
MODEL_METADATA: Final = f"/{SERVICE}/ModelMetadata"
REPOSITORY_INDEX: Final = f"/{SERVICE}/RepositoryIndex"
"""Triton's alone."""
