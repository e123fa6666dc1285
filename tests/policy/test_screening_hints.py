"""The quick look says no only where there is nothing: it never hides from the patterns what they would find."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_policy.admission.domain import texts
from llm_mesh_policy.screening.domain.detectors import Detector, all_detectors
from llm_mesh_policy.screening.domain.requests import screen
from llm_mesh_policy.screening.domain.scan import MASKED, Watchlist
from tests.policy.test_screening_scan import CARD, IBAN, JWT, KEY, MAIL, PEM, PIECES

DETECTORS = all_detectors()
SECRETS = [CARD, IBAN, JWT, KEY, MAIL, PEM, "AKIAIOSFODNN7EXAMPLE", "536-90-4399"]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=8).map("".join)


@settings(max_examples=300, deadline=None)
@given(text=TEXTS, detector=st.sampled_from(DETECTORS))
def test_what_a_pattern_finds_the_quick_look_suspects(text: str, detector: Detector) -> None:
    encoded = text.encode()
    assert detector.may_occur(encoded) or detector.pattern.search(encoded) is None


@settings(max_examples=60, deadline=None)
@given(data=st.data(), detector=st.sampled_from(DETECTORS))
def test_whatever_matches_a_pattern_is_suspected(data: st.DataObject, detector: Detector) -> None:
    found = data.draw(st.from_regex(detector.source.decode(), fullmatch=False).filter(str.isascii)).encode()
    assert detector.may_occur(found)
    assert Watchlist([detector], {detector.name: MASKED}).may_find(b"x" + found + b"x")


@pytest.mark.parametrize(
    "key",
    [f"gh{kind}_" + "a" * 36 for kind in "pousr"]
    + [f"xox{kind}-" + "a" * 20 for kind in "abprs"]
    + ["sk-" + "a" * 20, "github_pat_" + "a" * 40, "AIza" + "a" * 35, "glpat-" + "a" * 20, "hf_" + "a" * 30]
    + [f"mk_{'a' * 16}_{'b' * 32}"],
)
def test_every_kind_of_key_is_suspected(key: str) -> None:
    detector = next(each for each in DETECTORS if each.name == "api_key")
    assert detector.pattern.search(key.encode())
    assert detector.may_occur(key.encode())


def test_each_quick_look_says_no_to_plain_words() -> None:
    assert not any(detector.may_occur(b"plain words, and 1 digit") for detector in DETECTORS)


def chat(text: str) -> generate_pb2.GenerateInput:
    part = content_pb2.Part(text=content_pb2.Text(text=text))
    return generate_pb2.GenerateInput(model="m", messages=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[part])])


def with_tool(text: str) -> generate_pb2.GenerateInput:
    message = chat("hello")
    message.tools.add(function=content_pb2.FunctionTool(name="f", description=text))
    return message


def with_extra(text: str) -> generate_pb2.GenerateInput:
    message = chat("hello")
    message.extras.add(dialect="openai", key="k", json=escaped(text))
    return message


def in_a_part(text: str) -> generate_pb2.GenerateInput:
    message = chat("hello")
    message.messages[0].parts[0].extras.add(dialect="openai", key="k", json=escaped(text))
    return message


def in_an_annotation(text: str) -> generate_pb2.GenerateInput:
    message = chat("hello")
    message.messages[0].parts[0].text.annotations.add(dialect="openai", key="k", json=escaped(text))
    return message


def in_a_result(text: str) -> generate_pb2.GenerateInput:
    message = chat("hello")
    inner = content_pb2.Part(opaque=content_pb2.OpaquePart(dialect="openai", json=escaped(text)))
    message.messages[0].parts.add(tool_result=content_pb2.ToolResult(tool_call_id="t", parts=[inner]))
    return message


def escaped(text: str) -> bytes:
    """JSON in which no character stands as itself."""
    units = text.encode("utf-16-be")
    return b'{"a": "' + b"".join(b"\\u%02x%02x" % (high, low) for high, low in zip(units[::2], units[1::2], strict=True)) + b'"}'


Place = Callable[[str], generate_pb2.GenerateInput]
PLACES: list[Place] = [chat, with_tool, with_extra, in_a_part, in_an_annotation, in_a_result]


class Suspicious(Watchlist):
    """Looks at everything closely."""

    def may_find(self, text: bytes) -> bool:
        return True

    def suspects(self, text: bytes) -> Sequence[Detector]:
        return self.detectors


def masked(message: generate_pb2.GenerateInput, detector: Detector, *, quick: bool) -> bytes:
    """What comes of a message where one detector is on: several would suspect for each other."""
    watchlist = (Watchlist if quick else Suspicious)([detector], {detector.name: MASKED})
    if quick and not watchlist.may_find_on_wire(message.SerializeToString(deterministic=True)):
        return b""
    result = screen(message, texts.of_generate, watchlist, patient=False)
    return b"" if result.masked is None else result.masked.SerializeToString(deterministic=True)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_found_wherever_it_stands_and_however_it_is_written(place: Place, secret: str) -> None:
    message = place(f"so: {secret} ok")
    found = [masked(message, detector, quick=True) for detector in DETECTORS]
    assert any(found)
    assert found == [masked(message, detector, quick=False) for detector in DETECTORS]


@settings(max_examples=150, deadline=None)
@given(text=TEXTS, place=st.sampled_from(PLACES), detector=st.sampled_from(DETECTORS))
def test_the_quick_look_changes_no_result(text: str, place: Place, detector: Detector) -> None:
    message = place(text)
    assert masked(message, detector, quick=True) == masked(message, detector, quick=False)
