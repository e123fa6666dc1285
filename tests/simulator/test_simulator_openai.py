"""The OpenAI dialect, as the official SDK sees it."""

import json
import math

import jsonschema
import openai
import pytest
from openai.types.chat import ChatCompletionContentPartParam, ChatCompletionMessageParam, ChatCompletionToolParam

from llm_mesh_simulator.domain import tokens
from tests.simulator.conftest import Running, http

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello, wörld 🙂"}]
SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 3},
        "days": {"type": "integer", "minimum": 1, "maximum": 7},
        "unit": {"enum": ["celsius", "fahrenheit"]},
    },
    "required": ["city", "days", "unit"],
    "additionalProperties": False,
}


def tool(name: str) -> ChatCompletionToolParam:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA}}


async def test_an_echo_has_exact_usage(chat: openai.AsyncOpenAI) -> None:
    answer = await chat.chat.completions.create(model="sim-echo", messages=HELLO)
    assert answer.choices[0].message.content == "Hello, wörld 🙂"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == tokens.count("Hello, wörld 🙂")
    assert answer.usage.prompt_tokens == tokens.count("Hello, wörld 🙂") + tokens.PER_MESSAGE + tokens.PER_REQUEST
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


async def test_a_stream_says_what_the_whole_answer_says(chat: openai.AsyncOpenAI) -> None:
    whole = await chat.chat.completions.create(model="sim-words", messages=HELLO, n=2)
    stream = await chat.chat.completions.create(model="sim-words", messages=HELLO, n=2, stream=True, stream_options={"include_usage": True})
    texts, finishes, usage = {0: "", 1: ""}, {}, None
    async for chunk in stream:
        assert chunk.object == "chat.completion.chunk"
        usage = chunk.usage or usage
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            if choice.finish_reason:
                finishes[choice.index] = choice.finish_reason
    assert texts == {choice.index: choice.message.content for choice in whole.choices}
    assert texts[0] != texts[1]
    assert finishes == {0: "stop", 1: "stop"}
    assert usage == whole.usage


async def test_usage_streams_only_when_asked_for(chat: openai.AsyncOpenAI) -> None:
    stream = await chat.chat.completions.create(model="sim-echo", messages=HELLO, stream=True)
    assert [chunk.usage async for chunk in stream if chunk.usage] == []


async def test_the_same_request_gets_the_same_words_and_another_seed_others(chat: openai.AsyncOpenAI) -> None:
    async def said(seed: int) -> str | None:
        return (await chat.chat.completions.create(model="sim-words", messages=HELLO, seed=seed)).choices[0].message.content

    assert await said(1) == await said(1)
    assert await said(1) != await said(2)


async def test_a_limit_ends_with_length_and_a_stop_text_before_it(chat: openai.AsyncOpenAI) -> None:
    cut = await chat.chat.completions.create(model="sim-words", messages=HELLO, max_tokens=5)
    assert cut.choices[0].finish_reason == "length"
    assert cut.usage is not None
    assert cut.usage.completion_tokens == 5
    stopped = await chat.chat.completions.create(model="sim-echo", messages=HELLO, stop=["never", " wörld"])
    assert stopped.choices[0].message.content == "Hello,"
    assert stopped.choices[0].finish_reason == "stop"


async def test_reasoning_counts_within_the_completion(chat: openai.AsyncOpenAI) -> None:
    answer = await chat.chat.completions.create(model="sim-echo", messages=HELLO, reasoning_effort="low")
    assert answer.usage is not None
    assert answer.usage.completion_tokens_details is not None
    assert answer.usage.completion_tokens_details.reasoning_tokens == 16
    assert answer.usage.completion_tokens == 16 + tokens.count("Hello, wörld 🙂")


async def test_log_probabilities_cover_each_token(chat: openai.AsyncOpenAI) -> None:
    answer = await chat.chat.completions.create(model="sim-echo", messages=HELLO, logprobs=True, top_logprobs=3)
    shown = answer.choices[0].logprobs
    assert shown is not None
    assert shown.content is not None
    assert "".join(each.token for each in shown.content) == "Hello, wörld 🙂"
    assert all(len(each.top_logprobs) == 3 and each.logprob <= 0 for each in shown.content)
    stream = await chat.chat.completions.create(model="sim-echo", messages=HELLO, logprobs=True, top_logprobs=3, stream=True)
    streamed = [c.logprobs.content async for chunk in stream for c in chunk.choices if c.logprobs and c.logprobs.content]
    assert [each for part in streamed for each in part] == shown.content


