"""Every framing: what came whole before damage in the same read is told, wherever the bytes are cut, and damage is always an error."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

import llm_mesh_adapter_kit
from llm_mesh_adapter_kit.either_framing import EITHER
from llm_mesh_adapter_kit.event_stream import EventStreamParser
from llm_mesh_adapter_kit.framing import Frame, FrameParser, FramingError
from llm_mesh_adapter_kit.json_array import EVENTS_OR_ARRAY, JsonArrayParser
from llm_mesh_adapter_kit.ndjson import LineParser
from llm_mesh_adapter_kit.rpc.framing import RpcParser, framed
from llm_mesh_adapter_kit.sse import EventParser
from tests.adapter_kit.aws_frames import frame

_MOST = 200
_LONG = b"x" * (_MOST + 1)
_ITEMS = [b'{"number":%d}' % number for number in range(3)]


@dataclass(frozen=True)
class Damaged:
    """Frames, and what no frame can be behind them."""

    parser: Any
    good: bytes
    bad: bytes
    frames: int = len(_ITEMS)


def _aws() -> bytes:
    return b"".join(map(_frame, _ITEMS))


def _frame(payload: bytes) -> bytes:
    return frame(payload, {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"})


def _flipped(whole: bytes) -> bytes:
    return whole[:-1] + bytes([whole[-1] ^ 1])


_EVENTS = b"".join(b"data: " + each + b"\n\n" for each in _ITEMS)
_NAMED = b"".join(b"event: e\ndata: " + each + b"\n\n" for each in _ITEMS)
_ARRAY = b"[" + b",".join(_ITEMS)
DAMAGED: Mapping[str, Damaged] = {
    "events, one too long": Damaged(lambda: EventParser(_MOST), _EVENTS, b"data: " + _LONG + b"\n\n"),
    "events, one without an end": Damaged(lambda: EventParser(_MOST), _EVENTS, b"data: " + _LONG),
    "events, of many lines": Damaged(lambda: EventParser(_MOST), _NAMED, b"data: 0123456789\n" * 30 + b"\n"),
    "events, with carriage returns": Damaged(lambda: EventParser(_MOST), _EVENTS.replace(b"\n", b"\r"), b"data: " + _LONG + b"\r\r"),
    "lines, one without an end": Damaged(lambda: LineParser(_MOST), b"\n".join([*_ITEMS, b""]), _LONG),
    "an array, with something else in it": Damaged(JsonArrayParser, _ARRAY, b",1]"),
    "an array, with something behind it": Damaged(JsonArrayParser, _ARRAY, b"] x"),
    "an array, with an item without an end": Damaged(lambda: JsonArrayParser(_MOST), _ARRAY, b',{"a":"' + _LONG),
    "an array, with too many items": Damaged(lambda: JsonArrayParser(most_items=3), _ARRAY, b",{},{}]"),
    "events or an array": Damaged(EVENTS_OR_ARRAY.parser, _ARRAY, b",1]"),
    "an event stream, with a wrong checksum": Damaged(EventStreamParser, _aws(), _flipped(_frame(b"{}"))),
    "events or an event stream": Damaged(EITHER.parser, _aws(), _flipped(_frame(b"{}"))),
    "messages of gRPC, one with an unknown flag": Damaged(RpcParser, framed(*_ITEMS), b"\x02\x00\x00\x00\x00"),
    "messages of gRPC, one that is too long": Damaged(RpcParser, framed(*_ITEMS), b"\x00\xff\xff\xff\xff"),
    "messages of gRPC, the last one cut off": Damaged(RpcParser, framed(*_ITEMS), framed(b"{}")[:-1]),
    "an event stream, with a wrong length": Damaged(EventStreamParser, _aws(), b"\x00\x00\x00\x01" * 3),
}


def told(parser: FrameParser, *pieces: bytes) -> tuple[list[Frame], bool]:
    """All frames, those of the error too, and whether there was one."""
    frames: list[Frame] = []
    try:
        for piece in pieces:
            frames += parser.feed(piece)
        frames += parser.rest()
    except FramingError as error:
        return [*frames, *error.frames], True
    return frames, False


@pytest.mark.parametrize("name", DAMAGED)
def test_frames_before_damage_are_told_wherever_the_bytes_are_cut(name: str) -> None:
    case = DAMAGED[name]
    whole = case.good + case.bad
    expected, _ = told(case.parser(), case.good)
    assert [data for data, _ in expected] == _ITEMS
    for cut in range(len(whole) + 1):
        assert told(case.parser(), whole[:cut], whole[cut:]) == (expected, True), cut
    assert told(case.parser(), *(whole[place : place + 1] for place in range(len(whole)))) == (expected, True)


def test_every_framing_of_the_kit_is_here() -> None:
    every = pkgutil.walk_packages(llm_mesh_adapter_kit.__path__, "llm_mesh_adapter_kit.")
    modules = [importlib.import_module(each.name) for each in every]
    framings = {
        id(value): value
        for module in modules
        for value in vars(module).values()
        if not isinstance(value, type) and hasattr(type(value), "recognises") and hasattr(type(value), "media_types")
    }
    assert {type(each.parser()) for each in framings.values()} <= {type(case.parser()) for case in DAMAGED.values()}
