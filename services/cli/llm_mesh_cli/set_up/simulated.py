"""The simulator's models: so that everything can be tried without a provider. Their prices are invented."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
_OF_ALL_METHODS = "simulator"
"""The endpoint behind which the simulator has all methods; those of single dialects have the dialect behind it."""
_WINDOW = 128_000
_OUTPUT = 16_384
_IMAGE = 765
_CENT = 10_000_000
"""Nanos of a cent."""


def simulator_models(endpoints: Sequence[tuple[str, str]]) -> Iterator[registry_pb2.Model]:
    """The simulator's models, by the adapters and endpoints that lead to it."""
    for adapter, endpoint in endpoints:
        if endpoint == _OF_ALL_METHODS:
            for alias, description, more in _MODELS:
                yield _talking(adapter, endpoint, alias, description, alias, more)
            yield _model(adapter, endpoint, "sim-embed", "Simulator: vectors of what was said", "sim-embed", ("embeddings",))
            yield _model(adapter, endpoint, "sim-rerank", "Simulator: orders documents by shared words", "sim-rerank", ("rerank",))
            moderating = ("moderate", "image_input")
            yield _seeing(_model(adapter, endpoint, "sim-moderate", "Simulator: finds categories by name", "sim-moderate", moderating))
            assessing = _model(adapter, endpoint, "sim-assess", "Simulator: answers questions", "sim-assess", ("assess", "image_input"))
            assessing.max_output_tokens, assessing.price.output_nanos_per_million = _OUTPUT, 40 * _CENT
            yield _seeing(assessing)
            drawing = _model(adapter, endpoint, "sim-image", "Simulator: draws one colour", "sim-image", ("generate_image", "image_input"))
            drawing.price.images.add(image_nanos_per_million=2 * _CENT * 1_000_000)
            yield _seeing(drawing)
            speaking = _model(adapter, endpoint, "sim-speech", "Simulator: a tone for each word", "sim-speech", ("speak",))
            speaking.price.character_nanos_per_million = 1_500 * _CENT
            yield speaking
            hearing = _model(
                adapter, endpoint, "sim-transcribe", "Simulator: words for a sound", "sim-transcribe", ("transcribe", "translate")
            )
            hearing.price.input_nanos_per_million, hearing.price.audio_input_second_nanos_per_million = 0, 10_000 * _CENT
            yield hearing
        else:
            dialect = endpoint.removeprefix(f"{_OF_ALL_METHODS}-")
            about = f"Simulator: repeats what was said, in the {dialect} dialect"
            yield _talking(adapter, endpoint, f"sim-{dialect}", about, "sim-echo", ())


def _talking(adapter: str, endpoint: str, alias: str, description: str, upstream: str, more: tuple[str, ...]) -> registry_pb2.Model:
    model = _model(adapter, endpoint, alias, description, upstream, (*_CAPABILITIES, *more))
    model.max_output_tokens, model.image_tokens = _OUTPUT, _IMAGE
    model.price.output_nanos_per_million = 40 * _CENT
    return model


def _seeing(model: registry_pb2.Model) -> registry_pb2.Model:
    model.image_tokens = _IMAGE
    return model


def _model(adapter: str, endpoint: str, alias: str, description: str, upstream: str, capabilities: tuple[str, ...]) -> registry_pb2.Model:
    return registry_pb2.Model(
        alias=alias,
        display_name=description,
        adapter=adapter,
        endpoint=endpoint,
        upstream_model=upstream,
        capabilities=capabilities,
        context_window=_WINDOW,
        shared_with=["*"],
        price=registry_pb2.Price(currency="USD", input_nanos_per_million=10 * _CENT, source="simulator: invented, so that spend shows"),
    )