async def test_tools_named_in_the_text_are_called_in_parallel_with_valid_arguments(chat: openai.AsyncOpenAI) -> None:
    said: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Please get_weather and get news."}]
    offered = [tool("get_weather"), tool("get_time"), tool("get_news")]
    answer = await chat.chat.completions.create(model="sim-echo", messages=said, tools=offered)
    assert answer.choices[0].finish_reason == "tool_calls"
    calls = answer.choices[0].message.tool_calls
    assert calls is not None
    names = []
    for call in calls:
        assert call.type == "function"
        names.append(call.function.name)
        jsonschema.validate(json.loads(call.function.arguments), SCHEMA)
    assert names == ["get_weather", "get_news"]
    assert len({call.id for call in calls}) == 2
    one = await chat.chat.completions.create(model="sim-echo", messages=said, tools=offered, parallel_tool_calls=False)
    assert len(one.choices[0].message.tool_calls or ()) == 1


async def test_streamed_tool_calls_grow_to_the_whole_ones(chat: openai.AsyncOpenAI) -> None:
    said: list[ChatCompletionMessageParam] = [{"role": "user", "content": "get_weather and get_news"}]
    offered = [tool("get_weather"), tool("get_news")]
    whole = await chat.chat.completions.create(model="sim-echo", messages=said, tools=offered)
    async with chat.chat.completions.stream(model="sim-echo", messages=said, tools=offered) as stream:
        final = await stream.get_final_completion()
    grown = [(c.id, c.function.name, c.function.arguments) for c in final.choices[0].message.tool_calls or ()]
    assert grown == [
        (c.id, c.function.name, c.function.arguments) for c in whole.choices[0].message.tool_calls or () if c.type == "function"
    ]
    assert len(grown) == 2


async def test_tool_choice_forces_and_forbids_calls(chat: openai.AsyncOpenAI) -> None:
    offered = [tool("get_weather"), tool("get_news")]
    forced = await chat.chat.completions.create(
        model="sim-echo", messages=HELLO, tools=offered, tool_choice={"type": "function", "function": {"name": "get_news"}}
    )
    call = (forced.choices[0].message.tool_calls or [])[0]
    assert call.type == "function"
    assert call.function.name == "get_news"
    required = await chat.chat.completions.create(model="sim-echo", messages=HELLO, tools=offered, tool_choice="required")
    assert required.choices[0].message.tool_calls
    said: list[ChatCompletionMessageParam] = [{"role": "user", "content": "get_news"}]
    forbidden = await chat.chat.completions.create(model="sim-echo", messages=said, tools=offered, tool_choice="none")
    assert forbidden.choices[0].message.content == "get_news"


async def test_the_result_of_a_tool_is_answered_in_words(chat: openai.AsyncOpenAI) -> None:
    said: list[ChatCompletionMessageParam] = [
        {"role": "user", "content": "get_weather"},
        {
            "role": "assistant",
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "get_weather says sunny"},
    ]
    answer = await chat.chat.completions.create(model="sim-echo", messages=said, tools=[tool("get_weather")])
    assert answer.choices[0].message.content == "get_weather says sunny"


async def test_structured_output_is_valid_against_its_schema(chat: openai.AsyncOpenAI) -> None:
    answer = await chat.chat.completions.create(
        model="sim-echo",
        messages=HELLO,
        response_format={"type": "json_schema", "json_schema": {"name": "trip", "strict": True, "schema": SCHEMA}},
    )
    jsonschema.validate(json.loads(answer.choices[0].message.content or ""), SCHEMA)
    loose = await chat.chat.completions.create(model="sim-echo", messages=HELLO, response_format={"type": "json_object"})
    assert json.loads(loose.choices[0].message.content or "") == {"answer": "Hello, wörld 🙂"}


async def test_a_refusal_takes_the_place_of_content(chat: openai.AsyncOpenAI) -> None:
    answer = await chat.chat.completions.create(model="sim-refusal", messages=HELLO)
    assert answer.choices[0].message.content is None
    assert "refuse" in (answer.choices[0].message.refusal or "")
    stream = await chat.chat.completions.create(model="sim-refusal", messages=HELLO, stream=True)
    streamed = "".join([c.delta.refusal or "" async for chunk in stream for c in chunk.choices])
    assert streamed == answer.choices[0].message.refusal


