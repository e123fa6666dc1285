"""Server-sent events do not depend on how they are split."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh_adapter_kit.framing import Frame, FrameTooLargeError
from llm_mesh_adapter_kit.sse import EventParser

LINES = st.sampled_from(
    ["data: one", "data:two", "data: ü€😀", "data", "data:  two spaces", "event: ping", ": comment", "id: 7", "odd", "", "", ""]
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def parsed(pieces: list[bytes]) -> list[Frame]:
    parser = EventParser()
    return [event for piece in pieces for event in parser.feed(piece)]


@given(st.lists(st.tuples(LINES, ENDS), max_size=30), st.lists(st.integers(0, 400), max_size=20), st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_the_events_are_the_same_at_every_split(lines: list[tuple[str, str]], cuts: list[int], mark: bytes) -> None:
    raw = mark + "".join(line + end for line, end in lines).encode()
    places = sorted({min(cut, len(raw)) for cut in cuts} | {0, len(raw)})
    pieces = [raw[a:b] for a, b in itertools.pairwise(places)]
    assert parsed(pieces) == parsed([raw]) == parsed([raw[index : index + 1] for index in range(len(raw))])


def test_an_event_has_its_lines_and_its_name() -> None:
    assert parsed([b"event: add\ndata: 1\ndata: 2\n\ndata: 3\n\ndata: never ended"]) == [(b"1\n2", "add"), (b"3", "")]


def test_a_carriage_return_ends_an_event_without_waiting_for_more() -> None:
    assert parsed([b"data: 1\r\r"]) == [(b"1", "")]


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 50, b"data: " + b"x" * 50 + b"\n"])
def test_an_event_without_an_end_is_refused(piece: bytes) -> None:
    parser = EventParser(most_bytes=200)
    with pytest.raises(FrameTooLargeError):
        feed_often(parser, piece)


def feed_often(parser: EventParser, piece: bytes) -> None:
    for _ in range(10):
        parser.feed(piece)


def test_an_event_of_endless_lines_costs_no_more_with_each() -> None:
    """What was read once is not joined again: the parser holds no more unread bytes than a page."""
    parser = EventParser()
    for _ in range(20_000):
        parser.feed(b"data: x\n")
    assert parser._held <= 8 * 1024
    assert [data.count(b"x") for data, _ in parser.feed(b"\n")] == [20_000]
