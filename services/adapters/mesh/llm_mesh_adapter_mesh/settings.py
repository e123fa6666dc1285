"""What operators set for the adapter: other meshes, credentials, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from llm_mesh_adapter_kit.added.settings import AddedEndpointSettings
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(AddedEndpointSettings):
    """Settings of the adapter. A credential goes to the mesh that it is named for and nowhere else."""

    credentials: Mapping[str, Secret] = setting(
        default={},
        help="Keys at other meshes, by a name that `endpoints` refers to.",
        prefix="LLM_MESH_ADAPTER_MESH_CREDENTIAL_",
    )
    endpoints: Mapping[str, str] = setting(
        default={},
        help="Other meshes, by a name: the https address of the gRPC listener, or a JSON object (README).",
        prefix="LLM_MESH_ADAPTER_MESH_ENDPOINT_",
    )
    connect_timeout: timedelta = setting(default=timedelta(seconds=10), help="Until a connection stands.", minimum=0.01)
    # The other mesh may try several providers before the first one answers.
    first_token_timeout: timedelta = setting(default=timedelta(seconds=120), help="Until a stream has content.", minimum=0.01)
    idle_timeout: timedelta = setting(default=timedelta(seconds=60), help="Between two messages of a stream.", minimum=0.01)
    total_timeout: timedelta = setting(default=timedelta(seconds=600), help="For a whole attempt.", minimum=0.01)
    max_in_flight: int = setting(
        default=384, help="Calls at once per credential, endpoint and model, shared fairly: a domain alone may have 288 of 384.", minimum=1
    )
    vectors_memory: int = setting(
        default=256 * 1024 * 1024,
        help="Bytes of vectors that answers of one endpoint may have at once in this process, four per number; further ones wait for room. "
        "An answer that is larger by itself fails.",
        minimum=1024 * 1024,
        maximum=64 * 1024 * 1024 * 1024,
    )
