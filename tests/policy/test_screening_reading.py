"""However a secret is written, a reader's secret is found; and what is released never depends on where an answer was cut."""

import json
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_policy.screening.domain.characters import decoded_view_of, view_of
from llm_mesh_policy.screening.domain.detectors import all_detectors, names
from llm_mesh_policy.screening.domain.scan import BLOCKED, LOGGED, MASKED, Scan, Watchlist
from tests.policy.test_screening_scan import CARD, IBAN, JWT, KEY, MAIL, PEM, PIECES
from tests.proofs.proof import count

ALL = Watchlist(all_detectors(), dict.fromkeys(names(), MASKED))
WRITTEN: dict[str, str] = {
    "zero width": "\u200b".join(CARD),
    "soft hyphens": "\u00ad".join(CARD),
    "zero width joiners and marks": "\u200d\u0332".join(CARD),
    "controls": "\x01".join(CARD),
    "borders": "\x02".join(CARD),
    "full width": "".join(chr(ord(each) + 0xFEE0) if each.isdigit() else each for each in CARD),
    "mathematical": "".join(chr(0x1D7CE + int(each)) if each.isdigit() else each for each in CARD),
    "arabic": "".join(chr(0x660 + int(each)) if each.isdigit() else each for each in CARD),
    "tags": "".join(chr(0xE0000 + ord(each)) for each in CARD),
    "circled": "\u2463\u246a1 1111 1111 1111",
    "no-break spaces": CARD.replace(" ", "\u00a0"),
    "thin spaces": CARD.replace(" ", "\u2009"),
    "dashes": CARD.replace(" ", "\u2013"),
    "JSON escapes": "".join(f"\\u{ord(each):04x}" for each in CARD),
    "escapes of pairs": "".join(json.dumps(chr(0x1D7CE + int(each)))[1:-1] if each.isdigit() else each for each in CARD),
    "JSON in JSON": "".join(f"\\\\\\\\u{ord(each):04x}" for each in CARD),
    "a URL": "".join(f"%{ord(each):02X}" for each in CARD),
    "a URL in a URL": "".join(f"%25{ord(each):02x}" for each in CARD),
    "a URL of full width": "".join("".join(f"%{unit:02x}" for unit in chr(ord(each) + 0xFEE0).encode()) for each in CARD if each != " "),
    "some escapes": "4\\u0031%31\u200b1 1111 \uff11\U0001d7cf11 1111",
    "an expiry": f"{CARD} 12/27",
    "a count before": f"12 {CARD}",
    "numbers around": f"1 22 333 {CARD} 55555 1",
    "letters around": "pan4111111111111111x",
    "a percent sign before": f"%{CARD}",
    "a backslash before": f"\\{CARD}",
    "an escape before": f"\\n{CARD}\\n",
}  # fmt: skip


def released(text: str, watch: Watchlist = ALL, *, is_json: bool = False) -> str:
    return Scan(watch, "f", json=is_json).push(text, final=True)


def plain(text: str) -> str:
    """What a reader of the text sees, by other means than screening's own."""
    view = decoded_view_of(text) or view_of(text)
    return view.text.replace(b"\x00", b"").decode().replace(" ", "").replace("-", "")


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_a_card_is_found_however_it_is_written(written: str) -> None:
    watch = Watchlist(all_detectors(), {"credit_card": MASKED})
    for text in (written, f"é: {written} ok", f"x\u200b{written}\u200by", f'"{written}"'):
        masked = released(text, watch)
        assert "[credit_card]" in masked
        assert "411111" not in plain(masked)
        assert "1111" not in plain(masked)


SEPARATORS = [
    "\n", "\r\n", "\t", "  ", "   ", ".", "/", " / ", " - ", "\\", "_", ":", "\u00b7", "\u2044", "\u2028", ".\n", "\n\n", "\\n", "\\t",
    "%0A",
]  # fmt: skip
GROUPED = {
    "credit_card": ("4111 1111 1111 1111", "3782 822463 10005", "3056 930902 5904", "6304 1234 5678 1234 568"),
    "iban": (IBAN, "GB82 WEST 1234 5698 7654 32", "NO93 8601 1117 947"),
    "us_ssn": ("536 90 4399",),
    "aws_access_key": ("AKIA IOSF ODNN 7EXA MPLE",),
}
GROUPS = [(detector, groups) for detector, all_groups in GROUPED.items() for groups in map(str.split, all_groups)]


