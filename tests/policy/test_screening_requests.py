"""A secret is found wherever it stands in a request and however it is cut in two; what was JSON or a name stays one."""

import base64
import json
from collections.abc import Callable
from itertools import combinations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh_policy.admission.domain import texts
from llm_mesh_policy.screening.domain.detectors import all_detectors, names
from llm_mesh_policy.screening.domain.reading import MOST_MASKED
from llm_mesh_policy.screening.domain.requests import Screened, screen
from llm_mesh_policy.screening.domain.scan import BLOCKED, LOGGED, MASKED, UNDECODABLE, Scan, Watchlist
from llm_mesh_runtime.errors import MeshError
from tests.policy.test_screening_reading import WRITTEN, plain
from tests.policy.test_screening_scan import CARD, IBAN, JWT, KEY, MAIL, PEM

Input = generate_pb2.GenerateInput
ALL = Watchlist(all_detectors(), dict.fromkeys(names(), MASKED))
OPAQUE = {action: Watchlist(all_detectors(), {UNDECODABLE: action}) for action in (LOGGED, MASKED, BLOCKED)}


def said(*pieces: str) -> Input:
    """A conversation with a message for each piece."""
    message = Input(model="m")
    for piece in pieces:
        message.messages.add(role=content_pb2.ROLE_USER).parts.add().text.text = piece
    return message


def in_parts(*pieces: str) -> Input:
    message = Input(model="m")
    made = message.messages.add(role=content_pb2.ROLE_USER)
    for piece in pieces:
        made.parts.add().text.text = piece
    return message


def in_arguments(*pieces: str) -> Input:
    message = said("hello")
    call = message.messages.add(role=content_pb2.ROLE_ASSISTANT).parts.add().tool_call
    call.id, call.name, call.arguments_json = "c1", "f", json.dumps({"key": {f"k{number}": piece for number, piece in enumerate(pieces)}})
    return message


def in_results(*pieces: str) -> Input:
    message = said("hello")
    for number, piece in enumerate(pieces):
        result = message.messages.add(role=content_pb2.ROLE_TOOL).parts.add().tool_result
        result.tool_call_id = f"c{number}"
        result.parts.add().text.text = piece
    return message


def in_an_enumeration(*pieces: str) -> Input:
    message = said("hello")
    schema = {"type": "object", "properties": {"a": {"type": "string", "enum": list(pieces)}}}
    message.tools.add(function=content_pb2.FunctionTool(name="f", parameters_json=json.dumps(schema)))
    return message


def in_descriptions(*pieces: str) -> Input:
    message = said("hello")
    for number, piece in enumerate(pieces):
        message.tools.add(function=content_pb2.FunctionTool(name=f"f{number}", description=piece))
    return message


def in_extras(*pieces: str) -> Input:
    message = said("hello")
    for number, piece in enumerate(pieces):
        message.extras.add(dialect="openai", key=f"x{number}", json=orjson.dumps({"v": piece}))
    return message


def in_stops(*pieces: str) -> Input:
    message = said("hello")
    message.stop.extend(pieces)
    return message


def then_reasoned(*pieces: str) -> Input:
    message = said("hello")
    parts = message.messages.add(role=content_pb2.ROLE_ASSISTANT).parts
    for piece in pieces:
        parts.add().reasoning.text = piece
    return message


PLACES: list[Callable[..., Input]] = [
    said, in_parts, in_arguments, in_results, in_an_enumeration, in_descriptions, in_extras, in_stops, then_reasoned,
]  # fmt: skip


def screened(message: Input, watch: Watchlist = ALL) -> Screened[Input]:
    if not watch.may_find_on_wire(message.SerializeToString(deterministic=True)):
        return Screened()
    return screen(message, texts.of_generate, watch, patient=False)


def masked(message: Input, watch: Watchlist = ALL) -> Input:
    result = screened(message, watch).masked
    assert result is not None, "nothing was masked"
    return result


def everything(message: Input) -> str:
    """All texts of a message, one behind the other: what a reader could put together."""
    found = []
    for slot in texts.of_generate(message):
        if slot.form.value in {"json", "schema"}:
            found += _strings(json.loads(slot.text))
        else:
            found.append(slot.text)
    return "".join(found)


