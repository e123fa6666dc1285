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
    """Settings of the adapter. A credential goes to the endpoint of its provider and nowhere else."""

    gemini_key: Secret = setting(default=Secret(""), env=("GEMINI_API_KEY", "GOOGLE_API_KEY"), help="Key at the Gemini API.")
    vertex_key: Secret = setting(default=Secret(""), env=("VERTEX_API_KEY",), help="Key at Vertex, in the place of a credentials file.")
    credentials_file: str = setting(
        default="",
        env=("GOOGLE_APPLICATION_CREDENTIALS",),
        help="Google's JSON file of a service account, or of who signed in with gcloud, for Vertex. Read again for each new token.",
    )
    project: str = setting(default="", env=("GOOGLE_CLOUD_PROJECT",), help="The project at Vertex. Empty: that of the credentials file.")
    location: str = setting(default="global", env=("GOOGLE_CLOUD_LOCATION",), help="Where Vertex answers: `global`, `eu`, `europe-west4`.")
    simulator_key: Secret = setting(default=Secret(""), help="Key at the simulator, where it wants one.")
    simulator: str = setting(
        default="", env=("LLM_MESH_SIMULATOR_ADDRESS",), help="Where the simulator listens, as it is told itself. Empty: 127.0.0.1:8099."
    )
    credentials: Mapping[str, Secret] = setting(
        default={},
        help="Further keys, by a name that `endpoints` refers to.",
        prefix="LLM_MESH_ADAPTER_GEMINI_CREDENTIAL_",
    )
    endpoints: Mapping[str, str] = setting(
        default={},
        help="Changes and additions to the table of providers: an address, or a JSON object (README).",
        prefix="LLM_MESH_ADAPTER_GEMINI_ENDPOINT_",
    )
    connect_timeout: timedelta = setting(default=timedelta(seconds=10), help="Until a connection stands.", minimum=0.01)
    first_token_timeout: timedelta = setting(default=timedelta(seconds=60), help="Until a stream has content.", minimum=0.01)
    idle_timeout: timedelta = setting(default=timedelta(seconds=60), help="Between two chunks.", minimum=0.01)
    total_timeout: timedelta = setting(default=timedelta(seconds=600), help="For a whole attempt.", minimum=0.01)
    max_in_flight: int = setting(
        default=384,
        help="Calls at once per credential, endpoint and model, shared fairly: a domain alone may have 288 of 384.",
        minimum=1,
    )
    vectors_memory: int = setting(
        default=256 * 1024 * 1024,
        help="Bytes of vectors that answers of one endpoint may have at once in this process, four per number; further ones wait for room. "
        "An answer that is larger by itself fails.",
        minimum=1024 * 1024,
        maximum=64 * 1024 * 1024 * 1024,
    )
