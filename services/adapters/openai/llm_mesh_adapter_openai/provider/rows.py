"""Providers of the dialect as data: address, credential, and how their servers differ from OpenAI's.

A row holds what a provider documents, and nothing that must be looked up at run time. An operator changes a row, or adds one, by the
setting `endpoints`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from llm_mesh_adapter_kit.signing import Auth
from llm_mesh_dialects.openai import OPENAI, OpenAIQuirks

_NO_KEY: Final = Auth(required=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIProvider:
    """A server that speaks OpenAI's dialect: its address, its credential, and in what it differs."""

    name: str
    provider: str
    base_url: str = ""
    """Empty: the operator gives it, since each customer has one. `{region}` stands for the region."""
    key: str = ""
    """The setting that holds its credential. Empty: it wants none."""
    auth: Auth = field(default_factory=Auth)
    system: str = ""
    local: bool = False
    region: str = ""
    quirks: OpenAIQuirks = field(default_factory=OpenAIQuirks)
    zero_retention: Mapping[str, Any] = field(default_factory=dict)
    """Keys of a request that forbid the provider to keep data."""
    api_version: str = ""
    """Azure's older addresses, which name deployment and version."""
    tokenize: bool = False
    """The origin has `/tokenize`, which counts a conversation by the model's own tokenizer."""
    vertex: bool = False
    """Its address is made of project and location, where the operator gives none, and its credential is a Google account."""
    embeddings: bool = True
    responses: tuple[str, ...] = ()
    """The models that are asked by OpenAI's Responses, by patterns of their names. `*` stands for all."""
    methods: frozenset[str] = frozenset()
    """What it has beside chat and embeddings, as `METHODS` names it."""
    rerank: str = ""
    """The form of its reranking: `jina`, `vllm`, `voyage` or `tei`. Empty: it has none."""
    check: str = "/models"
    """What is asked to find out whether the provider takes the credential."""


METHODS: Final = frozenset({"moderations", "decisions", "images", "speech", "transcriptions"})
ONLY_RESPONSES: Final = ("o1-pro*", "o3-pro*", "gpt-*-pro*", "*codex*", "*-deep-research*", "computer-use-preview*")
"""Models of OpenAI that have no chat completions."""
_STORE: Final[Mapping[str, Any]] = {"store": False}

_GEMINI: Final = OpenAIQuirks(developer_role=False, hidden_reasoning=True, prompt_cache_key=False,
    unsupported=frozenset({"frequency_penalty", "presence_penalty", "seed", "logit_bias", "logprobs", "top_logprobs", "user",
                           "parallel_tool_calls"}))  # fmt: skip
_OPEN: Final = OpenAIQuirks(max_tokens="max_tokens", developer_role=False, prompt_cache_key=False, unsupported=frozenset({"modalities"}))
"""Servers of open models of many makers."""
_BEDROCK: Final = OpenAIQuirks(developer_role=False, prompt_cache_key=False, unsupported=frozenset({"modalities"}))
"""Open models of many makers. Which of Mantle's two addresses has a model, Amazon's table says: the other one refuses it."""

