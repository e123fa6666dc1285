"""Models, as the registry has them. Their prices are versions of their own, which never change."""

from __future__ import annotations

from enum import StrEnum

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_cli.nouns.noun import Noun, Option


class ModelLifecycle(StrEnum):
    """Where a model stands in its life."""

    PREVIEW = "preview"
    ACTIVE = "active"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


def lifecycle(model: registry_pb2.Model) -> ModelLifecycle:
    """Where it stands; nothing said is active."""
    states = {f"LIFECYCLE_{state.name}": state for state in ModelLifecycle}
    return states.get(registry_pb2.Lifecycle.Name(model.lifecycle), ModelLifecycle.ACTIVE)


MODELS = Noun(
    "model",
    "models",
    "Model",
    service="registry",
    stub=registry_pb2_grpc.RegistryServiceStub,
    messages=registry_pb2,
    columns=(),
    options=(
        Option("alias", "--alias", "The alias by which applications ask for it. Default: its id."),
        Option("display_name", "--display-name", "A name for people."),
        Option("adapter", "--adapter", "The adapter, such as `openai`. Needed for a new model."),
        Option("endpoint", "--endpoint", "The adapter's endpoint, such as `ollama`. Needed for a new model."),
        Option("upstream_model", "--upstream", "The model, as the provider names it. Needed for a new model."),
        Option("dialect", "--dialect", "The dialect of the endpoint. Default: the adapter's name."),
        Option("capabilities", "--capability", "What it can do, such as `generate`, `streaming`, `tools` or `embeddings`."),
        Option("context_window", "--context-window", "Tokens of input and output together. 0: not known."),
        Option("max_output_tokens", "--max-output-tokens", "Most output tokens. 0: not known."),
        Option("region", "--region", "Where the data is processed, such as `eu`."),
        Option("data_classes", "--data-class", "A data class that it is cleared for."),
        Option("service_level", "--service-level", "What its owner promises, such as `{contact: ana@example.com}`."),
        Option("lifecycle", "--lifecycle", f"One of {', '.join(ModelLifecycle)}."),
        Option("retire_time", "--retire", "When it stops to answer: `90d`, or a time."),
        Option("free", "--free", "It costs nothing. Otherwise a model without a price is refused."),
        Option("image_tokens", "--image-tokens", "Most tokens that an image costs. 0: images are refused."),
        Option("audio_seconds", "--audio-seconds", "The longest sound that it transcribes, in seconds. 0: not known."),
        Option("audio_tokens", "--audio-tokens", "Most tokens that an audio part by reference costs. 0: not known."),
        Option("file_tokens", "--file-tokens", "Most tokens that a file by reference costs. 0: not known."),
        Option("shared_with", "--share-with", "A domain to which it is offered, or `*`."),
        Option("zero_retention", "--zero-retention", "The provider keeps no data."),
        Option("credential", "--credential", "The credential at the provider, by name. Default: the endpoint's own."),
        Option(
            "price",
            "--price",
            "Its first price per million units, such as `{input: 0.15, output: 0.60, source: contract}`; later ones: `prices add`.",
            created_only=True,
        ),
    ),
)
