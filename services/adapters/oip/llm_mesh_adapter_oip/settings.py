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
    """Settings of the adapter. Credentials go to its endpoints and nowhere else."""

    key: Secret = setting(
        default=Secret(""), help="Credential at endpoints that name no other, sent as a bearer token. Empty: none is sent."
    )
    credentials: Mapping[str, Secret] = setting(
        default={},
        help="Further credentials, by a name that `endpoints` refers to.",
        prefix="LLM_MESH_ADAPTER_OIP_CREDENTIAL_",
    )
    endpoints: Mapping[str, str] = setting(
        default={},
        help="Where servers answer: an address such as http://10.1.2.3:8001, or a JSON object (README).",
        prefix="LLM_MESH_ADAPTER_OIP_ENDPOINT_",
    )
    connect_timeout: timedelta = setting(default=timedelta(seconds=10), help="Until a connection stands.", minimum=0.01)
    first_token_timeout: timedelta = setting(default=timedelta(seconds=60), help="Until an answer begins.", minimum=0.01)
    idle_timeout: timedelta = setting(default=timedelta(seconds=60), help="Between two parts of an answer.", minimum=0.01)
    total_timeout: timedelta = setting(default=timedelta(seconds=600), help="For a whole attempt.", minimum=0.01)
    max_in_flight: int = setting(
        default=384, help="Calls at once per credential, endpoint and model, shared fairly: a domain alone may have 288 of 384.", minimum=1
    )
