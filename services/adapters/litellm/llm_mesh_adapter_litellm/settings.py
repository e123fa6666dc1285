"""What operators set for the adapter: credentials, endpoints, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings import setting

_LEAST_MEMORY = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the adapter. The library reaches what `endpoints` name, and nothing else."""

    credentials: Mapping[str, Secret] = setting(
        default={},
        help="Credentials, by a name that `endpoints` refers to.",
        prefix="LLM_MESH_ADAPTER_LITELLM_CREDENTIAL_",
    )
    endpoints: Mapping[str, str] = setting(
        default={},
        help="The endpoints: a JSON object each, with `library` and `base_url` (README).",
        prefix="LLM_MESH_ADAPTER_LITELLM_ENDPOINT_",
    )
    memory: int = setting(
        default=2 * 1024 * 1024 * 1024, help="Bytes that the library's process may hold of its own.", minimum=_LEAST_MEMORY
    )
    connect_timeout: timedelta = setting(default=timedelta(seconds=10), help="Until the library takes a call.", minimum=0.01)
    first_token_timeout: timedelta = setting(default=timedelta(seconds=60), help="Until a stream has content.", minimum=0.01)
    idle_timeout: timedelta = setting(default=timedelta(seconds=60), help="Between two chunks of a stream.", minimum=0.01)
    total_timeout: timedelta = setting(default=timedelta(seconds=600), help="For a whole attempt.", minimum=0.01)
    max_in_flight: int = setting(
        default=128, help="Calls at once per credential, endpoint and model, shared fairly: a domain alone may have 96 of 128.", minimum=1
    )
