"""What operators set for the adapter: credentials, endpoints, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from llm_mesh_adapter_kit.added.settings import AddedEndpointSettings
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(AddedEndpointSettings):
    """Settings of the adapter. A credential goes to the endpoint of its server and nowhere else."""

    host: str = setting(
        default="", env=("OLLAMA_HOST",), help="Where Ollama answers, as its own client reads it: 127.0.0.1:11434. Empty: there."
    )
    ollama_key: Secret = setting(default=Secret(""), env=("OLLAMA_API_KEY",), help="Credential at ollama.com.")
    simulator_key: Secret = setting(default=Secret(""), help="Credential at the simulator, where it wants one.")
    simulator: str = setting(
        default="", env=("LLM_MESH_SIMULATOR_ADDRESS",), help="Where the simulator listens, as it is told itself. Empty: 127.0.0.1:8099."
    )
    credentials: Mapping[str, Secret] = setting(
        default={},
        help="Further credentials, by a name that `endpoints` refers to.",
        prefix="LLM_MESH_ADAPTER_OLLAMA_CREDENTIAL_",
    )
    endpoints: Mapping[str, str] = setting(
        default={},
        help="Changes and additions to the table of servers: an address without /api, or a JSON object (README).",
        prefix="LLM_MESH_ADAPTER_OLLAMA_ENDPOINT_",
    )
    connect_timeout: timedelta = setting(default=timedelta(seconds=10), help="Until a connection stands.", minimum=0.01)
    # A server may have to load the model first.
    first_token_timeout: timedelta = setting(default=timedelta(seconds=120), help="Until a stream has content.", minimum=0.01)
    idle_timeout: timedelta = setting(default=timedelta(seconds=60), help="Between two frames of a stream.", minimum=0.01)
    total_timeout: timedelta = setting(default=timedelta(seconds=600), help="For a whole attempt.", minimum=0.01)
    max_in_flight: int = setting(
        default=384, help="Calls at once per credential, endpoint and model, shared fairly: a domain alone may have 288 of 384.", minimum=1
    )
