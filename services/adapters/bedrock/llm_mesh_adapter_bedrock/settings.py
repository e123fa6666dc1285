"""What operators set for the adapter: credentials, region, endpoints, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from llm_mesh_adapter_kit.added.settings import AddedEndpointSettings
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(AddedEndpointSettings):
    """Settings of the adapter. A credential goes to the endpoint of its provider and nowhere else."""

    bearer_token: Secret = setting(
        default=Secret(""), env=("AWS_BEARER_TOKEN_BEDROCK",), help="Bearer key at Bedrock; it wins over access keys."
    )
    access_key_id: Secret = setting(default=Secret(""), env=("AWS_ACCESS_KEY_ID",), help="Access key at AWS.")
    secret_access_key: Secret = setting(
        default=Secret(""), env=("AWS_SECRET_ACCESS_KEY",), help="What requests are signed with, beside the access key."
    )
    session_token: Secret = setting(default=Secret(""), env=("AWS_SESSION_TOKEN",), help="What temporary access keys need besides.")
    region: str = setting(
        default="us-east-1", env=("AWS_REGION", "AWS_DEFAULT_REGION"), help="Where Bedrock is called, unless the endpoint says otherwise."
    )
    simulator: str = setting(
        default="", env=("LLM_MESH_SIMULATOR_ADDRESS",), help="Where the simulator listens, as it is told itself. Empty: 127.0.0.1:8099."
    )
    credentials: Mapping[str, Secret] = setting(
        default={},
        help="Further credentials, by a name that `endpoints` refers to: a bearer key, or a JSON object (README).",
        prefix="LLM_MESH_ADAPTER_BEDROCK_CREDENTIAL_",
    )
    endpoints: Mapping[str, str] = setting(
        default={},
        help="Changes and additions to the table of providers: an address, or a JSON object (README).",
        prefix="LLM_MESH_ADAPTER_BEDROCK_ENDPOINT_",
    )
    connect_timeout: timedelta = setting(default=timedelta(seconds=10), help="Until a connection stands.", minimum=0.01)
    # Models that do not show their thinking are silent for long.
    first_token_timeout: timedelta = setting(default=timedelta(seconds=120), help="Until a stream has content.", minimum=0.01)
    idle_timeout: timedelta = setting(default=timedelta(seconds=120), help="Between two events of a stream.", minimum=0.01)
    total_timeout: timedelta = setting(default=timedelta(seconds=600), help="For a whole attempt.", minimum=0.01)
    max_in_flight: int = setting(
        default=384, help="Calls at once per credential, endpoint and model, shared fairly: a domain alone may have 288 of 384.", minimum=1
    )