@settings(max_examples=count(300, 20_000), deadline=None)
@given(
    grouped=st.sampled_from(GROUPS),
    between=st.lists(st.sampled_from(SEPARATORS), min_size=5, max_size=5),
    cut=st.integers(0, 60),
    alike=st.booleans(),
)
def test_a_number_in_groups_is_found_whatever_stands_between_them(
    grouped: tuple[str, list[str]], between: list[str], cut: int, *, alike: bool
) -> None:
    detector, groups = grouped
    if alike or detector == "us_ssn":  # three plain figures are nobody's number
        between = between[:1] * 5
    text = f"it is {groups[0]}" + "".join(gap + group for gap, group in zip(between, groups[1:], strict=False)) + ", ok"
    watch = Watchlist(all_detectors(), {detector: MASKED})
    assert released(text, watch) == f"it is [{detector}], ok"
    scan = Scan(watch, "f")
    assert scan.push(text[:cut], final=False) + scan.push(text[cut:], final=True) == f"it is [{detector}], ok"


def test_a_card_of_five_groups_is_found_whatever_stands_before_the_last() -> None:
    for between in SEPARATORS:
        assert released(f"6304 1234 5678 1234{between}568 ok") == "[credit_card] ok", between


@pytest.mark.parametrize("key", [KEY, "ghp_" + "a1" * 18, "AIza" + "b2" * 17 + "c", JWT])
def test_a_key_is_found_wherever_its_line_breaks(key: str) -> None:
    for at in range(5, 22):
        for way in ("\n", "\r\n", "\\n"):
            assert key[at:] not in released(f"it is {key[:at]}{way}{key[at:]} ok"), (at, way)


@pytest.mark.parametrize(
    "text",
    [
        "2001\n2002\n2003\n2008", "4.25 4.50\n4.75 5.00\n5.25 5.50", "4111, 1111, 1111, 1111", "4111; 1111; 1111; 1111",
        "| 4111 | 1111 | 1111 | 1111 |", "3.141592653589793", "4567.891234567891", "4\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1",
        "536\n90 4399", "ASIA EAST WEST OVER HERE", "sk-learn\nis_the_name_of_a_module_for_learning", "41111111\n11111111",
    ],
)  # fmt: skip
def test_columns_lists_and_words_are_no_numbers(text: str) -> None:
    assert released(text) == text


@pytest.mark.parametrize("secret", [IBAN, KEY, MAIL, PEM, "AKIAIOSFODNN7EXAMPLE", "536-90-4399"])
@pytest.mark.parametrize("way", ["\u200b", "\u00ad", "\ufe0f", "\x7f\u2060"[1:]])
def test_every_detector_reads_over_what_nobody_sees(secret: str, way: str) -> None:
    masked = released(f"so {way.join(secret)} ok")
    assert masked.startswith("so [")
    assert masked.endswith("] ok")


@pytest.mark.parametrize("text", ["100 %41", "C:\\new\\users", "50%", "a\u200bb", "plain\u00a0words", "naïve café", "日本語", "①②", "½"])
def test_what_holds_nothing_leaves_as_it_came(text: str) -> None:
    assert released(text) == text