def _strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for key, inner in value.items() for text in (*_strings(inner), f" {key} ")]
    if isinstance(value, list):
        return [text for inner in value for text in _strings(inner)]
    return [str(value)]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("secret", [CARD, IBAN, KEY, JWT, MAIL, PEM, "AKIAIOSFODNN7EXAMPLE", "536-90-4399"])
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_a_secret_that_goes_on_in_the_next_text_is_found_at_every_cut(
    place: Callable[..., Input], secret: str, data: st.DataObject
) -> None:
    cuts = data.draw(st.lists(st.integers(1, len(secret) - 1), min_size=1, max_size=3, unique=True).map(sorted))
    pieces = [secret[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(secret)], strict=True)]
    result = masked(place(*pieces))
    assert secret not in everything(result)
    longer = [each for each in pieces if len(each) > 12 and secret != MAIL]
    assert not any(each in everything(result) for each in longer)


@pytest.mark.parametrize("secret", [KEY, JWT])
def test_a_short_text_in_a_secret_does_not_end_it(secret: str) -> None:
    near = [(first, second) for first, second in combinations(range(20, len(secret)), 2) if second - first < 12]
    for first, second in near:
        rest = secret[second:]
        result = everything(masked(said(secret[:first], secret[first:second], rest)))
        assert len(rest) <= 12 or rest not in result, (first, second)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_a_card_is_found_in_every_place_however_it_is_written(place: Callable[..., Input], written: str) -> None:
    watch = Watchlist(all_detectors(), {"credit_card": MASKED})
    result = masked(place(f"so {written} ok"), watch)
    assert "411111" not in plain(everything(result))


CUT_CARD = ("4111 1111 ", "1111 1111")


def test_the_private_key_rule_alone_finds_a_key_that_is_cut() -> None:
    watch = Watchlist(all_detectors(), {"private_key": MASKED})
    for cut in range(1, 40):
        result = masked(said("see", PEM[:cut], PEM[cut:], "thanks"), watch)
        assert "MII" not in everything(result)
        assert everything(result).endswith("thanks")


@pytest.mark.parametrize("dash", ["\uff0d", "\u2010", "\\u002d", "%2d", "-\u200b"])
def test_the_private_key_rule_alone_finds_a_key_with_other_dashes(dash: str) -> None:
    watch = Watchlist(all_detectors(), {"private_key": MASKED})
    assert "MII" not in everything(masked(said(PEM.replace("-", dash)), watch))


def test_a_key_without_an_end_goes_on_in_the_next_text_only_as_lines_of_base64() -> None:
    watch = Watchlist(all_detectors(), {"private_key": MASKED})
    body = "MIIEowIBAAKCAQEAx2" * 4
    result = everything(masked(said(f"-----BEGIN PRIVATE KEY-----\n{body}", body, "What is this?"), watch))
    assert result == "[private_key][private_key]What is this?"


def test_what_follows_a_whole_key_in_the_next_text_stays() -> None:
    assert everything(masked(said(f"Use {KEY}", "What does it open?"))) == "Use [api_key]What does it open?"
    assert everything(masked(said(f"Mail {MAIL}", "Thanks"))) == "Mail [email]Thanks"
    assert everything(masked(said("Please", MAIL))) == "Please[email]"


def test_names_and_ids_stay_names_and_the_same_names() -> None:
    name = "pay_4111111111111111"
    message = said("hello")
    message.tools.add(function=content_pb2.FunctionTool(name=name))
    message.tools.add(function=content_pb2.FunctionTool(name="pay_5500000000000004"))
    message.tool_choice.mode, message.tool_choice.name = content_pb2.TOOL_CHOICE_MODE_NAMED, name
    call = message.messages.add(role=content_pb2.ROLE_ASSISTANT).parts.add().tool_call
    call.id, call.name = "call_4111111111111111", name
    message.messages.add(role=content_pb2.ROLE_TOOL).parts.add().tool_result.tool_call_id = "call_4111111111111111"
    result = masked(message)
    assert [tool.function.name for tool in result.tools] == ["masked_credit_card_2", "masked_credit_card_3"]
    assert result.tool_choice.name == result.messages[1].parts[0].tool_call.name == "masked_credit_card_2"
    assert result.messages[1].parts[0].tool_call.id == result.messages[2].parts[0].tool_result.tool_call_id == "masked_credit_card"


def test_keys_and_numbers_of_json_are_screened_and_it_stays_json() -> None:
    message = said("hello")
    call = message.messages.add(role=content_pb2.ROLE_ASSISTANT).parts.add().tool_call
    call.arguments_json = '{"4111111111111111": {"n": [4111111111111111, -5500000000000004.0]}, "5500000000000004": 1}'
    message.extras.add(dialect="openai", key="k", json=b'{"\\u0034111111111111111": 4111111111111111}')
    result = masked(message)
    arguments = json.loads(result.messages[1].parts[0].tool_call.arguments_json)
    assert arguments == {"[credit_card]": {"n": ["[credit_card]", "[credit_card 2]"]}, "[credit_card 3]": 1}
    assert "1111" not in result.extras[0].json.decode()
    json.loads(result.extras[0].json)


