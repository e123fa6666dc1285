"""Messages as server-sent events."""

from collections.abc import Sequence
from typing import Final

import orjson

from llm_mesh_simulator.domain.answer import SimulatedAnswer
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.provider.anthropic.errors import STREAM_ERROR
from llm_mesh_simulator.provider.anthropic.message import MessageForm, call_id, cumulative, iterations, starting_usage, stop, thinking
from llm_mesh_simulator.provider.reply import AnswerIdentity, Stream

_PING: Final = b'event: ping\ndata: {"type": "ping"}\n\n'
_STOP: Final = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def event(name: str, fields: dict[str, object]) -> bytes:
    """One event; its name stands in the line before and in the data."""
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps({"type": name, **fields}) + b"\n\n"


def events(model: str, answer: SimulatedAnswer, behaviour: Behaviour, form: MessageForm, identity: AnswerIdentity) -> Stream:
    """The answer to a request with `stream`."""
    choice = answer.choices[0]
    start: dict[str, object] = {
        "id": "msg_" + identity.number,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }
    if answer.usage is not None:
        start["usage"] = starting_usage(answer.usage)
    blocks = _Blocks()
    if form.context is not None and form.context.compacted:
        blocks.compact(form.context.block)
    if choice.reasoning:
        shown, proof = thinking(choice, form)
        deltas = [_delta(blocks.index, "thinking_delta", "thinking", each) if shown else b"" for each in choice.reasoning]
        sign = _delta(blocks.index, "signature_delta", "signature", proof)
        blocks.add({"type": "thinking", "thinking": "", "signature": ""}, deltas, sign)
    if choice.text:
        blocks.add({"type": "text", "text": ""}, _deltas(blocks.index, "text_delta", "text", choice.text))
    for call in choice.calls:
        block: dict[str, object] = {"type": "tool_use", "id": call_id(call), "name": call.name, "input": {}}
        blocks.add(block, _deltas(blocks.index, "input_json_delta", "partial_json", call.arguments))
    last: dict[str, object] = {"delta": stop(choice, behaviour)}
    if answer.usage is not None:
        last["usage"] = {**cumulative(answer.usage), **iterations(answer.usage, form)}
    if form.context is not None:
        last["context_management"] = form.context.response
    opening = [event("message_start", {"message": start}), *([] if blocks.pieces else [_PING])]
    return Stream(opening, blocks.pieces, [blocks.closing + event("message_delta", last)], _STOP, STREAM_ERROR)


class _Blocks:
    """Content blocks in order; what opens and closes one travels with the tokens beside it."""

    def __init__(self) -> None:
        self.index = 0
        self.pieces: list[bytes] = []
        self.closing = b""

    def compact(self, block: dict[str, object]) -> None:
        """The block that stands for what was compacted: it comes at once, before the first token."""
        delta = {"type": "compaction_delta", "content": block["content"], "encrypted_content": block["encrypted_content"]}
        self.closing += event("content_block_start", {"index": self.index, "content_block": {"type": "compaction", "content": None}})
        self.closing += event("content_block_delta", {"index": self.index, "delta": delta})
        self.closing += event("content_block_stop", {"index": self.index})
        self.index += 1

    def add(self, block: dict[str, object], deltas: Sequence[bytes], sign: bytes = b"") -> None:
        opening = self.closing + event("content_block_start", {"index": self.index, "content_block": block})
        # The first block is followed by a ping, as it is at the real one.
        opening += b"" if self.pieces else _PING
        self.pieces.append(opening + deltas[0])
        self.pieces.extend(deltas[1:])
        self.closing = sign + event("content_block_stop", {"index": self.index})
        self.index += 1


def _delta(index: int, kind: str, field: str, token: str) -> bytes:
    return event("content_block_delta", {"index": index, "delta": {"type": kind, field: token}})


def _deltas(index: int, kind: str, field: str, tokens: Sequence[str]) -> list[bytes]:
    head = f'event: content_block_delta\ndata: {{"type":"content_block_delta","index":{index},"delta":{{"type":"{kind}","{field}":'.encode()
    return [head + orjson.dumps(token) + b"}}\n\n" for token in tokens]
