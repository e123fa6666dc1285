"""Screening finds what it should, leaves the rest alone, and gives the same result at every split."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import luhn

from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_policy.screening.domain.detectors import all_detectors, names
from llm_mesh_policy.screening.domain.rules import ScreeningRules, problem
from llm_mesh_policy.screening.domain.scan import BLOCKED, LOGGED, MASKED, Scan, Watchlist

CARD = "4111 1111 1111 1111"
IBAN = "DE89 3704 0044 0532 0130 00"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow+/=\nabc\n-----END RSA PRIVATE KEY-----"
KEY = "sk-proj-" + "aB3_-" * 12
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
MAIL = "ana.maria+x@claims.example.org"
PIECES = [
    CARD, "4111111111111111", "4111-1111-1111-1112", IBAN, "GB82WEST12345698765432", PEM, "-----BEGIN PRIVATE KEY-----", "-----END",
    KEY, JWT, MAIL, "AKIAIOSFODNN7EXAMPLE", "536-90-4399", "ghp_" + "a1" * 18, "mk_" + "a" * 16 + "_" + "b" * 40,
    " ", "\n", "-", ".", "@", "1", "A", "é", "日本", "😀", "word", "AND MORE", "1234 ", "x" * 70,
]  # fmt: skip


def watchlist(action: policy_pb2.FindingAction = MASKED, *only: str) -> Watchlist:
    return Watchlist(all_detectors(), dict.fromkeys(only or names(), action))


def scanned(text: str, watch: Watchlist) -> tuple[str, list[policy_pb2.Finding], bool]:
    scan = Scan(watch, "f")
    released = scan.push(text, final=True)
    return released, scan.findings, scan.blocked


@pytest.mark.parametrize(
    ("detector", "text"),
    [
        ("credit_card", CARD),
        ("iban", IBAN),
        ("private_key", PEM),
        ("api_key", KEY),
        ("jwt", JWT),
        ("email", MAIL),
        ("aws_access_key", "AKIAIOSFODNN7EXAMPLE"),
        ("us_ssn", "536-90-4399"),
    ],
)
def test_each_detector_masks_its_own_whole_and_says_where(detector: str, text: str) -> None:
    released, findings, _ = scanned(f"é: {text} ok", watchlist())
    assert released == f"é: [{detector}] ok"
    assert [(each.detector, each.start, each.end) for each in findings] == [(detector, 4, 4 + len(text))]


@pytest.mark.parametrize(
    "text",
    ["4111 1111 1111 1112", "order 1234567890123", "DE89 3704 0044 0532 0130 01", "a@b", "0000 0000 0000 0000", "sk-short", "000-12-3456"],
)
def test_what_only_looks_alike_passes(text: str) -> None:
    assert scanned(text, watchlist()) == (text, [], False)


def test_an_iban_before_words_in_capitals_is_found() -> None:
    assert scanned(f"{IBAN} AND MORE", watchlist())[0] == "[iban] AND MORE"


def test_a_private_key_without_an_end_is_masked_to_the_end() -> None:
    assert scanned("-----BEGIN PRIVATE KEY-----\nMII and so on", watchlist())[0] == "[private_key]"


def test_logging_releases_everything_and_notes_it() -> None:
    released, findings, _ = scanned(f"a {KEY} b", watchlist(LOGGED))
    assert released == f"a {KEY} b"
    assert (findings[0].start, findings[0].end) == (2, 2 + len(KEY))


def test_after_a_block_nothing_is_released() -> None:
    released, findings, blocked = scanned(f"before {CARD} after", watchlist(BLOCKED))
    assert (released, len(findings), blocked) == ("before ", 1, True)


texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=12).map("".join)


@settings(max_examples=400, deadline=None)
@given(text=texts, cuts=st.lists(st.integers(0, 400), max_size=12), action=st.sampled_from([LOGGED, MASKED, BLOCKED]))
def test_streamed_equals_whole_at_every_split(text: str, cuts: list[int], action: policy_pb2.FindingAction) -> None:
    watch = watchlist(action)
    whole = scanned(text, watch)
    scan = Scan(watch, "f")
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    pieces = [text[begin:end] for begin, end in pairwise(places)] or [""]
    released = ""
    for number, piece in enumerate(pieces):
        if scan.blocked:
            break
        released += scan.push(piece, final=number == len(pieces) - 1)
    assert (released, scan.findings, scan.blocked) == whole


@pytest.mark.parametrize("secret", [CARD, IBAN, KEY, MAIL, PEM, JWT])
def test_streamed_byte_by_byte_never_lets_a_part_out(secret: str) -> None:
    scan = Scan(watchlist(), "f")
    released = ""
    for letter in f"so: {secret}. done":
        released += scan.push(letter, final=False)
        assert not any(part in released for part in (secret[:6], secret[-6:]))
    released += scan.push("", final=True)
    assert released == scanned(f"so: {secret}. done", watchlist())[0]


@pytest.mark.parametrize("secret", [KEY, JWT, MAIL, IBAN.replace(" ", ""), "AKIAIOSFODNN7EXAMPLE", "536-90-4399"])
def test_what_stands_before_counts_wherever_the_text_is_cut(secret: str) -> None:
    for before in ("A", "_", "1" * 40, "+A"):
        text = before + secret
        whole = scanned(text, watchlist())[0]
        for cut in range(1, len(text), 5):
            scan = Scan(watchlist(), "f")
            assert scan.push(text[:cut], final=False) + scan.push(text[cut:], final=True) == whole, (before, cut)


@settings(max_examples=200, deadline=None)
@given(text=texts)
def test_what_is_held_back_is_bounded(text: str) -> None:
    watch = watchlist(LOGGED)
    scan = Scan(watch, "f")
    released = scan.push(text, final=False)
    assert len(text) - len(released) <= max(detector.longest for detector in watch.detectors) + 4


@settings(max_examples=300, deadline=None)
@given(digits=st.text(alphabet="0123456789", min_size=13, max_size=19))
def test_cards_are_what_luhn_says(digits: str) -> None:
    found = scanned(digits, watchlist(MASKED, "credit_card"))[0] == "[credit_card]"
    assert not found or luhn.is_valid(digits)
    if len(digits) == 16 and digits[0] in "2456" and luhn.is_valid(digits):
        assert found


def test_a_long_text_full_of_findings_and_look_alikes_takes_time_in_proportion() -> None:
    watch = watchlist()
    begin = time.thread_time()
    scanned(f"{CARD} and 4111 1111 1111 1112 1 2 3 4 5 6 7 8 9 é " * 10, watch)
    small = time.thread_time() - begin
    begin = time.thread_time()
    text = scanned(f"{CARD} and 4111 1111 1111 1112 1 2 3 4 5 6 7 8 9 é " * 3_000, watch)[0]
    assert text.count("[credit_card]") == 3_000
    assert time.thread_time() - begin < 300 * small * 8 + 1


def test_plain_prose_is_held_back_by_a_word_at_most() -> None:
    scan = Scan(watchlist(), "f")
    assert scan.push("The quick brown fox jumps", final=False) == "The quick brown fox "


def test_nothing_watched_holds_nothing_back() -> None:
    assert Scan(Watchlist(all_detectors(), {}), "f").push("4111 1111", final=False) == "4111 1111"


def test_a_domain_can_be_stricter_than_the_floor_and_never_milder() -> None:
    rules = ScreeningRules(["private_key=mask", "domains/claims:private_key=log", "domains/claims:credit_card=block"])
    assert rules.of("domains/claims").actions == {"private_key": MASKED, "credit_card": BLOCKED}
    assert rules.of("domains/other").actions == {"private_key": MASKED}


def test_a_rule_that_nobody_knows_is_named_at_the_start() -> None:
    assert problem(["private_key=mask"]) == ""
    assert "credit_card" in problem(["creditcard=mask"])


def test_rules_that_a_stream_was_admitted_by_are_put_together_once() -> None:
    rules = ScreeningRules(["private_key=mask"])
    first = rules.by_actions({"private_key": int(MASKED), "email": int(BLOCKED)})
    assert first.actions == {"private_key": MASKED, "email": BLOCKED}
    assert rules.by_actions({"email": int(BLOCKED), "private_key": int(MASKED)}) is first


def test_a_floor_can_block_what_cannot_be_read() -> None:
    rules = ScreeningRules([], lambda domain: {"undecodable": BLOCKED} if domain == "domains/claims" else {})
    assert rules.of("domains/claims").undecodable == BLOCKED
    assert rules.of("domains/other").undecodable is None
