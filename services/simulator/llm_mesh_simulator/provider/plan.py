"""The course of a delivery as a list of steps: what is sent when, and where it goes wrong. Pure, so that it can be read and tested."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from llm_mesh_simulator.domain.behaviour import Behaviour, Fault
from llm_mesh_simulator.provider import quirks
from llm_mesh_simulator.provider.bedrock.frames import damaged
from llm_mesh_simulator.provider.reply import Reply, Stream


class Action(Enum):
    """What a step does."""

    START = "start"
    """Sends status and headers."""
    WRITE = "write"
    RAW = "raw"
    """Sends bytes past HTTP."""
    STALL = "stall"
    END = "end"
    """Ends the body in good order."""
    RESET = "reset"
    HANGUP = "hangup"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `due` is in seconds from the arrival; a step that is late happens at once."""

    action: Action
    due: float = 0
    data: bytes = b""
    tokens: int = 0
    """How many tokens have gone out after this step."""


_BEFORE_HEADERS: Final = {
    Fault.RESET: (Step(Action.RESET),),
    Fault.HANGUP: (Step(Action.HANGUP),),
    Fault.NOT_HTTP: (Step(Action.RAW, data=b"simulated bytes that are not HTTP\r\n\r\n"), Step(Action.HANGUP)),
}
_BREAKS: Final = {
    Fault.MID_STALL: Action.STALL,
    Fault.MID_RESET: Action.RESET,
    Fault.MID_HANGUP: Action.HANGUP,
    Fault.MID_ERROR: Action.END,
    Fault.TRUNCATE: Action.END,
}
_BATCH: Final = 65536


def plan(reply: Reply, behaviour: Behaviour) -> list[Step]:
    """The steps of a delivery, the last of which ends it."""
    early = _BEFORE_HEADERS.get(behaviour.fault)
    if early is not None:
        return list(early)
    body = _stream(reply.body, behaviour) if isinstance(reply.body, Stream) else _document(reply.body, reply.tokens, behaviour)
    first = body[0].due
    headers = first if behaviour.headers_ms is None else behaviour.headers_ms / 1000
    steps = [Step(Action.START, headers), *_batched(body)]
    if behaviour.fault is Fault.STALL:
        steps.insert(0, Step(Action.STALL))
    elif behaviour.fault is Fault.OK_STALL:
        steps.insert(1, Step(Action.STALL))
    return steps


def body_length(steps: Sequence[Step]) -> int:
    """How many bytes of body the steps send."""
    return sum(len(step.data) for step in steps if step.action is Action.WRITE)


def _stream(stream: Stream, behaviour: Behaviour) -> list[Step]:
    fault, ttft = behaviour.fault, behaviour.ttft_ms / 1000
    interval = 1 / behaviour.rate if behaviour.rate else 0.0
    behaviour = replace(behaviour, wire=frozenset()) if stream.binary else behaviour
    steps = [_event(data, behaviour, ttft) for data in stream.opening]
    if fault is Fault.EMPTY:
        return [Step(Action.END, ttft)]
    pieces = list(stream.pieces)
    breaks = min(behaviour.after, len(pieces)) if fault in _BREAKS or fault is Fault.MALFORMED else None
    for number, piece in enumerate(pieces):
        if number == breaks:
            steps += _broken(stream, behaviour, ttft + number * interval, number, piece)
        steps.append(_event(piece, behaviour, ttft + number * interval, number + 1, first=number == 0))
    last = ttft + max(0, len(pieces) - 1) * interval
    if breaks == len(pieces):
        steps += _broken(stream, behaviour, last, len(pieces), stream.end)
    steps += [_event(data, behaviour, last, len(pieces)) for data in stream.closing]
    if fault is not Fault.NO_DONE:
        steps.append(_event(stream.end, behaviour, last, len(pieces)))
    steps.append(Step(Action.END, last, tokens=len(pieces)))
    return _until_broken(steps, behaviour)


def _broken(stream: Stream, behaviour: Behaviour, due: float, tokens: int, piece: bytes) -> list[Step]:
    """What happens in the middle of a stream."""
    if behaviour.fault is Fault.MALFORMED:
        if stream.binary:
            return [_event(damaged(piece or stream.end), behaviour, due, tokens)]
        half = (piece or stream.end).rstrip(b"\n")
        return [_event(half[: max(len(half) * 2 // 3, 8)] + b"\n\n", behaviour, due, tokens)]
    broken = [_event(stream.error, behaviour, due, tokens)] if behaviour.fault is Fault.MID_ERROR else []
    return [*broken, Step(_BREAKS[behaviour.fault], due, tokens=tokens)]


def _document(body: bytes, tokens: int, behaviour: Behaviour) -> list[Step]:
    fault = behaviour.fault
    due = behaviour.ttft_ms / 1000 + (tokens / behaviour.rate if behaviour.rate else 0)
    body = quirks.document(body, behaviour.wire)
    half = len(body) // 2
    if fault is Fault.EMPTY:
        return [Step(Action.END, due)]
    if fault in {Fault.MALFORMED, Fault.TRUNCATE}:
        return [Step(Action.WRITE, due, body[:half], tokens), Step(Action.END, due, tokens=tokens)]
    rest = [Step(Action.WRITE, due, body[half:], tokens), Step(Action.END, due, tokens=tokens)]
    if fault in _BREAKS:
        # JSON knows no error event, so that a failure in the middle of it is a lost connection.
        action = Action.HANGUP if fault is Fault.MID_ERROR else _BREAKS[fault]
        steps = [Step(Action.WRITE, due, body[:half]), Step(action, due), *rest]
        return _until_broken(steps, behaviour)
    return [Step(Action.WRITE, due, body[:half]), *rest]


def _event(data: bytes, behaviour: Behaviour, due: float, tokens: int = 0, *, first: bool = False) -> Step:
    return Step(Action.WRITE, due, quirks.events(data, behaviour.wire, first=first) if data and behaviour.wire else data, tokens)


def _until_broken(steps: list[Step], behaviour: Behaviour) -> list[Step]:
    """The steps up to the one after which nothing can follow."""
    stops = {Action.RESET, Action.HANGUP, Action.END}
    ends = next((number for number, step in enumerate(steps) if step.action in stops), len(steps) - 1)
    remaining = steps[: ends + 1]
    if behaviour.fault is Fault.MID_STALL and not behaviour.stall_ms:
        stall = next(number for number, step in enumerate(remaining) if step.action is Action.STALL)
        remaining = [*remaining[: stall + 1], Step(Action.HANGUP, tokens=remaining[stall].tokens)]
    return remaining


def _batched(steps: Sequence[Step]) -> list[Step]:
    """Joins writes that are due together, so that an unlimited rate costs few writes."""
    joined: list[Step] = []
    parts: list[bytes] = []
    size = 0
    for number, step in enumerate(steps):
        parts.append(step.data)
        size += len(step.data)
        following = steps[number + 1] if number + 1 < len(steps) else None
        both = step.action is Action.WRITE and following is not None and following.action is Action.WRITE
        if both and following is not None and following.due == step.due and size < _BATCH:
            continue
        joined.append(Step(step.action, step.due, b"".join(parts), step.tokens))
        parts, size = [], 0
    return joined
