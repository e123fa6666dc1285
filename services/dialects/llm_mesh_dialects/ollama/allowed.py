"""The keys of Ollama's dialect that the typed payload does not model: which go on, which are refused, and why.

Read in Ollama's API reference and in its Python library 0.6.3, in November 2026. docs/extras.md is made of it. The options of a model
are judged one by one, by the names that begin with `options.`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llm_mesh_dialects.allowing import KeyRule, Table, costly, safe
from llm_mesh_dialects.ollama.vocabulary import DIALECT

_SAMPLING: Final = safe("changes how tokens are chosen, not how many")
_LOADS: Final = costly("it loads the model anew, in other memory, for all who use the server")
_KEEPS: Final = costly("it may unload the model, or hold it in memory for ever, for all who use the server")

_REQUEST: Final[Mapping[str, KeyRule]] = {
    "keep_alive": _KEEPS,
    "think": safe("reasoning counts as output, within the limit of the answer"),
    "truncate": safe("whether a conversation that is too long is cut, or refused"),
    "shift": safe("whether an answer may push out the begin of its conversation"),
    **dict.fromkeys(("options.min_p", "options.typical_p", "options.tfs_z", "options.repeat_penalty"), _SAMPLING),
    **dict.fromkeys(("options.repeat_last_n", "options.penalize_newline", "options.mirostat*", "options.num_keep"), _SAMPLING),
    **dict.fromkeys(("options.num_ctx", "options.num_batch", "options.num_gpu", "options.num_thread", "options.main_gpu"), _LOADS),
    **dict.fromkeys(("options.numa", "options.low_vram", "options.f16_kv", "options.use_mmap", "options.use_mlock"), _LOADS),
    **dict.fromkeys(("options.vocab_only", "options.logits_all", "options.embedding_only"), _LOADS),
}
_EMBEDDINGS: Final[Mapping[str, KeyRule]] = {
    "embedding.keep_alive": _KEEPS,
    "embedding.truncate": safe("whether texts that are too long are cut, or refused"),
}

TABLE: Final = Table(DIALECT, {**_REQUEST, **_EMBEDDINGS})
"""All keys, by name."""
