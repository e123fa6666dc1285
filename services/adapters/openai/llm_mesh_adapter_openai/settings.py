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

    openai_key: Secret = setting(default=Secret(""), env=("OPENAI_API_KEY",), help="Credential at OpenAI.")
    azure_key: Secret = setting(default=Secret(""), env=("AZURE_OPENAI_API_KEY",), help="Credential at Azure OpenAI.")
    mistral_key: Secret = setting(default=Secret(""), env=("MISTRAL_API_KEY",), help="Credential at Mistral AI.")
    groq_key: Secret = setting(default=Secret(""), env=("GROQ_API_KEY",), help="Credential at Groq.")
    together_key: Secret = setting(default=Secret(""), env=("TOGETHER_API_KEY",), help="Credential at Together AI.")
    openrouter_key: Secret = setting(default=Secret(""), env=("OPENROUTER_API_KEY",), help="Credential at OpenRouter.")
    deepseek_key: Secret = setting(default=Secret(""), env=("DEEPSEEK_API_KEY",), help="Credential at DeepSeek.")
    fireworks_key: Secret = setting(default=Secret(""), env=("FIREWORKS_API_KEY",), help="Credential at Fireworks AI.")
    xai_key: Secret = setting(default=Secret(""), env=("XAI_API_KEY",), help="Credential at xAI.")
    gemini_key: Secret = setting(default=Secret(""), env=("GEMINI_API_KEY", "GOOGLE_API_KEY"), help="Credential at Google Gemini.")
    bedrock_key: Secret = setting(default=Secret(""), env=("AWS_BEARER_TOKEN_BEDROCK",), help="Bearer key at Amazon Bedrock.")
    cerebras_key: Secret = setting(default=Secret(""), env=("CEREBRAS_API_KEY",), help="Credential at Cerebras.")
    moonshot_key: Secret = setting(default=Secret(""), env=("MOONSHOT_API_KEY",), help="Credential at Moonshot AI.")
    nvidia_key: Secret = setting(default=Secret(""), env=("NVIDIA_API_KEY",), help="Credential at NVIDIA.")
    deepinfra_key: Secret = setting(default=Secret(""), env=("DEEPINFRA_API_KEY",), help="Credential at DeepInfra.")
    huggingface_key: Secret = setting(default=Secret(""), env=("HF_TOKEN",), help="Credential at Hugging Face.")
    sambanova_key: Secret = setting(default=Secret(""), env=("SAMBANOVA_API_KEY",), help="Credential at SambaNova.")
    zai_key: Secret = setting(default=Secret(""), env=("ZAI_API_KEY",), help="Credential at Z.ai.")
    vertex_credentials_file: str = setting(
        default="",
        env=("GOOGLE_APPLICATION_CREDENTIALS",),
        help="Google's JSON file of a service account, or of who signed in with gcloud, for Vertex' endpoint in this dialect.",
    )
    vertex_project: str = setting(
        default="", env=("GOOGLE_CLOUD_PROJECT",), help="The project at Vertex. Empty: that of the credentials file."
    )
    vertex_location: str = setting(
        default="global", env=("GOOGLE_CLOUD_LOCATION",), help="Where Vertex answers: `global`, `eu`, `europe-west4`."
    )
    sglang_key: Secret = setting(default=Secret(""), env=("SGLANG_API_KEY",), help="Credential at an SGLang server that wants one.")
    vllm_key: Secret = setting(default=Secret(""), env=("VLLM_API_KEY",), help="Credential at a vLLM server that wants one.")
    llamacpp_key: Secret = setting(default=Secret(""), env=("LLAMA_API_KEY",), help="Credential at a llama.cpp server that wants one.")
    jina_key: Secret = setting(default=Secret(""), env=("JINA_API_KEY",), help="Credential at Jina AI.")
    voyage_key: Secret = setting(default=Secret(""), env=("VOYAGE_API_KEY",), help="Credential at Voyage AI.")
    tei_key: Secret = setting(default=Secret(""), env=("TEI_API_KEY",), help="Credential at a TEI server that wants one.")
    simulator_key: Secret = setting(default=Secret(""), help="Credential at the simulator, where it wants one.")
    simulator: str = setting(
        default="", env=("LLM_MESH_SIMULATOR_ADDRESS",), help="Where the simulator listens, as it is told itself. Empty: 127.0.0.1:8099."
    )
    credentials: Mapping[str, Secret] = setting(
        default={},
        help="Further credentials, by a name that `endpoints` refers to.",
        prefix="LLM_MESH_ADAPTER_OPENAI_CREDENTIAL_",
    )
    endpoints: Mapping[str, str] = setting(
        default={},
        help="Changes and additions to the table of providers: an address, or a JSON object (README).",
        prefix="LLM_MESH_ADAPTER_OPENAI_ENDPOINT_",
    )
    connect_timeout: timedelta = setting(default=timedelta(seconds=10), help="Until a connection stands.", minimum=0.01)
    first_token_timeout: timedelta = setting(default=timedelta(seconds=60), help="Until a stream has content.", minimum=0.01)
    idle_timeout: timedelta = setting(default=timedelta(seconds=60), help="Between two events.", minimum=0.01)
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
