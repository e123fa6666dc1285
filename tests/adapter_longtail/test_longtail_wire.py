"""Frames come out alike however their bytes are cut, and what is none ends the process."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh_adapter_longtail.child.failing import failure
from llm_mesh_adapter_longtail.wire import LONGEST, FrameBuffer, FrameError, FrameKind, WireFrame, head_of, packed

FRAMES = st.lists(st.builds(WireFrame, st.sampled_from(FrameKind), st.integers(0, 2**32 - 1), st.binary(max_size=40)), max_size=5)


@given(FRAMES, st.integers(1, 9))
def test_frames_survive_every_cut(frames: list[WireFrame], step: int) -> None:
    data = b"".join(packed(*frame) for frame in frames)
    buffer = FrameBuffer()
    read = [frame for begin in range(0, len(data), step) for frame in buffer.feed(data[begin : begin + step])]
    assert read == frames


@pytest.mark.parametrize("data", [b"\0\0\0\0\x63\0\0\0\0", (LONGEST + 1).to_bytes(4, "big") + b"\1\0\0\0\0"])
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        FrameBuffer().feed(data)


@pytest.mark.parametrize("data", [b"{", b"[]", b"{}", b'{"status": "200"}', b'{"status": 200, "headers": []}'])
def test_what_is_no_head_is_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        head_of(data)


@pytest.mark.parametrize(
    ("name", "own_status", "status"),
    [
        ("AuthenticationError", 0, 401),
        ("RateLimitError", 500, 429),
        ("BadRequestError", 422, 422),
        ("APIConnectionError", 500, 503),
        ("Whatever", 418, 418),
        ("Whatever", 200, 500),
        ("ContextWindowExceededError", 0, 400),
    ],
)
def test_an_exception_has_the_status_that_it_says_or_that_its_name_means(name: str, own_status: int, status: int) -> None:
    raised = type(name, (Exception,), {"status_code": own_status} if own_status else {})("why")
    head, body = failure(raised)
    assert head["status"] == status
    assert name.encode() in body
