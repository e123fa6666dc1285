"""Providers of the dialect as data: address and credential.

Addresses are as the dialect's official clients take them: `/v1/messages` follows. An operator changes a row, or adds one, by the
setting `endpoints`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from llm_mesh_adapter_kit.signing import Auth

_KEY: Final = Auth(header="x-api-key", scheme="")
_NO_KEY: Final = Auth(header="x-api-key", scheme="", required=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnthropicProvider:
    """A server that speaks Anthropic's dialect: its address, its credential, and in what it differs."""

    name: str
    provider: str
    base_url: str = ""
    key: str = ""
    """The setting that holds its credential. Empty: it wants none."""
    auth: Auth = field(default_factory=lambda: _KEY)
    system: str = ""
    local: bool = False
    region: str = ""
    vertex: bool = False
    """Its address is made of project and location, where the operator gives none."""
    """Where data is processed; in an address `{region}` stands for it. Empty there: the region of the settings."""
    bedrock: bool = False
    """It is Bedrock's: models are named in the path, requests signed."""


ROWS: Final = (
    AnthropicProvider(name="anthropic", provider="Anthropic", base_url="https://api.anthropic.com", key="anthropic_key",
        system="anthropic"),
    AnthropicProvider(name="vertex-anthropic", provider="Anthropic at Vertex AI", vertex=True, system="gcp.vertex_ai", auth=Auth()),
    AnthropicProvider(name="deepseek-anthropic", provider="DeepSeek", base_url="https://api.deepseek.com/anthropic", key="deepseek_key",
        system="deepseek", region="cn"),
    AnthropicProvider(name="moonshot-anthropic", provider="Moonshot AI", base_url="https://api.moonshot.ai/anthropic", key="moonshot_key",
        system="moonshot_ai", auth=Auth()),
    AnthropicProvider(name="bedrock-claude", provider="Amazon Bedrock", base_url="https://bedrock-runtime.{region}.amazonaws.com",
        system="aws.bedrock", bedrock=True),
    AnthropicProvider(name="mantle-claude", provider="Amazon Bedrock", base_url="https://bedrock-mantle.{region}.api.aws/anthropic",
        key="aws_bearer_token", auth=Auth(), system="aws.bedrock"),
    AnthropicProvider(name="ollama-anthropic", provider="Ollama", base_url="http://127.0.0.1:11434", auth=_NO_KEY, local=True),
    AnthropicProvider(name="lmstudio-anthropic", provider="LM Studio", base_url="http://127.0.0.1:1234", auth=_NO_KEY, local=True),
    AnthropicProvider(name="simulator-anthropic", provider="Simulator", base_url="http://127.0.0.1:8099", key="simulator_key",
        auth=_NO_KEY, local=True),
)  # fmt: skip

GENERIC: Final = AnthropicProvider(name="", provider="Anthropic-compatible server", auth=_NO_KEY)
"""What an endpoint is that no row knows."""
