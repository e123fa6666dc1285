"""The keys of the OpenAI dialect that the typed payload does not model: which go on, which are refused, and why.

Read in OpenAI's API reference, and in the documents of OpenRouter, Groq, DeepSeek, Mistral, vLLM and llama.cpp, in November 2026.
docs/extras.md is made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llm_mesh_dialects.allowing import KeyRule, Table, costly, dropped, safe
from llm_mesh_dialects.openai.vocabulary import DIALECT

_SAMPLING: Final = safe("changes how tokens are chosen, not how many")
_REASONING: Final = safe("reasoning counts as output, within the limit of the answer")
_OUTPUT: Final = safe("changes what is written, within the limit of the answer")
_LABEL: Final = safe("a label for the provider's records")
_ROUTES: Final = costly("it lets the provider choose another model or host than the plan, at another price")
_SEARCH: Final = costly("searches are charged by the call, and what they find as input")
_HOSTED: Final = costly("the provider runs it, and charges for it apart from tokens")
_SERVER: Final = costly("it changes what the server makes of the request, beyond what was admitted")
_KEEPS: Final = "the provider keeps content for it, for longer than was admitted"
_HISTORY: Final = safe("a part of an earlier answer, sent back as it came")

_REQUEST: Final[Mapping[str, KeyRule]] = {
    "metadata": _LABEL,
    "safety_identifier": _LABEL,
    "verbosity": _OUTPUT,
    "stream_options": safe("how a stream is written", inner=("include_obfuscation",)),
    "response_format": safe("the schema of a JSON object", inner=("schema",)),
    "tool_choice": safe("chooses among the request's own tools", types=("allowed_tools", "custom")),
    "functions": safe("the older form of tools; counted as input"),
    "function_call": safe("the older form of a choice of tools"),
    "reasoning": safe("reasoning counts as output, within the limit of the answer", inner=("effort", "enabled", "exclude", "summary")),
    "reasoning_format": _REASONING,
    "include_reasoning": _REASONING,
    "prompt_mode": _REASONING,
    "min_tokens": _OUTPUT,
    "prompt_logprobs": _OUTPUT,
    "guardrails": _HOSTED,
    "enable_thinking": _REASONING,
    "thinking": safe("reasoning counts as output, within the limit of the answer", inner=("type",)),
    "usage": safe("asks for more detailed usage", inner=("include",)),
    **dict.fromkeys(("min_p", "top_a", "typical_p", "repetition_penalty", "repeat_penalty", "safe_prompt"), _SAMPLING),
    "service_tier": costly("another tier has other prices", idle=("auto", "default")),
    "store": costly(_KEEPS, harmless=(False,)),
    "background": costly(_KEEPS, idle=(False,)),
    "prompt_cache_retention": costly(_KEEPS, idle=("in_memory", "in-memory")),
    "prompt_cache_options": costly(_KEEPS),
    "web_search_options": _SEARCH,
    "search_parameters": _SEARCH,
    "web_search": _SEARCH,
    "plugins": _HOSTED,
    "prediction": costly("what a prediction gets wrong is charged as output beyond the limit of the answer"),
    "audio": costly("sound is priced apart from text"),
    "modalities": costly("output that is no text is priced apart from text", harmless=(["text"],)),
    **dict.fromkeys(("models", "route", "provider", "transforms", "preset", "fallbacks"), _ROUTES),
    "moderation": _HOSTED,
    "mcp_servers": _HOSTED,
    **dict.fromkeys(("chat_template", "chat_template_kwargs", "documents", "extra_body", "guided_*", "structured_outputs"), _SERVER),
    **dict.fromkeys(("mm_processor_kwargs", "add_generation_prompt", "continue_final_message", "lora", "ignore_eos"), _SERVER),
}
_MESSAGES: Final[Mapping[str, KeyRule]] = {
    **dict.fromkeys(("message.function_call", "message.reasoning_details", "message.annotations", "message.refusal"), _HISTORY),
    "message.prefix": _OUTPUT,
    "message.partial": _OUTPUT,
    **dict.fromkeys(("part.extra_content", "part.thought_signature", "part.provider_specific_fields"), _HISTORY),
    "part.cache_control": safe("writing a cache is priced, and reserved at that price", inner=("type", "ttl")),
    "part.prompt_cache_breakpoint": safe("writing a cache is priced, and reserved at that price"),
    "part.function": dropped("the typed payload has what a call consists of"),
    "part.image_url": dropped("the typed payload has what an image consists of"),
    "part_type.refusal": _HISTORY,
    "part_type.tool_call.custom": _HISTORY,
    "part_type.custom": _HISTORY,
}
_TOOLS: Final[Mapping[str, KeyRule]] = {
    "tool.cache_control": safe("writing a cache is priced, and reserved at that price", inner=("type", "ttl")),
    "tool_type.custom": safe("the application runs it"),
    **dict.fromkeys(("tool_type.web_search*", "tool_type.openrouter:web_search*"), _SEARCH),
    **dict.fromkeys(("tool_type.file_search", "tool_type.code_interpreter", "tool_type.image_generation", "tool_type.mcp"), _HOSTED),
    **dict.fromkeys(("tool_type.computer*", "tool_type.shell", "tool_type.programmatic_tool_calling", "tool_type.openrouter:*"), _HOSTED),
}
_EMBEDDINGS: Final[Mapping[str, KeyRule]] = {
    "embedding.encoding_format": safe("how vectors are written"),
    "embedding.input_type": safe("what the vectors are for"),
    "embedding.task": safe("what the vectors are for"),
    "embedding.truncate": safe("what happens to texts that are too long"),
    "embedding.truncation": safe("what happens to texts that are too long"),
    "embedding.safety_identifier": _LABEL,
    "embedding.service_tier": costly("another tier has other prices", idle=("auto", "default")),
    **dict.fromkeys(("embedding.models", "embedding.provider", "embedding.route"), _ROUTES),
}
_METHODS: Final[Mapping[str, KeyRule]] = {
    "rerank.truncation": safe("what happens to texts that are too long"),
    "rerank.truncate": safe("what happens to texts that are too long"),
    "rerank.raw_scores": safe("how scores are written"),
    "rerank.return_documents": dropped("documents are not sent back: the answer names them by their index"),
    "image.moderation": safe("how strictly the provider filters"),
    "image.safety_identifier": _LABEL,
    "image.response_format": safe("whether images come as bytes or as addresses"),
    "image.complexity": safe("planning counts as output"),
    "image.svg": costly("another model draws it, and is charged apart"),
    "image.frame_count": costly("each frame is charged as an image"),
    "image.partial_images": costly("each partial image is charged"),
    "image.input_fidelity": costly("more tokens are counted for each image that is read"),
    "image.frame_duration_ms": dropped("there is one frame"),
    "transcription.chunking_strategy": safe("how the sound is cut into pieces"),
    "transcription.include": safe("what the answer tells besides"),
    "speech.stream_format": dropped("the answer comes whole"),
    "decision.prompt_cache_options": safe("writing a cache is priced, and reserved at that price", inner=("mode", "ttl")),
}

TABLE: Final = Table(DIALECT, {**_REQUEST, **_MESSAGES, **_TOOLS, **_EMBEDDINGS, **_METHODS})
"""All keys, by name."""
