"""The keys of the Bedrock dialect that the typed payload does not model: which go on, which are refused, and why.

Read in botocore 1.44.8's description of `bedrock-runtime` and in Bedrock's user guide, in November 2026. docs/extras.md is made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llm_mesh_dialects.allowing import KeyRule, Table, costly, safe
from llm_mesh_dialects.bedrock.vocabulary import DIALECT

MODEL_FIELDS: Final = frozenset(
    {"thinking", "top_k", "reasoning_effort", "reasoningConfig", "seed", "frequency_penalty", "presence_penalty"}
)
"""Keys of `additionalModelRequestFields` that change neither the limit of the answer nor who charges for it."""
_INPUT: Final = safe("a part of the conversation; counted as input")
_UNBOUND: Final = costly("nothing bounds how many tokens it is counted as")
_HOSTED: Final = costly("the provider runs it, and charges for it apart from the limit of the answer")

_REQUEST: Final[Mapping[str, KeyRule]] = {
    "additionalModelRequestFields": safe("parameters of one model, within the limit of the answer", inner=MODEL_FIELDS),
    "additionalModelResponseFieldPaths": safe("names fields of the model's own answer"),
    "requestMetadata": safe("labels for the provider's records"),
    "promptVariables": safe("values for a prompt that the provider keeps; counted as input"),
    "outputConfig": safe("form and effort of the answer, within its limit", inner=("effort", "textFormat")),
    "guardrailConfig": costly("screening by the provider is charged by the text that it reads; the operator can set it at the endpoint"),
    "serviceTier": costly("another tier has other prices", idle=({"type": "default"},)),
    "performanceConfig": costly("a faster mode has other prices", idle=({"latency": "standard"},)),
    "projectIdentifier": costly("it charges or attributes the request elsewhere than was reserved"),
}
_PARTS: Final[Mapping[str, KeyRule]] = {
    "part.context": safe("says what a document is about; counted as input"),
    "part.citations": safe("asks for citations, which count as output"),
    **dict.fromkeys(("part_type.guardContent", "part_type.searchResult", "part_type.citationsContent", "part_type.json"), _INPUT),
    **dict.fromkeys(("part_type.toolAddition", "part_type.toolRemoval", "part_type.cachePoint"), _INPUT),
    **dict.fromkeys(("part_type.toolUse", "part_type.toolResult"), safe("what a tool of the provider did; counted as input")),
    **dict.fromkeys(("part_type.video", "part_type.audio", "part_type.image", "part_type.document"), _UNBOUND),
    "tool_type.cachePoint": _INPUT,
    "tool_type.systemTool": _HOSTED,
}
_EMBEDDINGS: Final[Mapping[str, KeyRule]] = {
    "embedding.input_type": safe("what the vectors are for"),
    "embedding.truncate": safe("what happens to texts that are too long"),
    "embedding.normalize": safe("whether vectors have the length 1"),
}

TABLE: Final = Table(DIALECT, {**_REQUEST, **_PARTS, **_EMBEDDINGS})
"""All keys, by name."""
