"""The adapters: how the mesh of the suite reaches the simulator through each. A new adapter is one more entry of `WIRES`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from llm_mesh.registry.v1 import registry_pb2
from tests.conformance.verdicts import Kind
from tests.proofs.stand import INPUT_PRICE, OUTPUT_PRICE

CAPABILITIES = (
    "generate", "streaming", "tools", "parallel_tool_calls", "json_schema", "json_object", "logprobs", "reasoning", "image_input",
    "audio_input", "file_input", "audio_output", "multiple_candidates", "seed",
)  # fmt: skip
ENDPOINT = "conformance"
_CREDENTIAL = "conformance-key-0123456789"


@dataclass(frozen=True)
class Wire:
    """One adapter, with the simulator behind it."""

    adapter: str
    path: str = ""
    """Below the simulator's address."""
    second: str = ""
    """Which further wire of the adapter it is."""
    settings: Mapping[str, object] = field(default_factory=dict)
    """Of its endpoint, so that it is this wire."""
    translates: AbstractSet[str] = frozenset()
    """Features that arrive with a note, or do not arrive and are noted; `edge: feature` where it is so from one edge alone."""
    refuses: AbstractSet[str] = frozenset()
    """Features with which a request is refused."""
    lacks: Mapping[str, str] = field(default_factory=dict)
    """Features of answers that the provider has no sign of, each with what it is instead."""
    errors: Mapping[str, str] = field(default_factory=dict)
    """Classes of errors by which this provider means another reason."""

    @property
    def name(self) -> str:
        """The adapter, and which of its wires."""
        return f"{self.adapter}-{self.second}" if self.second else self.adapter

    @property
    def endpoint(self) -> str:
        """As the registry names it."""
        return f"{ENDPOINT}-{self.second}" if self.second else ENDPOINT

    @property
    def dialect(self) -> str:
        """Whose keys it lets through."""
        return self.second or self.adapter

    def expected(self, edge: str, feature: str) -> Kind:
        """What becomes of a feature that an edge asks for."""
        if feature in self.lacks:
            return Kind.ABSENT
        if {feature, f"{edge}: {feature}"} & self.translates:
            return Kind.TRANSLATED
        return Kind.REFUSED if {feature, f"{edge}: {feature}"} & self.refuses else Kind.EXACT

    def environment(self, simulator: str) -> dict[str, str]:
        """The settings of its endpoint."""
        prefix = f"LLM_MESH_ADAPTER_{self.adapter.upper()}"
        endpoint = {"base_url": f"http://{simulator}{self.path}", "local": True, "credential": "conformance", **self.settings}
        name = self.endpoint.upper().replace("-", "_")
        return {f"{prefix}_ENDPOINT_{name}": json.dumps(endpoint), f"{prefix}_CREDENTIAL_CONFORMANCE": _CREDENTIAL}

    def model(self, name: str, upstream: str) -> registry_pb2.Model:
        """A model that can do everything, as far as the router knows: what a wire cannot carry, its adapter must say."""
        alias = f"{self.name}-{name}"
        return registry_pb2.Model(
            name=f"domains/shared/models/{alias}",
            alias=alias,
            adapter=self.adapter,
            endpoint=self.endpoint,
            upstream_model=upstream,
            capabilities=CAPABILITIES,
            context_window=128_000,
            max_output_tokens=8_192,
            image_tokens=1_000,
            shared_with=["*"],
            price=registry_pb2.Price(
                currency="USD", input_nanos_per_million=INPUT_PRICE, output_nanos_per_million=OUTPUT_PRICE, source="the suite's own"
            ),
        )


_NO_REFUSALS = "a refusal is a text like others"
_NO_CACHE = "the provider says nothing of a cache"

_COUNTED = "usage that is not said"
_SHOWN = "google: usage of thinking"
"""Whether thoughts are shown is the edge's affair where the provider is not told how much to think."""
WIRES: Mapping[str, Wire] = {
    each.name: each
    for each in (
        Wire(
            "openai",
            "/v1",
            translates={
                *("cache hint", "thinking, by tokens", "anthropic: thinking, by effort", "anthropic: sampling", "grpc: sampling", _COUNTED),
                *("anthropic: thinking, sent back", "grpc: thinking, sent back", "google: thinking, sent back", "google: sampling", _SHOWN),
            },
            errors={"the key may not (403)": "PROVIDER_MODEL_NOT_FOUND"},
        ),
        Wire(
            "openai",
            "/v1",
            second="responses",
            settings={"responses": ["*"]},
            translates={
                *("cache hint", "several answers", "stop", "sampling", "thinking, by tokens", "anthropic: thinking, by effort", _COUNTED),
                *("anthropic: thinking, sent back", "grpc: thinking, sent back", "google: thinking, sent back", _SHOWN),
            },
            errors={"the key may not (403)": "PROVIDER_MODEL_NOT_FOUND"},
        ),
        Wire(
            "anthropic",
            translates={
                *("sound", "any JSON", "log-probabilities", "several answers", "openai: sampling", "grpc: sampling", _COUNTED),
                *("openai: thinking, sent back", "google: sampling", _SHOWN),
            },
        ),
        Wire(
            "gemini",
            "/v1",
            translates={
                *("file, a PDF", "one tool at a time", "cache hint", "thinking, by tokens", "anthropic: thinking, by effort", _COUNTED),
                *("anthropic: thinking, sent back", "grpc: thinking, sent back", "google: thinking, sent back"),
            },
        ),
        Wire(
            "bedrock",
            translates={
                *("one tool at a time", "no tool", "any JSON", "log-probabilities", "several answers", "sampling", _COUNTED),
                *("anthropic: thinking, by effort", "openai: thinking, sent back", _SHOWN),
            },
            refuses={"image, by its address"},
        ),
        Wire(
            "cohere",
            "/cohere",
            translates={
                *("one tool at a time", "result of a tool", "cache hint", "log-probabilities", "several answers", _COUNTED),
                *("thinking, by effort", "thinking, sent back", _SHOWN),
            },
            refuses={"file, a PDF", "sound"},
            lacks={"refusal": _NO_REFUSALS, "usage of a cache": _NO_CACHE},
        ),
        Wire(
            "ollama",
            translates={
                *("one tool at a time", "a forced tool", "some tool", "cache hint", "several answers", _COUNTED),
                *("thinking, by effort", "thinking, by tokens", "thinking, sent back", _SHOWN),
            },
            refuses={"image, by its address", "file, a PDF", "sound"},
            lacks={"refusal": _NO_REFUSALS, "usage of a cache": _NO_CACHE},
        ),
    )
}
ELSEWHERE: Mapping[str, str] = {"engine": "tests/adapter_engine", "mesh": "tests/adapter_mesh", "oip": "tests/adapter_oip"}
"""Adapters whose providers are not the simulator, each with the tests that show what its wire carries."""
