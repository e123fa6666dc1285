"""The keys of the Gemini dialect that the typed payload does not model: which go on, which are refused, and why.

Read in google-genai 3.6.1 and in Google's API reference, in November 2026. docs/extras.md is made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llm_mesh_dialects.allowing import KeyRule, Table, costly, dropped, safe
from llm_mesh_dialects.gemini.vocabulary import DIALECT

_HISTORY: Final = safe("a part of an earlier turn, sent back as it came; counted as input")
_HOSTED: Final = costly("the provider runs it, and charges for it apart from the limit of the answer")
_CHOICE: Final = ("mediaResolution", "thinkingConfig", "audioTimestamp", "enableEnhancedCivicAnswers")
_FORM: Final = ("responseMimeType", "responseSchema", "responseJsonSchema")
_LOW_OR_MEDIUM: Final = ("MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM")
_ANY_RESOLUTION: Final = "MEDIA_RESOLUTION_UNSPECIFIED"
_FINER: Final = "a medium that is read more finely than usual has several times the tokens that are reserved"

_REQUEST: Final[Mapping[str, KeyRule]] = {
    "safetySettings": safe("says what the provider withholds"),
    "generationConfig": safe("form of the answer, within its limit", inner=(*_CHOICE, *_FORM, "speechConfig")),
    "generationConfig.mediaResolution": costly(_FINER, harmless=_LOW_OR_MEDIUM, idle=(_ANY_RESOLUTION,)),
    "toolConfig": safe("how functions are called", inner=("functionCallingConfig", "retrievalConfig")),
    "labels": safe("labels of the request in the bill of the mesh's own account"),
    "cachedContent": costly("what stands in the cache is input that was not reserved"),
    "serviceTier": costly("another tier has other prices", idle=("STANDARD", "standard", "UNSPECIFIED")),
    "store": costly("the provider keeps content for longer than was admitted", harmless=(False,)),
    "modelArmorConfig": costly("it is charged apart, and screening is for policy to choose"),
    "continuationToken": costly("it goes on with an answer that was not reserved"),
    "modelSelectionConfig": costly("it lets the provider choose another model than the plan, at another price"),
    "modalities.image": costly("images are charged otherwise than text"),
}
_PARTS: Final[Mapping[str, KeyRule]] = {
    "part.videoMetadata": safe("which part of a video is read; more frames a second are more tokens", inner=("startOffset", "endOffset")),
    "part.mediaResolution": costly(_FINER, harmless=[{"level": level} for level in _LOW_OR_MEDIUM], idle=({"level": _ANY_RESOLUTION}, {})),
    "part.partMetadata": safe("a label of the part"),
    "part.displayName": safe("the name of a file"),
    "part.functionResponse": safe("how the answer of a function is delivered", inner=("willContinue", "scheduling")),
    **dict.fromkeys(("part_type.executableCode", "part_type.codeExecutionResult"), _HISTORY),
    **dict.fromkeys(("part_type.toolCall", "part_type.toolResponse"), _HISTORY),
}
_TOOLS: Final[Mapping[str, KeyRule]] = {
    "tool.behavior": safe("whether a function blocks the answer"),
    "tool.response": safe("the schema of what a function answers; counted as input"),
    "tool.responseJsonSchema": safe("the schema of what a function answers; counted as input"),
    "tool_type.computerUse": safe("the application runs it"),
    **dict.fromkeys(("tool_type.googleSearch", "tool_type.googleSearchRetrieval", "tool_type.googleMaps"), _HOSTED),
    **dict.fromkeys(("tool_type.urlContext", "tool_type.codeExecution", "tool_type.fileSearch", "tool_type.retrieval"), _HOSTED),
    **dict.fromkeys(("tool_type.enterpriseWebSearch", "tool_type.parallelAiSearch", "tool_type.exaAiSearch"), _HOSTED),
    "tool_type.mcpServers": _HOSTED,
}
_EMBEDDINGS: Final[Mapping[str, KeyRule]] = {
    "embedding.taskType": safe("what the vectors are for"),
    "embedding.title": safe("the title of a document; counted as input"),
    "embedding.autoTruncate": safe("what happens to a text that is too long"),
    "embedding.documentOcr": dropped("the mesh does not know what it costs; the operator can allow it at the endpoint"),
}

TABLE: Final = Table(DIALECT, {**_REQUEST, **_PARTS, **_TOOLS, **_EMBEDDINGS})
"""All keys, by name. The key that an opaque part or tool consists of stands for its type."""
