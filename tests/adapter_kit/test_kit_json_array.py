"""Streams that are one JSON array: the same frames wherever their bytes are cut, and an error for what is none."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh_adapter_kit.framing import FrameTooLargeError, FramingError
from llm_mesh_adapter_kit.json_array import EVENTS_OR_ARRAY, JsonArrayParser

ITEMS = [{"text": 'a "quoted" \\ [text] {of} 1'}, {}, {"deep": {"list": [[1, 2], {"x": "]}"}]}}, {"ü": "\\"}]
PLAIN = json.dumps(ITEMS, ensure_ascii=False, indent=2).encode()


def frames(parser: Any, *pieces: bytes) -> list[Any]:
    found = [frame for piece in pieces for frame in parser.feed(piece)]
    return [json.loads(data) for data, _ in [*found, *parser.rest()]]


def test_items_are_the_same_wherever_an_array_is_cut() -> None:
    for cut in range(len(PLAIN) + 1):
        assert frames(JsonArrayParser(), PLAIN[:cut], PLAIN[cut:]) == ITEMS, cut


def test_items_are_the_same_byte_by_byte() -> None:
    assert frames(EVENTS_OR_ARRAY.parser(), *(PLAIN[place : place + 1] for place in range(len(PLAIN)))) == ITEMS


VALUES = st.text(max_size=6) | st.lists(st.text('"\\\\[]{}ü', max_size=4), max_size=3)


@given(st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=3), max_size=3), st.lists(st.integers(0, 150), max_size=4))
def test_any_objects_come_out_of_any_pieces(items: list[dict[str, Any]], cuts: list[int]) -> None:
    text = json.dumps(items).encode()
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    assert frames(JsonArrayParser(), *(text[begin:end] for begin, end in pairwise(places))) == items


def test_an_item_is_told_before_the_array_ends() -> None:
    parser = JsonArrayParser()
    assert parser.feed(b'[{"a":1}') == [(b'{"a":1}', "")]
    assert parser.feed(b',\r\n{"b":') == []
    assert parser.feed(b"2}") == [(b'{"b":2}', "")]


@pytest.mark.parametrize("text", [b"]", b"[1]", b"[[{}]]", b'{"a":1}{"b":2}', b"[{}] x", b"<html>", b'"text"'])
def test_what_is_no_array_of_objects_is_refused(text: bytes) -> None:
    with pytest.raises(FramingError):
        JsonArrayParser().feed(text)


@pytest.mark.parametrize("text", [b'[{"a":1', b'[{"a":"\\', b'{"error"'])
def test_an_item_without_its_end_is_none(text: bytes) -> None:
    parser = JsonArrayParser()
    parser.feed(text)
    with pytest.raises(FramingError):
        parser.rest()


def test_an_item_without_an_end_in_sight_is_too_large() -> None:
    parser = JsonArrayParser(most_bytes=100)
    for piece in (b'[{"a":"', *[b"0123456789"] * 9):
        parser.feed(piece)
    with pytest.raises(FrameTooLargeError):
        parser.feed(b"0123456789")


def test_the_first_byte_tells_an_array_from_events() -> None:
    events = b"\xef\xbb\xbf: hello\n\ndata: {}\n\n"
    for size in (1, 2, 1000):
        parser = EVENTS_OR_ARRAY.parser()
        pieces = [events[place : place + size] for place in range(0, len(events), size)]
        assert frames(parser, *pieces) == [{}]
    assert frames(EVENTS_OR_ARRAY.parser(), b'\xef\xbb\xbf [{"a":1}]') == [{"a": 1}]
    assert frames(EVENTS_OR_ARRAY.parser(), b'{"error":{}}') == [{"error": {}}]


class Counted(bytearray):
    """Counts how often something moves or copies all that a parser holds."""

    moves = 0

    def __delitem__(self, place: Any) -> None:
        self.moves += 1
        super().__delitem__(place)

    def lstrip(self, signs: Any = None) -> bytearray:
        self.moves += 1
        return super().lstrip(signs)


def test_items_of_one_read_do_not_move_what_follows_them() -> None:
    parser = JsonArrayParser()
    held = parser._held = Counted()
    assert len(parser.feed(b"[" + b"{}, " * 1000)) == 1000
    assert held.moves == 1


@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf"])
def test_white_space_before_the_first_byte_is_not_held(begin: bytes) -> None:
    parser = EVENTS_OR_ARRAY.parser()
    for _ in range(100):
        assert parser.feed(begin + b" \r\n\t" * 1000) == []
        begin = b""
        assert sum(len(value) for value in vars(parser).values() if isinstance(value, bytes)) == 0
    assert frames(parser, b' [{"a":1}]') == [{"a": 1}]


def test_a_byte_order_mark_may_come_byte_by_byte() -> None:
    for parser in (JsonArrayParser(), EVENTS_OR_ARRAY.parser()):
        assert frames(parser, b"\xef", b"", b"\xbb", b"\xbf", b" ", b"[{}]") == [{}]


def test_items_have_a_bound_whether_they_come_at_once_or_one_by_one() -> None:
    for size in (3, 3000):
        parser = JsonArrayParser(most_items=1000)
        text = b"[" + b"{}," * 1000
        for place in range(0, len(text), size):
            parser.feed(text[place : place + size])
        with pytest.raises(FrameTooLargeError, match="more items"):
            parser.feed(b"{}")
