"""Unusual but legal ways to write an answer: how events look, and where writes are cut."""

from collections.abc import Iterator

from llm_mesh_simulator.domain.behaviour import Quirk

_UNKNOWN = b'"simulator_unknown":{"nested":[1,null,"\xc3\xbc"]},'
_DUPLICATE = b'"id":"duplicate","type":"duplicate","object":"duplicate",'
_PADDING = b'"simulator_padding":"' + b"x" * 2**20 + b'",'
_COMMENT = b": simulated comment\n\n"
_DRIP = 7


def events(data: bytes, quirks: frozenset[Quirk], *, first: bool) -> bytes:
    """Events with the quirks in each of them, server-sent or as lines of JSON; `first` gets the padding."""
    begin = b"{" if data.startswith(b"{") else b"data: {"
    if Quirk.COMMENTS in quirks:
        data = (_COMMENT if begin != b"{" else b"\n") + data  # lines of JSON have no comments, but may be empty
    insert = _inserted(quirks, first=first)
    if insert:
        # JSON has no raw line feed, so a line that begins with this is an event and not the text of one.
        lines = data.split(b"\n")
        data = b"\n".join(begin + insert + line[len(begin) :] if line.startswith(begin) else line for line in lines)
    return data.replace(b"\n", b"\r\n") if Quirk.CRLF in quirks else data


def document(data: bytes, quirks: frozenset[Quirk]) -> bytes:
    """A JSON object with the quirks in it."""
    insert = _inserted(quirks, first=True)
    return b"{" + insert + data[1:] if insert and data.startswith(b"{") else data


def slices(data: bytes, quirks: frozenset[Quirk]) -> Iterator[bytes]:
    """The writes into which the bytes are cut."""
    if Quirk.DRIP in quirks:
        for start in range(0, len(data), _DRIP):
            yield data[start : start + _DRIP]
        return
    start = 0
    if Quirk.SPLIT in quirks:
        for at in range(1, len(data)):
            # A byte that continues a character whose first byte stands just before it.
            if data[at] & 0xC0 == 0x80 and data[at - 1] & 0xC0 == 0xC0:  # noqa: PLR2004  the bit patterns of UTF-8
                yield data[start:at]
                start = at
    yield data[start:]


def _inserted(quirks: frozenset[Quirk], *, first: bool) -> bytes:
    insert = b""
    if Quirk.UNKNOWN in quirks:
        insert += _UNKNOWN
    if Quirk.DUPLICATE in quirks:
        insert += _DUPLICATE
    if Quirk.HUGE in quirks and first:
        insert += _PADDING
    return insert
