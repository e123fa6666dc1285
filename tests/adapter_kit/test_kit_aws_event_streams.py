"""AWS's event streams are read alike however they are cut, and what is no frame of them is refused with a reason."""

from __future__ import annotations

import json
import random
import struct
from binascii import crc32

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh_adapter_kit.event_stream import EVENT_STREAM, FAILURE, EventStreamParser
from llm_mesh_adapter_kit.framing import Frame, FrameTooLargeError, FramingError
from tests.adapter_kit.aws_frames import event, failure, frame, framed

VALUES = ({"role": "assistant"}, {"delta": {"text": "Grüße"}, "contentBlockIndex": 0, "p": "abc"}, {"stopReason": "end_turn"})
STREAM = b"".join(event(f"kind{number}", value) for number, value in enumerate(VALUES)) + failure(
    "throttlingException", {"message": "slow"}
)
FRAMES = [*((json.dumps(value, ensure_ascii=False).encode(), f"kind{number}") for number, value in enumerate(VALUES))]
FRAMES.append((b'{"message": "slow"}', FAILURE + "throttlingException"))


def read(*pieces: bytes, most: int = 4096) -> list[Frame]:
    parser = EventStreamParser(most)
    frames = [each for piece in pieces for each in parser.feed(piece)]
    return frames + parser.rest()


def test_a_stream_is_the_same_wherever_it_is_cut() -> None:
    for position in range(len(STREAM) + 1):
        assert read(STREAM[:position], STREAM[position:]) == FRAMES, position


def test_a_stream_is_the_same_in_pieces_of_every_size() -> None:
    for size in range(1, len(STREAM)):
        assert read(*(STREAM[at : at + size] for at in range(0, len(STREAM), size))) == FRAMES, size


def test_frames_are_the_ones_that_botocore_reads() -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(STREAM)
    assert [message.payload for message in buffer] == [data for data, _ in FRAMES]


def test_no_changed_byte_goes_unnoticed() -> None:
    for position in range(len(STREAM)):
        changed = bytearray(STREAM)
        changed[position] ^= 0x40
        with pytest.raises(FramingError):
            read(bytes(changed))


def test_a_frame_that_is_not_whole_is_told_at_the_end() -> None:
    whole = event("a", {})
    for size in range(1, len(whole)):
        with pytest.raises(FramingError, match="within a frame"):
            read(whole[:size])


def test_a_large_frame_is_refused_by_its_length_before_it_comes() -> None:
    lengths = struct.pack(">II", 5_000, 0)
    with pytest.raises(FrameTooLargeError):
        EventStreamParser(4096).feed(lengths + struct.pack(">I", crc32(lengths)))


def test_a_broken_length_is_not_waited_for() -> None:
    lengths = struct.pack(">II", 5_000, 0)
    with pytest.raises(FramingError, match="ChecksumMismatch"):
        EventStreamParser(4096).feed(lengths + struct.pack(">I", crc32(lengths) ^ 1))


def _short() -> bytes:
    lengths = struct.pack(">II", 12, 0)
    return lengths + struct.pack(">I", crc32(lengths))


WRONG = {
    "shorter than its lengths": _short(),
    "no type": frame(b"{}", {":content-type": "application/json"}),
    "an unknown sort": frame(b"{}", {":message-type": "telegram", ":event-type": "x"}),
    "an event without a name": frame(b"{}", {":message-type": "event"}),
    "an empty name": frame(b"{}", {":message-type": "event", ":event-type": ""}),
    "the name of the other sort": frame(b"{}", {":message-type": "event", ":exception-type": "x"}),
    "another content": frame(b"<a/>", {":message-type": "event", ":event-type": "x", ":content-type": "application/xml"}),
    "headers of an unknown type": framed(b"\x01a\x63", b"{}"),
    "headers that end early": framed(b"\x09abc", b"{}"),
    "headers that are no UTF-8": framed(b"\x01a\x07\x00\x01\xff", b"{}"),
    "a header twice": framed(b"\x01a\x07\x00\x01b" * 2, b"{}"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_what_is_no_frame_is_refused(wrong: bytes) -> None:
    parser = EventStreamParser(4096)
    assert parser.feed(event("a", {})) == [(b"{}", "a")]
    with pytest.raises(FramingError):
        parser.feed(wrong)


def test_a_failure_of_the_connection_has_its_words_in_the_headers() -> None:
    wire = frame(b"", {":message-type": "error", ":error-code": "InternalError", ":error-message": "broke"})
    assert read(wire) == [(b'{"message": "broke"}', FAILURE + "InternalError")]


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_any_payloads_come_out_of_any_cuts(payloads: list[bytes], chance: random.Random) -> None:
    wire = b"".join(frame(each, {":message-type": "event", ":event-type": "e"}) for each in payloads)
    cuts = sorted(chance.randrange(len(wire)) for _ in range(4))
    pieces = [wire[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    assert [data for data, _ in read(*pieces)] == payloads


def test_a_whole_body_is_a_stream_where_it_says_so() -> None:
    assert EVENT_STREAM.recognises("application/vnd.amazon.eventstream", b"")
    assert not EVENT_STREAM.recognises("application/json", STREAM)
