"""The client side of the dialect, judged by its official SDK: what an edge says with it is what the SDK understands."""

from collections.abc import AsyncIterator
from typing import Any

import anthropic
import httpx2
import orjson
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.anthropic import errors, models, requests, responses, streams
from llm_mesh_dialects.errors import DialectError
from tests.adapter_anthropic.conftest import Adapted, attempt


class Edge:
    """As little of an edge as there can be: the dialect before the adapter, the simulator behind it."""

    def __init__(self, adapter: Adapted, *, break_off: bool = False) -> None:
        self._adapter = adapter
        self._break_off = break_off

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/v1/models":
            return httpx2.Response(200, json=models.page([models.model("sim-echo"), models.model("sim-tools")]))
        body = orjson.loads(await request.aread())
        try:
            asked = requests.messages_to_input(body, count=request.url.path.endswith("count_tokens"))
        except DialectError as error:
            return httpx2.Response(400, json=errors.body(str(error), type=errors.type_of(400), request_id="req_1"))
        made = attempt(asked.model, max_output_tokens=asked.max_output_tokens or 1)
        if request.url.path.endswith("count_tokens"):
            count = await self._adapter.stub.CountTokens(adapter_pb2.CountTokensRequest(attempt=made, input=asked), timeout=5)
            return httpx2.Response(200, json=responses.count_to_body(count.count))
        if body.get("stream"):
            events, _ = await self._adapter.stream(asked, made)
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=self._written(events))
        whole = await self._adapter.generate(asked, made)
        return httpx2.Response(200, json=responses.output_to_message(whole.output))

    async def _written(self, events: list[generate_pb2.StreamEvent]) -> AsyncIterator[bytes]:
        writer = streams.EventWriter()
        for event in events:
            yield writer.write(event)
            if self._break_off and event.HasField("text"):
                yield writer.failure("the provider broke off", type="api_error", request_id="req_1")
                return
        yield writer.close()


def connected(edge: Edge) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(api_key="mk_x", max_retries=0, http_client=httpx2.AsyncClient(transport=httpx2.MockTransport(edge)))


TOOL: anthropic.types.ToolParam = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
WRONG: Any = [{"role": "user", "content": [{"type": "text"}]}]


async def test_the_sdk_gets_a_message(adapter: Adapted) -> None:
    async with connected(Edge(adapter)) as client:
        message = await client.messages.create(model="sim-echo", max_tokens=64, messages=[{"role": "user", "content": "Say hello"}])
    assert message.content[0].type == "text"
    assert message.content[0].text == "Say hello"
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens == 2


async def test_the_sdk_follows_a_stream_of_thinking_text_and_tools(adapter: Adapted) -> None:
    async with connected(Edge(adapter)) as client:
        async with client.messages.stream(
            model="sim-reasoning",
            max_tokens=4096,
            thinking={"type": "adaptive"},
            messages=[{"role": "user", "content": "why is that"}],
        ) as stream:
            text = "".join([piece async for piece in stream.text_stream])
            message = await stream.get_final_message()
        assert [block.type for block in message.content] == ["thinking", "text"]
        assert message.content[1].type == "text"
        assert message.content[1].text == text
        assert message.content[0].type == "thinking"
        assert message.content[0].signature
        async with client.messages.stream(
            model="sim-tools", max_tokens=64, tools=[TOOL], messages=[{"role": "user", "content": "call weather"}]
        ) as stream:
            called = await stream.get_final_message()
        assert called.stop_reason == "tool_use"
        block = called.content[-1]
        assert block.type == "tool_use"
        assert block.name == "weather"
        assert isinstance(block.input, dict)


async def test_the_sdk_counts_and_lists(adapter: Adapted) -> None:
    async with connected(Edge(adapter)) as client:
        count = await client.messages.count_tokens(model="sim-echo", messages=[{"role": "user", "content": "one two three"}])
        listed = [model.id async for model in client.models.list()]
    assert count.input_tokens > 3
    assert listed == ["sim-echo", "sim-tools"]


async def test_the_sdk_raises_what_is_told_as_an_error(adapter: Adapted) -> None:
    async with connected(Edge(adapter)) as client:
        with pytest.raises(anthropic.BadRequestError) as caught:
            await client.messages.create(model="sim-echo", max_tokens=64, messages=WRONG)
    assert "messages[0].content[0].text" in str(caught.value)


async def test_the_sdk_raises_when_a_stream_breaks_off(adapter: Adapted) -> None:
    async with connected(Edge(adapter, break_off=True)) as client:
        with pytest.raises(anthropic.APIError, match="broke off"):
            async with client.messages.stream(model="sim-words", max_tokens=64, messages=[{"role": "user", "content": "x"}]) as stream:
                await stream.get_final_message()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid_request_error"), (401, "authentication_error"), (404, "not_found_error"), (409, "invalid_request_error"),
     (429, "rate_limit_error"), (500, "api_error"), (502, "api_error"), (503, "overloaded_error")],
)  # fmt: skip
def test_a_status_has_its_type_of_error(status: int, kind: str) -> None:
    assert errors.type_of(status) == kind
