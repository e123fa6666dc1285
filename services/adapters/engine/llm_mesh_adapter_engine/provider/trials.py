"""Tokenizers that engines hand out are tried in a child process before they are loaded: one may be giant, or take for ever."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_engine.provider import template_words as words
from llm_mesh_adapter_engine.provider.templates import ChildProcesses
from llm_mesh_adapter_kit.errors import AdapterError, malformed
from llm_mesh_runtime.confined.limits import LimitReachedError, ProcessLimits

TOKENIZER_PROGRAM: Final = "llm_mesh_adapter_engine.provider.tokenizer_program:answer"
TOKENIZER_LIMITS: Final = ProcessLimits(cpu=10.0, wall=60.0, memory=2 * 1024 * 1024 * 1024)
_LIMITS: Final[Mapping[str, str]] = {
    "cpu": "takes more CPU time than a tokenizer may",
    "time": "was not tried in time",
    "memory": "takes more memory than a tokenizer may",
    "depth": "is nested too deeply",
}


class TokenizerTrial:
    """Tries tokenizers of all endpoints."""

    def __init__(self, processes: ChildProcesses) -> None:
        self._processes = processes

    async def check(self, endpoint: str, vocabulary: bytes) -> None:
        """PROVIDER_MALFORMED where it cannot be loaded, or uses more than a tokenizer may."""
        try:
            word, *rest = await self._processes.run(endpoint, [vocabulary])
        except LimitReachedError as error:
            text = f"endpoint {endpoint}: its tokenizer {_LIMITS.get(error.limit, 'takes more than a tokenizer may')}"
            reason = errors_pb2.ERROR_REASON_PROVIDER_MALFORMED
            raise AdapterError(reason, text, endpoint=endpoint, limit=error.limit, sent="false") from error
        if word != words.OK:
            raise malformed(endpoint, f"its tokenizer.json is none: {b' '.join(rest).decode(errors='replace')}")