async def test_images_count(chat: openai.AsyncOpenAI) -> None:
    text: ChatCompletionContentPartParam = {"type": "text", "text": "look"}
    picture: ChatCompletionContentPartParam = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}}
    said: list[ChatCompletionMessageParam] = [{"role": "user", "content": [text, picture]}]
    answer = await chat.chat.completions.create(model="sim-echo", messages=said)
    assert answer.choices[0].message.content == "look"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 1 + tokens.PER_IMAGE_LOW + tokens.PER_MESSAGE + tokens.PER_REQUEST


async def test_embeddings_are_unit_vectors_and_near_for_shared_words(chat: openai.AsyncOpenAI) -> None:
    texts = ["the quick brown fox", "the quick red fox", "quarterly revenue report"]
    # The SDK asks for base64 unless told otherwise, and decodes it.
    packed = await chat.embeddings.create(model="sim-embed", input=texts, dimensions=128)
    answer = await chat.embeddings.create(model="sim-embed", input=texts, dimensions=128, encoding_format="float")
    assert answer.usage.prompt_tokens == sum(map(tokens.count, texts))
    one, two, three = (each.embedding for each in answer.data)
    assert len(one) == 128
    assert math.isclose(sum(value * value for value in one), 1, rel_tol=1e-6)
    assert sum(map(float.__mul__, one, two)) > sum(map(float.__mul__, one, three)) + 0.2
    assert all(math.isclose(a, b, abs_tol=1e-6) for a, b in zip(one, packed.data[0].embedding, strict=True))
    numbers = await chat.embeddings.create(model="sim-embed", input=[[1, 2, 3], [4]])
    assert numbers.usage.prompt_tokens == 4


async def test_models_are_the_named_behaviours(chat: openai.AsyncOpenAI) -> None:
    listed = [each.id async for each in chat.models.list()]
    assert "sim-echo" in listed
    assert (await chat.models.retrieve("sim-429")).owned_by == "llm-mesh-simulator"
    with pytest.raises(openai.NotFoundError):
        await chat.models.retrieve("nothing")


async def test_headers_name_the_request_and_the_limits(chat: openai.AsyncOpenAI) -> None:
    raw = await chat.chat.completions.with_raw_response.create(model="sim-echo", messages=HELLO)
    assert raw.request_id
    assert raw.headers["x-request-id"] == raw.request_id
    assert raw.headers["x-ratelimit-limit-requests"] == "10000"
    assert raw.headers["x-ratelimit-reset-tokens"] == "0s"
    assert raw.headers["openai-version"] == "2020-10-01"


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        (b"{", 400, None, None),
        (b"\xff", 400, None, None),
        (b'{"model":"sim-echo"}', 400, "messages", "missing_required_parameter"),
        (b'{"model":"sim-echo","messages":[]}', 400, "messages", "empty_array"),
        (b'{"messages":[{"role":"user","content":"x"}]}', 400, "model", "missing_required_parameter"),
        (b'{"model":"sim-echo","messages":[{"role":"user","content":7}]}', 400, "messages[0].content", "invalid_type"),
        (b'{"model":"sim-echo","messages":[{"role":"friend","content":"x"}]}', 400, "messages[0].role", "invalid_value"),
        (b'{"model":"sim-echo","n":0,"messages":[{"role":"user","content":"x"}]}', 400, "n", "integer_below_min_value"),
        (b'{"model":"sim-echo","stream":"yes","messages":[{"role":"user","content":"x"}]}', 400, "stream", "invalid_type"),
        (b'{"model":"sim-echo","stream_options":{},"messages":[{"role":"user","content":"x"}]}', 400, "stream_options", None),
        (b'{"model":"sim-nothing","messages":[{"role":"user","content":"x"}]}', 404, "model", "model_not_found"),
        (b'{"model":"sim-echo/speed:9","messages":[{"role":"user","content":"x"}]}', 404, "model", "model_not_found"),
    ],
)
async def test_wrong_requests_are_refused_as_openai_does(
    simulator: Running, body: bytes, status: int, param: str | None, code: str | None
) -> None:
    got, _, raw = await http(simulator.port, "POST", "/v1/chat/completions", body)
    error = json.loads(raw)["error"]
    assert (got, error["param"], error["code"]) == (status, param, code)
    assert error["type"] == "invalid_request_error"
    assert error["message"]
    assert (await simulator.served())[0]["outcome"] == "refused"
