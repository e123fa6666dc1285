"""Content at rest opens in its place alone, and ids are valid for one kind and tenant alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh_runtime.content_cipher import ContentCipher
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.service_secret import weakness
from llm_mesh_runtime.signed_ids import SignedIds

SECRET = b"a secret of tests, 32 bytes long"
CIPHER = ContentCipher(SECRET, "tests")
IDS = SignedIds(SECRET, "tests")
TENANT = ("domains/a", "domains/a/projects/b")


@given(st.binary(max_size=200), st.lists(st.text(max_size=9), max_size=4))
def test_content_opens_where_it_was_closed(content: bytes, place: list[str]) -> None:
    assert CIPHER.opened(CIPHER.closed(content, *place), *place) == content


@pytest.mark.parametrize("other", [("a",), ("a", "b", "c"), ("ab", ""), ("", "ab"), ("b", "a"), ()])
def test_content_opens_nowhere_else(other: tuple[str, ...]) -> None:
    assert CIPHER.opened(CIPHER.closed(b"text", "a", "b"), *other) is None


def test_changed_content_and_content_of_another_key_or_purpose_does_not_open() -> None:
    closed = CIPHER.closed(b"text", "a")
    assert b"text" not in closed
    for index in range(len(closed)):
        assert CIPHER.opened(closed[:index] + bytes([closed[index] ^ 1]) + closed[index + 1 :], "a") is None
        assert CIPHER.opened(closed[:index], "a") is None
    assert ContentCipher(SECRET, "others").opened(closed, "a") is None
    assert ContentCipher(SECRET[::-1], "tests").opened(closed, "a") is None


def test_an_id_is_valid_for_its_kind_and_tenant_alone() -> None:
    made = IDS.new("file-", *TENANT)
    assert IDS.valid(made, "file-", *TENANT)
    assert not IDS.valid(made, "batch-", *TENANT)
    assert not IDS.valid("batch-" + made.removeprefix("file-"), "batch-", *TENANT)
    assert not IDS.valid(made, "file-", "domains/a", "domains/a/projects/c")
    assert not SignedIds(SECRET, "others").valid(made, "file-", *TENANT)
    assert not SignedIds(SECRET[::-1], "tests").valid(made, "file-", *TENANT)


def test_each_changed_character_makes_an_id_invalid() -> None:
    made = IDS.new("file-", *TENANT)
    for index in range(len("file-"), len(made)):
        for character in "abcdefghijklmnopqrstuvwxyz234567":
            if character != made[index]:
                assert not IDS.valid(made[:index] + character + made[index + 1 :], "file-", *TENANT)


@given(st.text(max_size=60))
def test_no_text_of_a_stranger_breaks_the_check(text: str) -> None:
    assert not IDS.valid(text, "file-", *TENANT)
    assert not IDS.valid(f"file-{text}", "file-", *TENANT)


def test_a_short_secret_is_weak_and_none_is_not() -> None:
    assert weakness(Secret("short"))
    assert not weakness(Secret("x" * 32))
    assert not weakness(Secret(""))
