"""What the Gemini API's list says of a model, in the words of the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.loose import loose_count

_METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "generateContent": ("generate", "streaming"),
    "embedContent": ("embeddings",),
    "batchEmbedContents": ("embeddings",),
}


def description_of(model: Fields) -> adapter_pb2.ModelDescription:
    """One model of the list. The limits of input and output are told apart there, and summed here."""
    methods = model.raw("supportedGenerationMethods")
    able = (
        {word for method in methods if isinstance(method, str) for word in _METHODS.get(method, ())} if isinstance(methods, list) else set()
    )
    if model.raw("thinking") is True:
        able.add("reasoning")
    most_input, most_output = loose_count(model.raw("inputTokenLimit")) or 0, loose_count(model.raw("outputTokenLimit")) or 0
    return adapter_pb2.ModelDescription(
        model=model.required_text("name").rpartition("/")[2],
        capabilities=sorted(able),
        context_window=most_input + most_output if most_input else 0,
        max_output_tokens=most_output,
    )
