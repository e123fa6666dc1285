"""What a request wants done with a long conversation: tool results and thinking that are cleared, and a compaction of everything."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.answer import Usage
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.provider.fields import RequestFields

_CLEARS: Final = {
    "clear_tool_uses_20250919": ("tool_result", "cleared_tool_uses", 3),
    "clear_thinking_20251015": ("thinking", "cleared_thinking_turns", 1),
}
"""By kind of edit: which blocks it clears, how it counts them, and how many it keeps unless the request says otherwise."""
_COMPACT: Final = "compact_20260112"
_TRIGGER: Final = 150_000
SUMMARY: Final = "A summary of what was said before."
_PER_BLOCK: Final = 10

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ContextEdits:
    """What was done with the conversation."""

    applied: tuple[Block, ...] = ()
    compacted: int = 0
    """How many tokens were read to compact the conversation. 0: it was not."""

    @property
    def response(self) -> Block:
        """As the answer tells it."""
        return {"applied_edits": list(self.applied)}

    @property
    def block(self) -> Block:
        """The block that stands for what was compacted."""
        proof = sha256(f"compaction\0{self.compacted}".encode()).hexdigest()
        return {"type": "compaction", "content": SUMMARY, "encrypted_content": proof}

    def iterations(self, used: Usage) -> list[Block]:
        """The parts of the bill: the compaction, which is in no sum, and the message."""
        written = used.written + used.written_hour
        compaction = _part("compaction", self.compacted, tokens.count(SUMMARY))
        message = _part("message", max(0, used.prompt - used.cached - written), used.completion)
        return [compaction, {**message, "cache_read_input_tokens": used.cached, "cache_creation_input_tokens": written}]


def _part(kind: str, read: int, output: int) -> Block:
    return {"type": kind, "input_tokens": read, "output_tokens": output, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}


def edits(body: RequestFields, prompt_tokens: int) -> ContextEdits | None:
    """What a request makes of its conversation; None where it says nothing of it."""
    management = body.member("context_management")
    if management is None:
        return None
    applied: list[Block] = []
    compacted = 0
    for edit in management.objects("edits"):
        kind = edit.text("type")
        if kind == _COMPACT:
            compacted = prompt_tokens if prompt_tokens >= _value(edit, "trigger", _TRIGGER) else 0
        elif kind in _CLEARS:
            block, count, usual = _CLEARS[kind]
            cleared = _count(body, block) - _value(edit, "keep", usual)
            if cleared > 0:
                applied.append({"type": kind, count: cleared, "cleared_input_tokens": cleared * _PER_BLOCK})
        else:
            known = ", ".join(f"'{each}'" for each in (*_CLEARS, _COMPACT))
            raise RefusedError(f"{edit.path('type')}: Input tag '{kind}' does not match any of the expected tags: {known}")
    return ContextEdits(tuple(applied), compacted)


def _value(edit: RequestFields, key: str, usual: int) -> int:
    fields = edit.member(key) if isinstance(edit.values.get(key), dict) else None
    value = fields.integer("value") if fields is not None else None
    return usual if value is None else value


def _count(body: RequestFields, kind: str) -> int:
    """How many blocks of a kind the conversation has."""
    messages = [message for message in body.objects("messages") if isinstance(message.values.get("content"), list)]
    return sum(block.values.get("type") == kind for message in messages for block in message.objects("content"))
