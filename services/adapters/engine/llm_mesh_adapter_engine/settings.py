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
        prefix="LLM_MESH_ADAPTER_ENGINE_CREDENTIAL_",
    )
    endpoints: Mapping[str, str] = setting(
        default={},
        help="Where engines answer: an address such as http://10.1.2.3:50051, or a JSON object (README).",
        prefix="LLM_MESH_ADAPTER_ENGINE_ENDPOINT_",
    )
    connect_timeout: timedelta = setting(default=timedelta(seconds=10), help="Until a connection stands.", minimum=0.01)
    first_token_timeout: timedelta = setting(default=timedelta(seconds=60), help="Until a stream has content.", minimum=0.01)
    idle_timeout: timedelta = setting(default=timedelta(seconds=60), help="Between two messages of a stream.", minimum=0.01)
    total_timeout: timedelta = setting(default=timedelta(seconds=600), help="For a whole attempt.", minimum=0.01)
    load_interval: timedelta = setting(
        default=timedelta(seconds=2),
        help="How often engines are asked how busy they are, for the router. 0: they are not asked, nor for their caches.",
        minimum=0,
        maximum=20,
    )
    template_processes: int = setting(
        default=2,
        help="Most child processes that run chat templates. An endpoint has all but one of them at once, so that one is free for others.",
        minimum=1,
        maximum=64,
    )
    template_waiting: int = setting(
        default=1_000,
        help="Most requests of an endpoint that wait for a child process with their chat template; further ones are OVERLOADED.",
        minimum=1,
        maximum=10_000,
    )
    template_cpu: timedelta = setting(
        default=timedelta(seconds=1), help="Most CPU time of a chat template, for one prompt.", minimum=0.01, maximum=10
    )
    template_memory: int = setting(
        default=256 * 1024 * 1024,
        help="Most bytes of memory of a chat template for one prompt, beyond what a child process needs by itself.",
        minimum=16 * 1024 * 1024,
        maximum=4 * 1024 * 1024 * 1024,
    )
    max_in_flight: int = setting(
        default=384, help="Calls at once per credential, endpoint and model, shared fairly: a domain alone may have 288 of 384.", minimum=1
    )
