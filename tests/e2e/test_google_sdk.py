"""An application with Google's unmodified SDK gets answers, streams, function calls, thoughts, JSON, counts and vectors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from tests.e2e.running import RunningMesh

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
"""The SDK's own doing."""


class Person(BaseModel):
    """What a model is asked for."""

    name: str
    age: int


def client_of(mesh: RunningMesh, key: str, **options: Any) -> genai.Client:
    """Google's own SDK."""
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=mesh.http, timeout=30_000, **options))


@pytest.fixture
def google(mesh: RunningMesh) -> Iterator[genai.Client]:
    """Google's own SDK with the first project's key, which asks below its default version of the API."""
    with client_of(mesh, mesh.project_key) as client:
        yield client


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def test_an_answer_comes_whole_with_its_usage(google: genai.Client) -> None:
    answer = google.models.generate_content(model="sim-echo", contents="Say this back")
    assert answer.text == "Say this back"
    assert answer.candidates is not None
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    used = answer.usage_metadata
    assert used is not None
    assert used.prompt_token_count
    assert used.total_token_count == used.prompt_token_count + (used.candidates_token_count or 0)


def test_a_stream_gives_the_same_text_and_its_usage_at_the_end(google: genai.Client) -> None:
    whole = google.models.generate_content(model="sim-words", contents="stream", config={"seed": 7})
    chunks = list(google.models.generate_content_stream(model="sim-words", contents="stream", config={"seed": 7}))
    assert "".join(chunk.text or "" for chunk in chunks) == whole.text
    assert len(chunks) > 1
    assert chunks[-1].usage_metadata is not None
    assert whole.usage_metadata is not None
    assert chunks[-1].usage_metadata.candidates_token_count == whole.usage_metadata.candidates_token_count


def test_functions_are_called_by_the_sdk_itself(google: genai.Client) -> None:
    answer = google.models.generate_content(model="sim-echo", contents="use get_weather for Bern", config={"tools": [get_weather]})
    history = answer.automatic_function_calling_history
    assert history is not None
    called = [part.function_call for content in history for part in content.parts or [] if part.function_call]
    assert [call.name for call in called] == ["get_weather"]
    assert "sunny in" in (answer.text or "")


def test_a_model_calls_a_function_and_reads_its_response(google: genai.Client) -> None:
    tool = types.Tool(function_declarations=[types.FunctionDeclaration.from_callable(client=google._api_client, callable=get_weather)])
    config = types.GenerateContentConfig(tools=[tool])
    contents: list[Any] = [types.UserContent("use get_weather for Bern")]
    chunks = list(google.models.generate_content_stream(model="sim-echo", contents=contents, config=config))
    (call,) = [call for chunk in chunks for call in chunk.function_calls or []]
    assert (call.name, set(call.args or {})) == ("get_weather", {"city"})
    contents.append(types.ModelContent([types.Part(function_call=call)]))
    contents.append(types.UserContent([types.Part.from_function_response(name="get_weather", response={"output": "sunny"})]))
    assert google.models.generate_content(model="sim-echo", contents=contents, config=config).text == "sunny"


def test_an_answer_follows_a_schema(google: genai.Client) -> None:
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Person)
    answer = google.models.generate_content(model="sim-echo", contents="a person", config=config)
    assert isinstance(answer.parsed, Person)
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    config = types.GenerateContentConfig(response_mime_type="application/json", response_json_schema=schema)
    assert set(json.loads(google.models.generate_content(model="sim-echo", contents="a person", config=config).text or "")) == {"name"}


def test_a_chat_remembers_what_was_streamed(google: genai.Client) -> None:
    chat = google.chats.create(model="sim-echo")
    assert "".join(chunk.text or "" for chunk in chat.send_message_stream("one")) == "one"
    assert chat.send_message("two").text == "two"
    assert [content.role for content in chat.get_history(curated=True)].count("user") == 2


def test_tokens_are_counted_and_texts_embedded(google: genai.Client) -> None:
    counted = google.models.count_tokens(model="sim-echo", contents="how many are these")
    assert counted.total_tokens
    answer = google.models.embed_content(model="sim-embed", contents=["one", "two", "one"])
    assert answer.embeddings is not None
    vectors = [each.values for each in answer.embeddings]
    assert vectors[0] == vectors[2] != vectors[1]


def test_the_models_that_a_key_may_use_are_listed(google: genai.Client) -> None:
    listed = {model.name for model in google.models.list()}
    assert {"models/sim-echo", "models/sim-words", "models/sim-embed"} <= listed
    echo = google.models.get(model="sim-echo")
    assert echo.name == "models/sim-echo"
    assert "generateContent" in (echo.supported_actions or ())


def test_files_of_other_dialects_are_not_googles(google: genai.Client) -> None:
    for asking in (google.files.list, google.batches.list):
        with pytest.raises(errors.ClientError) as refused:
            asking()
        assert (refused.value.code, refused.value.status) == (404, "NOT_FOUND")


def test_failures_are_told_in_googles_words(google: genai.Client, mesh: RunningMesh) -> None:
    with pytest.raises(errors.ClientError) as refused:
        google.models.generate_content(model="no-such-model", contents="hi")
    assert (refused.value.code, refused.value.status) == (404, "NOT_FOUND")
    with pytest.raises(errors.ClientError) as refused:
        google.models.generate_content(model="sim-echo", contents="hi", config={"temperature": 9})
    assert (refused.value.code, refused.value.status) == (400, "INVALID_ARGUMENT")
    assert "generationConfig.temperature" in str(refused.value)
    with client_of(mesh, "mk_0000000000000000_wrong") as stranger, pytest.raises(errors.ClientError) as refused:
        stranger.models.generate_content(model="sim-echo", contents="hi")
    assert (refused.value.code, refused.value.status) == (401, "UNAUTHENTICATED")


def test_the_version_before_says_the_same(mesh: RunningMesh) -> None:
    with client_of(mesh, mesh.project_key, api_version="v1beta") as client:
        assert client.models.generate_content(model="sim-echo", contents="hi").text == "hi"
        assert "".join(chunk.text or "" for chunk in client.models.generate_content_stream(model="sim-echo", contents="hi")) == "hi"
        assert client.models.count_tokens(model="sim-echo", contents="hi").total_tokens
        assert client.models.get(model="sim-echo").name == "models/sim-echo"


async def test_the_asynchronous_client_gets_the_same(google: genai.Client) -> None:
    async with google.aio as client:
        assert (await client.models.generate_content(model="sim-echo", contents="hi")).text == "hi"
        stream = await client.models.generate_content_stream(model="sim-echo", contents="and streamed")
        assert "".join([chunk.text or "" async for chunk in stream]) == "and streamed"


def test_the_mesh_is_spoken_to_beside_the_dialect(google: genai.Client) -> None:
    config: Any = {"http_options": {"extra_body": {"llm_mesh": {"tags": {"team": "claims"}}}}}
    answer = google.models.generate_content(model="sim-echo", contents="hi", config=config)
    assert answer.sdk_http_response is not None
    assert "x-llm-mesh-cost" in {name.lower() for name in answer.sdk_http_response.headers or {}}
