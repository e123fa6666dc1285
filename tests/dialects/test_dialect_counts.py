"""A conversation with too many parts or tools is refused before anything is made of it."""

from typing import Any

import pytest

from llm_mesh_dialects import anthropic, openai
from llm_mesh_dialects.counting import MOST_PARTS, MOST_TOOLS
from llm_mesh_dialects.errors import DialectError

BLOCK = {"type": "text", "text": "x"}
HELLO = [{"role": "user", "content": "hi"}]


def chat(**body: Any) -> None:
    openai.requests.chat_to_input({"model": "m", "messages": HELLO, **body})


def messages(**body: Any) -> None:
    anthropic.requests.messages_to_input({"model": "m", "max_tokens": 1, "messages": HELLO, **body})


@pytest.mark.parametrize("read", [chat, messages])
def test_parts_are_bounded_in_all_messages_together(read: Any) -> None:
    many = [{"role": "user", "content": [BLOCK] * 4000}] * (MOST_PARTS // 4000 + 1)
    with pytest.raises(DialectError) as refusal:
        read(messages=many)
    assert refusal.value.field == "messages"
    read(messages=many[:1])


def test_parts_of_results_and_of_the_system_count() -> None:
    result = {"type": "tool_result", "tool_use_id": "c", "content": [BLOCK] * 5000}
    with pytest.raises(DialectError):
        messages(messages=[{"role": "user", "content": [result] * 4}])
    with pytest.raises(DialectError):
        messages(system=[BLOCK] * (MOST_PARTS + 1))


def test_tool_calls_count() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    with pytest.raises(DialectError):
        chat(messages=[{"role": "assistant", "tool_calls": [call] * (MOST_PARTS + 1)}])


@pytest.mark.parametrize("read", [chat, messages])
def test_tools_are_bounded(read: Any) -> None:
    with pytest.raises(DialectError) as refusal:
        read(tools=["not even an object"] * (MOST_TOOLS + 1))
    assert (refusal.value.field, str(MOST_TOOLS) in str(refusal.value)) == ("tools", True)
