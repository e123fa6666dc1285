"""Our credentials are found in whatever a provider says, however it writes them, and nothing else is touched."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import Said, answered
from llm_mesh_adapter_kit.redaction import SHORTEST, GrowingRedaction, Redaction
from llm_mesh_adapter_kit.sse import EventParser
from llm_mesh_runtime.secret import Secret

SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=SHORTEST, max_size=80)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@st.composite
def written(draw: st.DrawFn, text: str) -> str:
    """A text within JSON, each character as it is or in an escape of its own."""
    return "".join(draw(st.sampled_from(spellings(character))) for character in text)


def spellings(character: str) -> list[str]:
    unicode = [f"\\u{ord(character):04x}", f"\\u{ord(character):04X}"]
    if character in '"\\':
        return [f"\\{character}", *unicode]
    return [character, *unicode, *(["\\/"] if character == "/" else [])]


@settings(deadline=None)
@given(data=st.data(), secret=SECRETS, before=WORDS, behind=WORDS)
def test_every_escape_of_json_is_found(data: st.DataObject, secret: str, before: str, behind: str) -> None:
    body = f'{{"a": "{json.dumps(before)[1:-1]} {data.draw(written(secret))} {json.dumps(behind)[1:-1]}"}}'
    assert secret in json.loads(body)["a"]
    cleaned = json.loads(Redaction([secret]).bytes_of(body.encode()))["a"]
    assert cleaned == f"{before} {secret} {behind}".replace(secret, "***") or secret not in cleaned
    assert secret not in cleaned


@pytest.mark.parametrize("depth", range(1, 4))
def test_a_credential_that_ends_with_a_backslash_leaves_json_as_it_is(depth: int) -> None:
    said: object = "0000000\\"
    for _ in range(depth):
        said = json.dumps({"said": said})
    cleaned: object = Redaction(["0000000\\"]).bytes_of(str(said).encode()).decode()
    for _ in range(depth):
        cleaned = json.loads(str(cleaned))["said"]
    assert cleaned == "***"


@settings(deadline=None)
@given(data=st.data(), secret=SECRETS)
def test_json_within_a_text_of_json_is_found_too(data: st.DataObject, secret: str) -> None:
    inner = f'{{"key": "{data.draw(written(secret))}"}}'
    cleaned = Redaction([secret]).bytes_of(json.dumps({"error": {"message": inner}}).encode())
    assert secret not in json.loads(json.loads(cleaned)["error"]["message"])["key"]


@settings(deadline=None)
@given(secret=SECRETS, scheme=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=9))
def test_base_64_is_found_wherever_the_credential_begins(secret: str, scheme: str) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(f"{scheme}{secret}".encode()).decode()
        said = Redaction([secret]).bytes_of(json.dumps({"echo": encoded}).encode()).decode()
        assert "***" in said
        longest = max((part for part in json.loads(said)["echo"].split("***")), key=len)
        assert len(longest) <= (len(scheme) + 2) * 4 // 3 + 4, "at most two characters of the credential are left at either end"


@settings(deadline=None)
@given(secret=SECRETS)
def test_percent_encoding_is_found(secret: str) -> None:
    quoted = quote(secret, safe="")
    for form in (quoted, re.sub("%..", lambda escape: escape[0].lower(), quoted)):
        assert Redaction([secret]).text_of(f"https://x/?key={form}") == "https://x/?key=***"


def test_names_of_events_are_cleaned() -> None:
    assert Redaction(["first-credential"]).events_of([(b"{}", "failure:first-credential"), (b"{}", "x")]) == [
        (b"{}", "failure:***"),
        (b"{}", "x"),
    ]


def test_a_run_of_backslashes_is_searched_once() -> None:
    assert b"\\\\+u" not in Redaction(["first/credential"])._escaped.pattern  # type: ignore[union-attr]
    said = b"\\" * 40_000
    assert Redaction(["first/credential"]).bytes_of(said) == said


@settings(deadline=None)
@given(secret=SECRETS, body=st.binary(max_size=200))
def test_what_has_no_credential_in_it_stays_as_it_is(secret: str, body: bytes) -> None:
    redaction = Redaction([secret])
    cleaned = redaction.bytes_of(body)
    assert cleaned == body or b"***" in cleaned
    if secret.encode()[:2] not in body and b"\\" not in body and not any(part in body for part in redaction._plain):
        assert cleaned is body


@settings(deadline=None)
@given(secret=SECRETS, cut=st.integers(0, 200))
def test_events_of_a_stream_are_cleaned_wherever_they_are_cut(secret: str, cut: int) -> None:
    body = f"data: {json.dumps({'text': secret})}\n\ndata: {{}}\n\n".encode()
    parser, redaction = EventParser(), Redaction([secret])
    events = [*redaction.events_of(parser.feed(body[:cut])), *redaction.events_of(parser.feed(body[cut:]))]
    assert [json.loads(data) for data, _ in events] == [{"text": "***"}, {}]


async def test_credentials_that_are_learnt_are_taken_out_beside_the_first_and_the_former_ones_are_bounded() -> None:
    redaction = GrowingRedaction(["first-credential"])
    for number in range(9):
        await redaction.learn([f"token-{number}-of-many", "steady-credential"])
    said = b" ".join(b"token-%d-of-many" % number for number in range(9)) + b" steady-credential first-credential"
    cleaned = b" ".join(b"token-%d-of-many" % number for number in range(4)) + b" ***" * 7
    assert redaction.bytes_of(said) == cleaned
    assert redaction.events_of([(said, "name")]) == [(cleaned, "name")]
    assert redaction.events_of([(b"{}", "failure:steady-credential")]) == [(b"{}", "failure:***")], "names are the provider's words, too"
    assert redaction.text_of(said.decode()) == cleaned.decode()


def test_placeholders_are_words_like_others() -> None:
    assert Redaction(["ollama", "", "none"]).bytes_of(b"ask ollama, or none") == b"ask ollama, or none"


def test_an_endpoint_knows_everything_that_authenticates() -> None:
    endpoint = Endpoint(
        name="x",
        provider="X",
        base_url="https://x.example",
        credential=Secret("first-credential"),
        credentials={"two": Secret("second-credential")},
        headers={"x-api-key": "third-credential", "x-version": "2026-01-01-preview"},
    )
    said = b"first-credential second-credential third-credential 2026-01-01-preview"
    assert endpoint.redaction.bytes_of(said) == b"*** *** *** 2026-01-01-preview"
    assert "first-credential" not in repr(endpoint)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED),
        (403, errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED),
        (403, errors_pb2.ERROR_REASON_PROVIDER_MODEL_NOT_FOUND),
        (403, errors_pb2.ERROR_REASON_PROVIDER_REJECTED),
        (400, errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED),
        (0, errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED),
    ],
)
def test_what_is_said_about_our_account_is_not_the_callers_to_know(status: int, reason: int) -> None:
    error = answered(reason, "x", status=status, said=Said("org-acme has no access, see invoice 4711", "Invalid Key of org-acme"))
    told = f"{error.message} {error.metadata}"
    assert "acme" not in told
    assert "4711" not in told
    assert "does not admit the mesh" in error.message
    assert error.about_account == "org-acme has no access, see invoice 4711"
    assert answered(reason, "x", status=status, said=Said(code="invalid_api_key")).metadata["provider_code"] == "invalid_api_key"


def test_what_is_said_about_the_request_is_the_callers_to_know() -> None:
    error = answered(errors_pb2.ERROR_REASON_PROVIDER_FILTERED, "x", status=403, said=Said("violates the policy"))
    assert error.metadata["provider_message"] == "violates the policy"
    assert not error.about_account
