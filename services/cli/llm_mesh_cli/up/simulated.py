"""The simulator's models: so that everything can be tried without a provider. Their prices are invented."""

from __future__ import annotations

from collections.abc import Iterator

from llm_mesh.registry.v1 import registry_pb2

_CAPABILITIES = (
    "generate", "streaming", "tools", "parallel_tool_calls", "json_schema", "json_object", "logprobs", "image_input",
    "multiple_candidates", "seed",
)  # fmt: skip
_MODELS = (
    ("sim-echo", "Simulator: repeats what was said", ()),
    ("sim-words", "Simulator: seeded words, one token each", ()),
    ("sim-slow", "Simulator: words at a reading pace", ()),
    ("sim-tools", "Simulator: always calls a tool", ()),
    ("sim-reasoning", "Simulator: reasons before it answers", ("reasoning",)),
)
_WINDOW = 128_000
_OUTPUT = 16_384
_IMAGE = 765
_CENT = 10_000_000
"""Nanos of a cent."""


def simulator_models(adapter: str) -> Iterator[registry_pb2.Model]:
    """The models of the endpoint `simulator`; none where no adapter has it."""
    if not adapter:
        return
    for alias, told, more in _MODELS:
        yield _model(adapter, alias, told, (*_CAPABILITIES, *more), output=40 * _CENT, max_output_tokens=_OUTPUT, image_tokens=_IMAGE)
    yield _model(adapter, "sim-embed", "Simulator: vectors of what was said", ("embeddings",), output=0)


def _model(
    adapter: str, alias: str, told: str, capabilities: tuple[str, ...], *, output: int, max_output_tokens: int = 0, image_tokens: int = 0
) -> registry_pb2.Model:
    return registry_pb2.Model(
        alias=alias,
        display_name=told,
        adapter=adapter,
        endpoint="simulator",
        upstream_model=alias,
        capabilities=capabilities,
        context_window=_WINDOW,
        max_output_tokens=max_output_tokens,
        image_tokens=image_tokens,
        shared_with=["*"],
        price=registry_pb2.Price(
            currency="USD",
            input_nanos_per_million=10 * _CENT,
            output_nanos_per_million=output,
            source="simulator: invented, so that spend shows",
        ),
    )
