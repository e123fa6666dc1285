"""Chat templates, as the models' makers write them for transformers.

Engines hand them out, and they are programs: they run in child processes with limits, so that one that loops or makes a giant text costs
the requests of its own endpoint, and nobody else waits for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import orjson

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_engine.provider import template_words as words
from llm_mesh_adapter_kit.errors import AdapterError, malformed
from llm_mesh_runtime.confined.limits import LimitReachedError
from llm_mesh_runtime.errors import MeshError, invalid

PROGRAM: Final = "llm_mesh_adapter_engine.provider.template_program:answer"
_PREAMBLE: Final = 1024 * 1024
_TIMES: Final = 4
"""A prompt has at most so many times the bytes of its conversation, and a preamble."""
_LIMITS: Final[Mapping[str, str]] = {
    "cpu": "takes more CPU time than one prompt may",
    "time": "was not done in time",
    "memory": "takes more memory than one prompt may",
    "depth": "is nested too deeply, or calls itself without end",
    "size": f"makes a text of more than {_TIMES} times the conversation and {_PREAMBLE} bytes",
}


class ChildProcesses(Protocol):
    """Runs a program where it can do no harm, and shares the work fairly among endpoints."""

    async def run(self, owner: str, parts: Sequence[bytes]) -> list[bytes]:
        """The program's answer. Raises `LimitReachedError`, or OVERLOADED where too much of the owner waits."""


class ChatTemplate:
    """One template. `special` are the special tokens that it may name, such as `bos_token`."""

    def __init__(self, text: str, special: Mapping[str, str]) -> None:
        self.source = text.encode(errors="replace")
        self.digest = hashlib.sha256(self.source).digest()
        self.special = special


class TemplateRenderer:
    """Writes the prompts of all endpoints."""

    def __init__(self, processes: ChildProcesses) -> None:
        self._processes = processes

    async def check(self, endpoint: str, template: ChatTemplate) -> None:
        """PROVIDER_MALFORMED where it cannot be compiled."""
        word, *rest = await self._run(endpoint, [words.CHECK, template.source])
        if word != words.OK:
            raise malformed(endpoint, f"its chat template is none: {_text(rest)}")

    async def render(
        self, endpoint: str, template: ChatTemplate | None, messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]], more: Mapping[str, Any],
    ) -> str:  # fmt: skip
        """The prompt, up to where the model speaks. INVALID_ARGUMENT where the template refuses the conversation."""
        if template is None:
            raise _refused("its tokenizer has no chat template; name one in the endpoint's chat_template")
        values = {
            **template.special,
            **more,
            "messages": messages,
            "tools": tools or None,
            "documents": None,
            "add_generation_prompt": True,
        }
        try:
            written = orjson.dumps(values)
        except TypeError:
            raise _refused("expected arguments and tools that are nested less deeply") from None
        call = [words.RENDER, template.digest, written, b"%d" % (_TIMES * len(written) + _PREAMBLE)]
        word, *rest = await self._run(endpoint, call)
        if word == words.UNKNOWN:
            word, *rest = await self._run(endpoint, [*call, template.source])
        if word == words.OK:
            return rest[0].decode()
        if word == words.LONG:
            raise _over(endpoint, "size")
        if word == words.REACHES:
            raise _refused("its chat template reaches for what it may not have")
        raise _refused(f"its chat template refuses the conversation: {_text(rest)}")

    async def _run(self, endpoint: str, parts: Sequence[bytes]) -> list[bytes]:
        try:
            return await self._processes.run(endpoint, parts)
        except LimitReachedError as error:
            raise _over(endpoint, error.limit) from error


def _refused(why: str) -> MeshError:
    """The caller's mistake."""
    return invalid("input.messages", why, sent="false")


def _over(endpoint: str, limit: str) -> AdapterError:
    """The template used more than a prompt may: the endpoint is of no use for the request, others may be."""
    text = f"endpoint {endpoint}: its chat template {_LIMITS.get(limit, 'takes more than one prompt may')}"
    return AdapterError(errors_pb2.ERROR_REASON_PROVIDER_MALFORMED, text, endpoint=endpoint, limit=limit, sent="false")


def _text(parts: Sequence[bytes]) -> str:
    return b" ".join(parts).decode(errors="replace")
