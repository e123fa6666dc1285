"""What the router is told: never less than what could be billed, and never the words."""

from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_gateway.domain.profile import profile_embedding, profile_generation


def user(words: str) -> content_pb2.Message:
    return content_pb2.Message(role=content_pb2.ROLE_USER, parts=[content_pb2.Part(text=content_pb2.Text(text=words))])


def profile(streamed: bool = False, **fields: object) -> router_pb2.RequestProfile:  # noqa: FBT001, FBT002 - reads as the request does
    told = router_pb2.RequestProfile()
    request = generate_pb2.GenerateInput(**fields)  # type: ignore[arg-type]  # fields of the message
    profile_generation(told, request, session="", exact=False, streamed=streamed)
    return told


@given(st.lists(st.text(max_size=50), max_size=5))
def test_the_bound_is_the_bytes_of_all_text_and_sixteen_per_message(texts: list[str]) -> None:
    told = profile(messages=[user(each) for each in texts])
    assert told.input_bytes == sum(len(each.encode()) + 16 for each in texts)
    assert told.messages == len(texts)


def test_tools_and_schemas_count() -> None:
    function = content_pb2.FunctionTool(name="look", description="looks", parameters_json='{"type":"object"}')
    schema = content_pb2.JsonSchemaFormat(name="s", schema_json='{"type":"string"}')
    told = profile(tools=[content_pb2.Tool(function=function)], response_format=content_pb2.ResponseFormat(json_schema=schema))
    assert told.input_bytes == 16 + len("looklooks") + 17 + 16 + 1 + 17
    assert set(told.capabilities) == {"tools", "json_schema"}


def test_what_the_model_said_and_tools_answered_counts() -> None:
    call = content_pb2.Part(tool_call=content_pb2.ToolCall(id="c1", name="look", arguments_json="{}"))
    result = content_pb2.ToolResult(tool_call_id="c1", parts=[content_pb2.Part(text=content_pb2.Text(text="blue"))])
    messages = [
        content_pb2.Message(role=content_pb2.ROLE_ASSISTANT, parts=[call]),
        content_pb2.Message(role=content_pb2.ROLE_TOOL, parts=[content_pb2.Part(tool_result=result)]),
    ]
    assert profile(messages=messages).input_bytes == 4 * 16 + len("c1look{}") + len("c1blue")


def test_images_are_told_apart_from_text() -> None:
    image = content_pb2.Part(image=content_pb2.Media(data=b"x" * 10_000, mime_type="image/png"))
    told = profile(messages=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[image])])
    assert (told.images, told.input_bytes) == (1, 16)
    assert told.input_modalities == ["image"]


def test_sound_counts_with_all_its_bytes() -> None:
    sound = content_pb2.Part(audio=content_pb2.Media(data=b"x" * 10_000, mime_type="audio/wav"))
    assert profile(messages=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[sound])]).input_bytes == 10_016


def test_extras_count_too() -> None:
    extra = content_pb2.Extra(dialect="openai", key="documents", json=b'["a long text"]')
    assert profile(messages=[user("hi")], extras=[extra]).input_bytes == 16 + 2 + len("documents") + 15


def test_needs_are_told() -> None:
    assert profile(streamed=True).capabilities == ["streaming"]
    assert profile(logprobs=generate_pb2.LogprobOptions()).capabilities == ["logprobs"]
    assert profile(reasoning=generate_pb2.ReasoningOptions(effort="low")).capabilities == ["reasoning"]
    assert profile(reasoning=generate_pb2.ReasoningOptions(effort="none")).capabilities == []


def test_items_of_tokens_have_as_many_tokens_as_they_say() -> None:
    tokens = embed_pb2.EmbedItem(tokens=embed_pb2.TokenIds(ids=[1, 2, 3]))
    request = embed_pb2.EmbedInput(items=[tokens, embed_pb2.EmbedItem(text="ab")])
    told = router_pb2.RequestProfile()
    profile_embedding(told, request, session="", exact=False)
    assert told.input_bytes == 16 + 3 + 16 + 2


def test_an_item_of_tokens_is_estimated_at_what_it_says_and_text_at_four_bytes_a_token() -> None:
    told = router_pb2.RequestProfile()
    items = [embed_pb2.EmbedItem(tokens=embed_pb2.TokenIds(ids=[7] * 1_000)), embed_pb2.EmbedItem(text="x" * 84)]
    profile_embedding(told, embed_pb2.EmbedInput(items=items), session="", exact=False)
    assert told.estimated_input_tokens == 1_000 + (84 + 16) // 4
    assert told.input_bytes == 16 + 1_000 + 16 + 84