def test_a_schema_stays_a_schema() -> None:
    message = said("hello")
    schema = {
        "type": "object",
        "properties": {
            "4111111111111111": {"type": "integer", "enum": [4111111111111111, 5500000000000004], "minimum": 4111111111111111},
            "b": {"enum": ["4111111111111111 a", "5500000000000004 a"]},
        },
        "required": ["4111111111111111"],
    }
    message.response_format.json_schema.name = "x"
    message.response_format.json_schema.schema_json = json.dumps(schema)
    result = json.loads(masked(message).response_format.json_schema.schema_json)
    (key,) = result["required"]
    numbers = result["properties"][key]["enum"]
    assert [type(number) for number in numbers] == [int, int]
    assert len(set(numbers)) == 2
    assert type(result["properties"][key]["minimum"]) is int
    assert len(set(result["properties"]["b"]["enum"])) == 2
    assert "1111111" not in json.dumps(result)


def test_arguments_that_are_no_json_are_screened_as_a_text() -> None:
    message = said("hello")
    call = message.messages.add(role=content_pb2.ROLE_ASSISTANT).parts.add().tool_call
    call.arguments_json = '4111 1111 1111 1111, "'
    assert masked(message).messages[1].parts[0].tool_call.arguments_json == '[credit_card], "'


SPOILED = content_pb2.OpaquePart(dialect="openai", type="x", json=b'{"n":4111111111111111}')
SPOILS: dict[str, Callable[[Input], object]] = {
    "end_user": lambda each: setattr(each, "end_user", CARD),
    "prompt_cache_key": lambda each: setattr(each, "prompt_cache_key", CARD),
    "stop": lambda each: each.stop.append(CARD),
    "modalities": lambda each: each.modalities.append(CARD),
    "name of a message": lambda each: setattr(each.messages[0], "name", CARD),
    "key of an extra": lambda each: each.extras.add(dialect="openai", key=CARD, json=b"1"),
    "extra of a message": lambda each: each.messages[0].extras.add(dialect="openai", key="k", json=b"[4111111111111111]"),
    "extra of a part": lambda each: each.messages[0].parts[0].extras.add(dialect="openai", key="k", json=b"4111111111111111"),
    "annotation": lambda each: each.messages[0].parts[0].text.annotations.add(dialect="openai", key="k", json=b'"4111 1111 1111 1111"'),
    "extra of a tool": lambda each: each.tools.add(opaque=SPOILED).extras.add(dialect="openai", key="k", json=b"4111111111111111"),
    "logit_bias": lambda each: each.sampling.logit_bias.update({"4111111111111111": 1.0}),
    "name of the format": lambda each: setattr(each.response_format.json_schema, "name", "c4111111111111111"),
    "description of the format": lambda each: setattr(each.response_format.json_schema, "description", CARD),
    "URL": lambda each: setattr(each.messages[0].parts.add().image, "uri", "https://x/%34111%201111%201111%201111"),
    "name of a file": lambda each: setattr(each.messages[0].parts.add().file, "filename", f"{CARD}.txt"),
    "id of a file": lambda each: setattr(each.messages[0].parts.add().file, "file_id", "4111111111111111"),
    "transcript": lambda each: setattr(each.messages[0].parts.add().audio, "transcript", CARD),
    "media type": lambda each: setattr(each.messages[0].parts.add().file, "mime_type", CARD),
    "detail": lambda each: setattr(each.messages[0].parts.add().image, "detail", CARD),
    "signature": lambda each: setattr(each.messages[0].parts.add().reasoning, "signature", CARD),
    "refusal": lambda each: setattr(each.messages[0].parts.add().refusal, "text", CARD),
    "opaque part": lambda each: each.messages[0].parts.add().opaque.CopyFrom(SPOILED),
    "type of an opaque part": lambda each: setattr(each.messages[0].parts.add().opaque, "type", CARD),
    "opaque tool": lambda each: each.tools.add().opaque.CopyFrom(SPOILED),
    "result of a tool": lambda each: each.messages[0].parts.add().tool_result.parts.add().opaque.CopyFrom(SPOILED),
}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_every_field_that_leaves_is_screened(spoil: Callable[[Input], object]) -> None:
    message = said("hello")
    spoil(message)
    assert b"1111" in message.SerializeToString()
    assert b"1111" not in masked(message).SerializeToString()


@pytest.mark.parametrize("mime", ["text/plain", "text/csv; charset=utf-8", "application/json"])
def test_a_file_that_is_a_text_is_screened(mime: str) -> None:
    message = said("hello")
    file = message.messages[0].parts.add().file
    file.data, file.mime_type = f"a,{CARD}".encode(), mime
    assert masked(message).messages[0].parts[1].file.data == b"a,[credit_card]"


