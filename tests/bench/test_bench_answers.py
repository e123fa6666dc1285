"""The generator counts an answer only when it is right: each way to be wrong is found."""

from __future__ import annotations

import pytest

from bench.load.answers import Answer, unchunked
from bench.load.spec import Expected
from bench.upstream_answers import failure, stream, stream_parts, whole

STREAM = Expected(streamed=True, chunks=5)
THOROUGH = 16


def fed(raw: bytes, size: int = 7) -> tuple[Answer, list[bool]]:
    answer = Answer()
    return answer, [answer.feed(raw[at : at + size]) for at in range(0, len(raw), size)]


@pytest.mark.parametrize("raw", [whole(), stream(5), failure(503)])
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_an_answer_is_whole_with_its_last_byte_and_not_before(raw: bytes, size: int) -> None:
    _, wholes = fed(raw, size)
    assert wholes[-1]
    assert not any(wholes[:-1])


def test_right_answers_are_right() -> None:
    assert not fed(whole())[0].wrong(Expected(), 1)
    assert not fed(stream(5))[0].wrong(STREAM, THOROUGH)


@pytest.mark.parametrize(
    ("raw", "expected", "wrong"),
    [
        (failure(503), Expected(), "status 503"),
        (whole(), Expected(tokens=261), "another usage"),
        (whole().replace(b'"choices"', b'"chances"'), Expected(), "a body of another shape"),
        (whole().replace(b'"stop"', b'"stup"'), Expected(), "no content, or another end"),
        (whole(), Expected(tool_loop=True), "no call of a tool"),
        (stream(4), STREAM, "another number of events"),
        (stream(5).replace(b"token 2", b"token 9"), STREAM, "another text, or another end"),
        (stream(5).replace(b"260", b"261"), STREAM, "another usage"),
        (stream(5).replace(b"[DONE]", b"[GONE]"), STREAM, "a stream without its end mark"),
        (stream(5).replace(b'"total_tokens"', b'"other_tokens"'), STREAM, "a stream without usage"),
    ],
)
def test_what_is_wrong_is_found(raw: bytes, expected: Expected, wrong: str) -> None:
    number = 1 if expected.tool_loop else THOROUGH
    assert fed(raw)[0].wrong(expected, number) == wrong


def test_text_in_other_pieces_is_right_where_it_may_be_and_a_lost_word_is_wrong_all_the_same() -> None:
    released = Expected(streamed=True, chunks=5, regrouped=True)
    head, _, rest = stream(5).partition(b"\r\n\r\n")
    body = unchunked(rest).replace(b'"token 1 "', b'"token 1 tok"').replace(b'"token 2 "', b'"en 2 "')
    raw = head.replace(b"transfer-encoding: chunked", b"content-length: %d" % len(body)) + b"\r\n\r\n" + body
    assert not fed(raw)[0].wrong(released, 1)
    assert fed(raw.replace(b"en 2", b"in 2"))[0].wrong(released, 1) == "another text, or another end"
    assert fed(raw)[0].wrong(STREAM, 1) == "another number of events"


def test_a_tool_loop_is_a_call_and_then_an_answer() -> None:
    loop = Expected(tool_loop=True)
    assert not fed(whole(tool=True))[0].wrong(loop, 1)
    assert not fed(whole())[0].wrong(loop, 2)
    assert fed(whole(tool=True))[0].wrong(loop, 2)


def test_a_body_in_chunks_is_put_together() -> None:
    assert unchunked(b"3\r\nabc\r\n2;note=1\r\nde\r\n0\r\n\r\n") == b"abcde"
    head, *parts = stream_parts(5)
    assert unchunked(b"".join(parts)).count(b"data: ") == 8
    assert head.endswith(b"\r\n\r\n")