SMUGGLED = [
    *WRITTEN.values(), "\u200b", "\u00ad", "\uff14", "\U0001d7d2", "\u246a", "\\", "\\u0034", "\\u00", "\\ud835", "\\udfd2", "\\\\u0031",
    "%", "%3", "%34", "%25", "%2534", "%EF%BC%94", "%EF%BC", "\x01", "\x02", '"', ": ", "-4111111111111111.0e1", "1.5",
    "-----BEGIN PRIVATE KEY-----", "sk-" + "a" * 17, "\\u0061aa", "%61aa", "@", "x.org", "\\n", "5%",
]  # fmt: skip
SHORT = [*(each for each in SMUGGLED if len(each) < 12), "5", "-", "e", " ", "x"]
beside = st.lists(st.sampled_from(SHORT), max_size=3).map("".join)
texts = st.one_of(
    st.lists(st.sampled_from(SMUGGLED) | st.sampled_from(PIECES) | st.text(max_size=3), max_size=10).map("".join),
    st.tuples(beside, st.sampled_from([*WRITTEN.values()]), beside, st.sampled_from(["", *WRITTEN.values()])).map("".join),
)
"""Pieces of all kinds; and a card with what may be read together with it directly beside it."""


@st.composite
def cuts_of(draw: st.DrawFn, text: str) -> list[int]:
    """Some places, or every one from a place on: escapes then arrive one character at a time."""
    some: list[int] = draw(st.lists(st.integers(0, 300), max_size=10))
    every = draw(st.booleans())
    return [*range(some[0], len(text))] if some and every else some


@st.composite
def cut_texts(draw: st.DrawFn) -> tuple[str, list[int]]:
    """A text and where it is cut."""
    text = draw(texts)
    return text, draw(cuts_of(text))


@settings(max_examples=count(300, 20_000), deadline=None)
@given(cut=cut_texts(), action=st.sampled_from([LOGGED, MASKED, BLOCKED]), is_json=st.booleans())
@example(cut=("%4111 1111 1111 1111", [1, 2, 3]), action=MASKED, is_json=False)
@example(cut=("411111111111111\\u0031", list(range(21))), action=MASKED, is_json=False)
@example(cut=('{"a": -4111111111111111, "b": 1}', list(range(30))), action=MASKED, is_json=True)
@example(cut=(f"\\ud835{WRITTEN['JSON escapes']} x", [121]), action=LOGGED, is_json=True)
@example(cut=(f"\\ud835{WRITTEN['a URL']} x", [64]), action=LOGGED, is_json=True)
@example(cut=(f"5{WRITTEN['JSON escapes']}5", [1, 115]), action=MASKED, is_json=True)
@example(cut=(WRITTEN["JSON in JSON"] + WRITTEN["a URL of full width"], list(range(400))), action=MASKED, is_json=False)
def test_streamed_equals_whole_at_every_split_however_it_is_written(
    cut: tuple[str, list[int]], action: policy_pb2.FindingAction, *, is_json: bool
) -> None:
    text, cuts = cut
    watch = Watchlist(all_detectors(), dict.fromkeys(names(), action))
    whole = Scan(watch, "f", json=is_json)
    expected = whole.push(text, final=True)
    scan = Scan(watch, "f", json=is_json)
    places = sorted({min(place, len(text)) for place in cuts} | {0, len(text)})
    pieces = [text[begin:end] for begin, end in pairwise(places)] or [""]
    got = ""
    for number, piece in enumerate(pieces):
        if scan.blocked:
            break
        got += scan.push(piece, final=number == len(pieces) - 1)
        assert expected.startswith(got), "what is out once is out for good"
    assert (got, scan.findings, scan.blocked) == (expected, whole.findings, whole.blocked)


values = st.recursive(
    st.sampled_from([*SMUGGLED, *PIECES, 4111111111111111, -4111111111111111, None, True]) | st.integers() | st.floats(-1e20, 1e20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*SMUGGLED, *PIECES, "a", "b"]), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(value=values, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_masked_json_is_json(value: object, *, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    json.loads(released(text, is_json=True))


def test_a_masked_number_of_json_is_a_string() -> None:
    assert (
        released('{"pan": 4111111111111111, "n": [-4111111111111111.5]}', is_json=True)
        == '{"pan": "[credit_card]", "n": ["[credit_card]"]}'
    )


def test_a_flood_of_invisible_characters_takes_time_in_proportion() -> None:
    watch = Watchlist(all_detectors(), dict.fromkeys(names(), MASKED))
    assert released("4" + "\u200b" * 300_000 + "111111111111111", watch) == "[credit_card]"