@pytest.mark.parametrize(
    "encode", [lambda text: ";base64," + base64.b64encode(text.encode()).decode(), lambda text: "," + text.replace(" ", "%20")]
)
def test_a_data_url_that_is_a_text_is_screened(encode: Callable[[str], str]) -> None:
    message = said("hello")
    message.messages[0].parts.add().file.uri = "data:text/plain" + encode(f"a {CARD}")
    assert encode("a [credit_card]").replace("[", "%5B").replace("]", "%5D") in masked(message).messages[0].parts[1].file.uri or (
        encode("a [credit_card]") in masked(message).messages[0].parts[1].file.uri
    )


def opaque(change: Callable[[content_pb2.Part], object]) -> Input:
    message = said("hello")
    change(message.messages[0].parts.add())
    return message


UNREADABLE: list[Callable[[content_pb2.Part], object]] = [
    lambda part: part.image.MergeFrom(content_pb2.Media(data=b"\x89PNG", mime_type="image/png")),
    lambda part: part.audio.MergeFrom(content_pb2.Media(data=b"RIFF", mime_type="audio/wav")),
    lambda part: part.file.MergeFrom(content_pb2.Media(data=b"\xff\xfe", mime_type="text/plain")),
    lambda part: part.file.MergeFrom(content_pb2.Media(file_id="file-1")),
    lambda part: part.image.MergeFrom(content_pb2.Media(uri="https://x.example/a.png")),
    lambda part: part.image.MergeFrom(content_pb2.Media(uri="data:text/plain;base64,!!!")),
    lambda part: part.reasoning.MergeFrom(content_pb2.Reasoning(redacted=b"sealed")),
]


@pytest.mark.parametrize("change", UNREADABLE)
def test_what_cannot_be_read_is_a_class_with_an_action(change: Callable[[content_pb2.Part], object]) -> None:
    message = opaque(change)
    assert screened(message).masked is None
    logged = screened(message, OPAQUE[LOGGED])
    assert ([each.detector for each in logged.findings], logged.masked, logged.blocked) == ([UNDECODABLE], None, [])
    assert masked(message, OPAQUE[MASKED]).messages[0].parts[1].text.text == "[undecodable]"
    assert screened(message, OPAQUE[BLOCKED]).blocked == [UNDECODABLE]


def test_token_ids_of_an_embedding_cannot_be_read() -> None:
    message = embed_pb2.EmbedInput(model="m", items=[embed_pb2.EmbedItem(tokens=embed_pb2.TokenIds(ids=[1]))])
    assert screen(message, texts.of_embed, OPAQUE[BLOCKED], patient=False).blocked == [UNDECODABLE]


def test_a_text_alone_is_screened_as_an_answer_is() -> None:
    for text in (*WRITTEN.values(), PEM, KEY, f"{IBAN} AND MORE", MAIL):
        assert everything(masked(said(f"a {text} b"))) == Scan(ALL, "f").push(f"a {text} b", final=True)


def test_more_json_values_than_the_bound_are_refused_by_their_field() -> None:
    message = said(CARD)
    message.extras.add(dialect="openai", key="k", json=b"[" + b"1," * 2000 + b"1]")
    with pytest.raises(MeshError) as refusal:
        screen(message, texts.of_generate, ALL, patient=False, most_values=2000)
    assert refusal.value.field == "extras[0].json"


def test_deep_json_is_screened_without_depth() -> None:
    message = said("hello")
    message.extras.add(dialect="openai", key="k", json=b"[" * 50_000 + b'"4111 1111 1111 1111"' + b"]" * 50_000)
    assert b"1111" not in masked(message).extras[0].json


def test_findings_are_counted_and_told_without_their_text() -> None:
    result = screened(said(f"{CARD} and {MAIL}", CARD))
    assert result.counts == {("credit_card", MASKED): 2, ("email", MASKED): 1}
    assert [(each.detector, each.field, each.start, each.end) for each in result.findings] == [
        ("credit_card", "messages[0].parts[0].text", 0, 19),
        ("email", "messages[0].parts[0].text", 24, 54),
        ("credit_card", "messages[1].parts[0].text", 0, 19),
    ]
    assert "4111" not in str(result.findings)


def test_a_request_with_more_findings_than_can_be_masked_is_refused() -> None:
    cards = f"{CARD} " * (MOST_MASKED + 50)
    assert screened(said(cards)).blocked == ["credit_card"]
    assert screened(said(f"{CARD} " * MOST_MASKED)).counts == {("credit_card", MASKED): MOST_MASKED}