ROWS: Final = (
    OpenAIProvider(name="openai", provider="OpenAI", base_url="https://api.openai.com/v1", key="openai_key", system="openai",
        zero_retention=_STORE, responses=ONLY_RESPONSES,
        methods=METHODS, quirks=OPENAI),
    OpenAIProvider(name="azure", provider="Azure OpenAI", key="azure_key", auth=Auth(header="api-key", scheme=""), system="azure.ai.openai",
        zero_retention=_STORE, responses=ONLY_RESPONSES, quirks=OPENAI),
    OpenAIProvider(name="mistral", provider="Mistral AI", base_url="https://api.mistral.ai/v1", key="mistral_key", system="mistral_ai",
        region="eu",
        methods=frozenset({"moderations"}),
        quirks=OpenAIQuirks(max_tokens="max_tokens", developer_role=False, stream_usage=False, seed="random_seed", prompt_cache_key=False,
                      text_lists=False, reasoning_history="thinking",
                      unsupported=frozenset({"logit_bias", "logprobs", "top_logprobs", "user", "modalities"}))),
    OpenAIProvider(name="groq", provider="Groq", base_url="https://api.groq.com/openai/v1", key="groq_key", system="groq", embeddings=False,
        quirks=OpenAIQuirks(developer_role=False, message_names=False, reasoning_history="reasoning", prompt_cache_key=False,
            text_lists=False,
                      unsupported=frozenset({"logit_bias", "logprobs", "top_logprobs", "modalities"}))),
    OpenAIProvider(name="together", provider="Together AI", base_url="https://api.together.xyz/v1", key="together_key", rerank="jina",
        quirks=OpenAIQuirks(max_tokens="max_tokens", developer_role=False, top_k=True, prompt_cache_key=False,
                      unsupported=frozenset({"user", "modalities"}))),
    OpenAIProvider(name="openrouter", provider="OpenRouter", base_url="https://openrouter.ai/api/v1", key="openrouter_key", check="/key",
        quirks=OpenAIQuirks(max_tokens="max_tokens", top_k=True, reasoning="reasoning", reasoning_history="reasoning", cache_control=True),
        zero_retention={"provider": {"data_collection": "deny", "zdr": True}}),
    OpenAIProvider(name="deepseek", provider="DeepSeek", base_url="https://api.deepseek.com/v1", key="deepseek_key", system="deepseek",
        region="cn",
        embeddings=False,
        quirks=OpenAIQuirks(max_tokens="max_tokens", developer_role=False, reasoning_history="reasoning_content", prompt_cache_key=False,
                      text_lists=False, reasoning_at_calls=True, most_stops=16,
                      unsupported=frozenset({"n", "seed", "logit_bias", "user", "parallel_tool_calls", "modalities"}))),
    OpenAIProvider(name="fireworks", provider="Fireworks AI", base_url="https://api.fireworks.ai/inference/v1", key="fireworks_key",
        quirks=OpenAIQuirks(max_tokens="max_tokens", developer_role=False, top_k=True, reasoning_history="reasoning_content",
                      unsupported=frozenset({"modalities"}))),
    OpenAIProvider(name="xai", provider="xAI", base_url="https://api.x.ai/v1", key="xai_key", system="x_ai", embeddings=False,
        quirks=OpenAIQuirks(hidden_reasoning=True, prompt_cache_key=False, unsupported=frozenset({"logit_bias", "modalities"}))),
    OpenAIProvider(name="gemini", provider="Google Gemini", base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        key="gemini_key",
        system="gcp.gemini",
        quirks=_GEMINI),
    OpenAIProvider(name="vertex-openai", provider="Vertex AI", vertex=True, system="gcp.vertex_ai", embeddings=False, quirks=_GEMINI),
    OpenAIProvider(name="cerebras", provider="Cerebras", base_url="https://api.cerebras.ai/v1", key="cerebras_key", embeddings=False,
        quirks=_OPEN),
    OpenAIProvider(name="moonshot", provider="Moonshot AI", base_url="https://api.moonshot.ai/v1", key="moonshot_key",
        system="moonshot_ai", embeddings=False, quirks=_OPEN),
    OpenAIProvider(name="nvidia", provider="NVIDIA", base_url="https://integrate.api.nvidia.com/v1", key="nvidia_key", quirks=_OPEN),
    OpenAIProvider(name="deepinfra", provider="DeepInfra", base_url="https://api.deepinfra.com/v1/openai", key="deepinfra_key",
        quirks=_OPEN),
    OpenAIProvider(name="huggingface", provider="Hugging Face", base_url="https://router.huggingface.co/v1", key="huggingface_key",
        embeddings=False, quirks=_OPEN),
    OpenAIProvider(name="sambanova", provider="SambaNova", base_url="https://api.sambanova.ai/v1", key="sambanova_key", quirks=_OPEN),
    OpenAIProvider(name="zai", provider="Z.ai", base_url="https://api.z.ai/api/paas/v4", key="zai_key", embeddings=False, quirks=_OPEN),
    OpenAIProvider(name="bedrock-openai", provider="Amazon Bedrock", base_url="https://bedrock-runtime.{region}.amazonaws.com/openai/v1",
        key="bedrock_key", system="aws.bedrock", region="us-east-1", embeddings=False, quirks=_BEDROCK),
    OpenAIProvider(name="bedrock-mantle", provider="Amazon Bedrock", base_url="https://bedrock-mantle.{region}.api.aws/v1",
        key="bedrock_key", system="aws.bedrock", region="us-east-1", embeddings=False, quirks=_BEDROCK),
    OpenAIProvider(name="bedrock-mantle-openai", provider="Amazon Bedrock", base_url="https://bedrock-mantle.{region}.api.aws/openai/v1",
        key="bedrock_key", system="aws.bedrock", region="us-east-1", embeddings=False, responses=ONLY_RESPONSES, quirks=OPENAI),
    OpenAIProvider(name="vllm", provider="vLLM", base_url="http://127.0.0.1:8000/v1", key="vllm_key", auth=_NO_KEY, local=True,
        tokenize=True,
        rerank="vllm",
        quirks=OpenAIQuirks(developer_role=False, top_k=True, reasoning_history="reasoning_content", prompt_cache_key=False, most_stops=0,
                      unsupported=frozenset({"modalities"}))),
    OpenAIProvider(name="sglang", provider="SGLang", base_url="http://127.0.0.1:30000/v1", key="sglang_key", auth=_NO_KEY, local=True,
        quirks=OpenAIQuirks(max_tokens="max_tokens", developer_role=False, top_k=True, reasoning_history="reasoning_content",
                      prompt_cache_key=False, most_stops=0, unsupported=frozenset({"modalities"}))),
    OpenAIProvider(name="llamacpp", provider="llama.cpp", base_url="http://127.0.0.1:8080/v1", key="llamacpp_key", auth=_NO_KEY, local=True,
        rerank="jina",
        quirks=OpenAIQuirks(max_tokens="max_tokens", developer_role=False, top_k=True, reasoning_history="reasoning_content",
                      prompt_cache_key=False, most_stops=0, unsupported=frozenset({"modalities"}))),
    OpenAIProvider(name="ollama", provider="Ollama", base_url="http://127.0.0.1:11434/v1", auth=_NO_KEY, local=True,
        quirks=OpenAIQuirks(max_tokens="max_tokens", developer_role=False, prompt_cache_key=False,
                      unsupported=frozenset({"n", "logit_bias", "user", "tool_choice", "parallel_tool_calls", "modalities"}))),
    OpenAIProvider(name="lmstudio", provider="LM Studio", base_url="http://127.0.0.1:1234/v1", auth=_NO_KEY, local=True,
        quirks=OpenAIQuirks(max_tokens="max_tokens", developer_role=False, top_k=True, prompt_cache_key=False,
                      unsupported=frozenset({"n", "user", "parallel_tool_calls", "modalities"}))),
    OpenAIProvider(name="jina", provider="Jina AI", base_url="https://api.jina.ai/v1", key="jina_key", region="eu", rerank="jina"),
    OpenAIProvider(name="voyage", provider="Voyage AI", base_url="https://api.voyageai.com/v1", key="voyage_key", rerank="voyage",
        quirks=OpenAIQuirks(dimensions="output_dimension")),
    OpenAIProvider(name="tei", provider="Text Embeddings Inference", base_url="http://127.0.0.1:8085/v1", key="tei_key", auth=_NO_KEY,
        local=True, rerank="tei"),
    OpenAIProvider(name="simulator", provider="Simulator", base_url="http://127.0.0.1:8099/v1", key="simulator_key", auth=_NO_KEY,
        local=True, methods=METHODS, rerank="jina"),
    OpenAIProvider(name="simulator-responses", provider="Simulator", base_url="http://127.0.0.1:8099/v1", key="simulator_key", auth=_NO_KEY,
        local=True, responses=("*",)),
)  # fmt: skip

GENERIC: Final = OpenAIProvider(name="", provider="OpenAI-compatible server", auth=_NO_KEY, methods=METHODS, rerank="jina")
"""What an endpoint is that no row knows."""
