"""Forms as they should be, cut anywhere, and as they should not be: bounded, and refused with the field's name."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh_dialects.uploads import UploadedFile
from llm_mesh_edge.http.form_parts import FormError
from llm_mesh_edge.http.form_reader import LONGEST_HEADER, MOST_HEADERS, MOST_PARTS, MOST_TEXT, FormReader
from tests.edge.conftest import Served

CUT = "boundary"
TYPE = f"multipart/form-data; boundary={CUT}"
FILES = frozenset({"file", "image"})
END = b"--boundary--\r\n"
TRANSCRIPTIONS, TRANSLATIONS, EDITS = "/v1/audio/transcriptions", "/v1/audio/translations", "/v1/images/edits"


def part(disposition: str, content: bytes = b"x", *headers: str) -> bytes:
    """One part of a form, by what stands behind `form-data`."""
    lines = "".join(f"{each}\r\n" for each in (f"content-disposition: form-data{disposition}", *headers))
    return f"--{CUT}\r\n{lines}\r\n".encode() + content + b"\r\n"


def text(name: str, value: str = "x") -> bytes:
    return part(f'; name="{name}"', value.encode())


def file(name: str, content: bytes = b"RIFF", filename: str = "a.wav", kind: str = "audio/wav") -> bytes:
    return part(f'; name="{name}"; filename="{filename}"', content, f"content-type: {kind}")


def read(body: bytes, content_type: str = TYPE, pieces: int = 1_000_000) -> dict[str, Any]:
    form = FormReader(content_type, FILES)
    for start in range(0, len(body), pieces):
        form.write(body[start : start + pieces])
    return form.close()


WHOLE = (
    text("model", "m")
    + file("file", b"\r\n--bound\r\n--boundar\r-\n--", "h\u00e4user.wav")
    + text("keywords[]", "a")
    + text("keywords[]", "b\r\n")
    + text("llm_mesh[tags][team]", "claims")
    + file("image[]", b"\x89PNG", "b.png", "application/octet-stream")
    + END
)
FORM: dict[str, Any] = {
    "model": "m",
    "file": UploadedFile("h\u00e4user.wav", "audio/wav", b"\r\n--bound\r\n--boundar\r-\n--"),
    "keywords": ["a", "b\r\n"],
    "llm_mesh": {"tags": {"team": "claims"}},
    "image": [UploadedFile("b.png", "image/png", b"\x89PNG")],
}


def test_a_form_has_texts_files_lists_and_objects() -> None:
    assert read(WHOLE) == FORM


@pytest.mark.parametrize("at", range(0, len(WHOLE), 7))
def test_a_form_cut_in_two_reads_the_same(at: int) -> None:
    form = FormReader(TYPE, FILES)
    form.write(WHOLE[:at])
    form.write(WHOLE[at:])
    assert form.close() == FORM


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, len(WHOLE)), max_size=12), st.binary(max_size=200))
def test_a_form_cut_anywhere_reads_the_same(cuts: list[int], content: bytes) -> None:
    if b"--boundary" in content:
        return
    body = file("file", content) + WHOLE.replace(file("file", FORM["file"].data, "h\u00e4user.wav"), b"")
    form, before = FormReader(TYPE, FILES), 0
    for at in [*sorted(set(cuts)), len(body)]:
        form.write(body[before:at])
        before = max(before, at)
    fields = form.close()
    assert fields.pop("file").data == content
    assert fields == {name: value for name, value in FORM.items() if name != "file"}
    assert read(body, pieces=1)["file"].data == content


BROKEN: dict[str, tuple[bytes, str, str]] = {
    "no-form": (b'{"model": "m"}', "no form", ""),
    "other-boundary": (WHOLE.replace(b"--boundary", b"--another"), "no form", ""),
    "no-end": (text("model") + file("file", b"x" * 100)[:-2], "last boundary", "file"),
    "nothing": (b"", "last boundary", ""),
    "no-name": (part("") + END, "name", ""),
    "attachment": (b'--boundary\r\ncontent-disposition: attachment; name="a"\r\n\r\nx\r\n' + END, "name", ""),
    "long-name": (text("n" * 129) + END, "name", ""),
    "deep-name": (text("a[b][c][d][e][f]") + END, "name", ""),
    "half-a-bracket": (text("a[b") + END, "name", ""),
    "many-parts": (text("a[]") * (MOST_PARTS + 1) + END, f"more than {MOST_PARTS} parts", ""),
    "many-headers": (part('; name="a"', b"x", *(f"x-{each}: y" for each in range(MOST_HEADERS))) + END, "header count", ""),
    "long-header": (part('; name="a"', b"x", f"x-y: {'z' * LONGEST_HEADER}") + END, "header size", ""),
    "endless-header": (b"--boundary\r\n" + b"x" * 100_000, "header size", ""),
    "header-twice": (part('; name="a"', b"x", "content-disposition: form-data; name=b") + END, "twice", ""),
    "field-twice": (text("model") * 2 + END, "twice", "model"),
    "text-and-list": (text("a") + text("a[]") + END, "twice", "a[]"),
    "list-and-object": (text("a[]") + text("a[b]") + END, "twice", "a[b]"),
    "list-of-objects": (text("a[][b]") + END, "empty brackets", "a[][b]"),
    "large-text": (text("prompt", "x" * (MOST_TEXT + 1)) + END, "at most", "prompt"),
    "large-texts": (text("a[]", "x" * (MOST_TEXT // 2 + 1)) * 2 + END, "at most", "a[]"),
    "no-utf-8": (part('; name="prompt"', b"\xff") + END, "UTF-8", "prompt"),
    "file-as-text": (text("file") + END, "must be a file", "file"),
    "text-as-file": (file("model") + END, "no file", "model"),
    "path": (file("file", filename="../a.wav") + END, "file name", "file"),
    "control": (file("file", filename="a\x01.wav") + END, "file name", "file"),
    "long-filename": (file("file", filename="a" * 256) + END, "file name", "file"),
    "odd-type": (file("file", kind="sound") + END, "media type", "file"),
    "form-in-form": (file("file", kind="multipart/mixed; boundary=b") + END, "within the form", "file"),
    "coded": (part('; name="file"; filename="a"', b"eA==", "content-transfer-encoding: base64") + END, "as it is", "file"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("pieces", [1_000_000, 1_000])
def test_a_broken_form_is_refused_by_what_is_wrong(name: str, pieces: int) -> None:
    body, message, field = BROKEN[name]
    with pytest.raises(FormError) as refused:
        read(body, pieces=pieces)
    failure = refused.value.failure
    assert (failure.status, failure.code, failure.param) == (400, "invalid_form", field)
    assert message in failure.message


@pytest.mark.parametrize(
    "kind",
    ["", "application/json", "multipart/form-data", "multipart/mixed; boundary=boundary", f"multipart/form-data; boundary={'b' * 71}"],
)
def test_a_form_needs_a_content_type_with_a_boundary(kind: str) -> None:
    with pytest.raises(FormError) as refused:
        read(WHOLE, kind)
    assert refused.value.failure.param == "content-type"


@pytest.mark.parametrize(
    "piece", [b"\r", b"\r\n", b"\r\n--", b"\r\n--boundar", b"-", b"--boundary\r\n" + b"content-disposition: form-data; name=a\r\n\r\n"]
)
def test_no_piece_holds_others_up_for_long(piece: bytes) -> None:
    form = FormReader(TYPE, FILES)
    form.write(file("file", b"")[:-2])
    hostile = piece * (65_536 // len(piece))
    began = time.thread_time()
    with pytest.raises(FormError) if piece.startswith(b"--b") else _nothing():
        form.write(hostile)
    assert time.thread_time() - began < 0.2  # a fraction of it on a quiet machine


class _nothing:  # noqa: N801 (as contextlib names its own)
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def test_a_file_is_in_memory_once() -> None:
    piece, size = bytes(64 * 1024), 16 * 1024 * 1024
    form = FormReader(TYPE, FILES)
    head = file("file", b"")[:-2]
    tracemalloc.start()
    try:
        form.write(head)
        for _ in range(size // len(piece)):
            form.write(piece)
        form.write(b"\r\n" + END)
        assert len(form.close()["file"].data) == size
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1.5 * size


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS, EDITS])
@pytest.mark.parametrize("name", ["no-form", "no-end", "many-parts", "path"])
async def test_a_broken_form_reaches_nobody(served: Served, path: str, name: str) -> None:
    status, answer, headers = await served.post(path, data=BROKEN[name][0], headers={**served.headers, "content-type": TYPE})
    assert (status, answer["error"]["code"]) == (400, "invalid_form")
    assert headers["connection"] == "close"
    assert not served.gateway.asked


async def test_a_form_that_is_too_large_or_too_slow_is_refused_while_it_arrives(served: Served) -> None:
    async def large() -> Any:
        yield file("file", b"")[:-2]
        for _ in range(100):
            yield bytes(10_000)

    async def silent() -> Any:
        yield file("file", b"")[:-2]
        await asyncio.sleep(5)

    sent = {**served.headers, "content-type": TYPE}
    assert (await served.post(TRANSCRIPTIONS, data=large(), headers=sent))[0] == 413
    assert (await served.post(TRANSCRIPTIONS, data=silent(), headers=sent))[0] == 408
    assert not served.gateway.asked
