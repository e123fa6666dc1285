"""Rules of fields as the contracts declare them: what breaks one is named by its path and by what was expected."""

from collections.abc import Callable
from typing import cast

import pytest
from google.protobuf.message import Message

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.validation import check_message, request_check

DEEP = b"[" * 101 + b"]" * 101


def chat(text: str) -> generate_pb2.GenerateInput:
    part = content_pb2.Part(text=content_pb2.Text(text=text))
    return generate_pb2.GenerateInput(model="big", messages=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[part])])


def refused(message: Message, field: str = "input") -> MeshError:
    with pytest.raises(MeshError) as refusal:
        check_message(message, field)
    return refusal.value


def spoiled(change: Callable[[generate_pb2.GenerateInput], object]) -> generate_pb2.GenerateInput:
    message = chat("hello")
    change(message)
    return message


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("input.model", lambda each: setattr(each, "model", "two words")),
        ("input.messages[0].role", lambda each: each.messages[0].ClearField("role")),
        ("input.messages[0].parts", lambda each: each.messages[0].ClearField("parts")),
        ("input.messages[0].parts[1]", lambda each: each.messages[0].parts.add()),
        ("input.messages[0].parts[1].image", lambda each: setattr(each.messages[0].parts.add().image, "mime_type", "image/png")),
        ("input.tools[0].function.name", lambda each: setattr(each.tools.add().function, "name", "a b")),
        ("input.candidate_count", lambda each: setattr(each, "candidate_count", 129)),
        ("input.max_output_tokens", lambda each: setattr(each, "max_output_tokens", -1)),
        ("input.stop", lambda each: each.stop.extend("abcdefghijklmnopq")),
        ("input.stop[0]", lambda each: each.stop.append("")),
        ("input.sampling.temperature", lambda each: setattr(each.sampling, "temperature", 2.1)),
        ("input.sampling.top_p", lambda each: setattr(each.sampling, "top_p", 0.0)),
        ("input.logprobs.top", lambda each: setattr(each.logprobs, "top", 21)),
        ("input.reasoning.effort", lambda each: setattr(each.reasoning, "effort", "huge")),
        ("input.end_user", lambda each: setattr(each, "end_user", "x" * 513)),
        ("input.extras[.].dialect", lambda each: each.extras.add()),
        ("input.extras[openai.x].json", lambda each: each.extras.add(dialect="openai", key="x", json=DEEP)),
        ("input.messages[0].extras[openai.x].json", lambda each: each.messages[0].extras.add(dialect="openai", key="x", json=DEEP)),
        (
            "input.messages[0].parts[0].extras[o.x].json",
            lambda each: each.messages[0].parts[0].extras.add(dialect="o", key="x", json=DEEP),
        ),
        (
            "input.messages[0].parts[0].text.annotations[o.x].json",
            lambda each: each.messages[0].parts[0].text.annotations.add(dialect="o", key="x", json=DEEP),
        ),
        ("input.messages[0].parts[1].opaque.json", lambda each: setattr(each.messages[0].parts.add().opaque, "json", DEEP)),
        (
            "input.messages[0].parts[1].tool_call.arguments_json",
            lambda each: each.messages[0].parts.add().tool_call.MergeFrom(content_pb2.ToolCall(id="c", arguments_json=DEEP.decode())),
        ),
        ("input.tools[0].opaque.json", lambda each: setattr(each.tools.add().opaque, "json", DEEP)),
        (
            "input.tools[0].function.parameters_json",
            lambda each: each.tools.add().function.MergeFrom(content_pb2.FunctionTool(name="f", parameters_json=DEEP.decode())),
        ),
        (
            "input.response_format.json_schema.schema_json",
            lambda each: setattr(each.response_format.json_schema, "schema_json", DEEP.decode()),
        ),
    ],
)
def test_what_breaks_a_rule_is_named_by_its_path(field: str, change: Callable[[generate_pb2.GenerateInput], object]) -> None:
    check_message(chat("hello"), "input")
    error = refused(spoiled(change))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", field)


def test_items_of_an_embedding_have_rules_too() -> None:
    message = embed_pb2.EmbedInput(model="small", items=[embed_pb2.EmbedItem(text="x")])
    check_message(message, "input")
    message.items.add()
    assert refused(message).field == "input.items[1]"
    message.items[1].tokens.SetInParent()
    assert refused(message).field == "input.items[1].tokens.ids"


@pytest.mark.parametrize(("tags", "field"), [({"Bad": "x"}, "options.tags[Bad]"), ({"a": "x" * 256}, "options.tags[a]")])
def test_entries_of_a_map_are_named_by_their_keys(tags: dict[str, str], field: str) -> None:
    assert refused(gateway_pb2.RequestOptions(tags=tags), "options").field == field


def test_bytes_that_are_no_text_are_no_json() -> None:
    message = chat("hello")
    message.extras.add(dialect="openai", key="k", json=b"\xff")
    refusal = refused(message)
    assert refusal.field == "input.extras[openai.k].json"
    assert refusal.message == "input.extras[openai.k].json: must be JSON text in UTF-8 that is nested at most 100 deep"


def test_messages_of_a_type_are_counted_in_the_whole_request() -> None:
    message = chat("x")
    for _ in range(5):
        made = message.messages.add(role=content_pb2.ROLE_USER)
        made.parts.extend([content_pb2.Part(text=content_pb2.Text(text="x"))] * 4000)
    assert refused(message).field == "input.messages"
    results = chat("x")
    inner = [content_pb2.Part(text=content_pb2.Text(text="x"))] * 4000
    for number in range(5):
        part = results.messages.add(role=content_pb2.ROLE_TOOL).parts.add()
        part.tool_result.CopyFrom(content_pb2.ToolResult(tool_call_id=f"c{number}", parts=inner))
    assert refused(results).message == "input.messages: must have at most 16,384 parts in all"


def test_what_the_sender_has_checked_is_not_checked_again() -> None:
    check = request_check(policy_pb2.AdmitRequest.DESCRIPTOR, known_enums=False)
    assert check is not None
    check(policy_pb2.AdmitRequest(generate=generate_pb2.GenerateInput(model="no alias!")), 100)
    with pytest.raises(MeshError) as refusal:
        check(policy_pb2.AdmitRequest(), 0)
    assert refusal.value.field == "input"


def test_a_value_of_an_enum_that_this_build_does_not_know_is_refused_to_keys_alone() -> None:
    request = gateway_pb2.GenerateRequest(input=chat("x"))
    request.options.fidelity = cast("gateway_pb2.Fidelity", 99)
    strict, lenient = (request_check(request.DESCRIPTOR, known_enums=known) for known in (True, False))
    assert strict is not None
    assert lenient is not None
    lenient(request, 100)
    with pytest.raises(MeshError) as refusal:
        strict(request, 100)
    assert refusal.value.field == "options.fidelity"
