"""A stream becomes the whole answer that it tells, in work that grows with its length alone, however many pieces it comes in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_adapter_kit.conversions import Collector, events_of

Event = generate_pb2.StreamEvent
Part = content_pb2.Part

texts = st.text(min_size=1, max_size=8)
parts = st.one_of(
    st.builds(lambda text: Part(text=content_pb2.Text(text=text)), texts),
    st.builds(lambda text: Part(refusal=content_pb2.Refusal(text=text)), texts),
    st.builds(lambda text, proof: Part(reasoning=content_pb2.Reasoning(text=text, signature=proof, redacted=proof.encode())), texts, texts),
    st.builds(lambda name, text: Part(tool_call=content_pb2.ToolCall(id=name, name=name, arguments_json=text)), texts, texts),
    st.builds(lambda data, text: Part(audio=content_pb2.Media(data=data, transcript=text)), st.binary(min_size=1, max_size=6), texts),
)
answers = st.lists(st.lists(parts, min_size=1, max_size=5), min_size=1, max_size=2)
GROWING = {
    "text": ("text",),
    "refusal": ("text",),
    "reasoning": ("text", "signature", "redacted"),
    "tool_call": ("arguments_json",),
    "audio": ("data", "transcript"),
}


def whole(choices: list[list[Part]]) -> generate_pb2.GenerateOutput:
    output = generate_pb2.GenerateOutput(id="a", model="m", created=7, usage=generate_pb2.Usage(input_tokens=3, output_tokens=2))
    for index, content in enumerate(choices):
        choice = output.choices.add(index=index, finish_reason=generate_pb2.FINISH_REASON_STOP, native_finish_reason="stop")
        choice.message.role = content_pb2.ROLE_ASSISTANT
        for part in content:
            if (
                not choice.message.parts
                or part.HasField("tool_call")
                or choice.message.parts[-1].WhichOneof("kind") != part.WhichOneof("kind")
            ):
                choice.message.parts.add().CopyFrom(part)
    return output


def cut(event: Event) -> list[Event]:
    """The event in pieces of one letter or byte of each of its texts."""
    kind = str(event.WhichOneof("kind"))
    if kind not in GROWING:
        return [event]
    delta = getattr(event, kind)
    cuts = []
    for at in range(max(len(getattr(delta, field)) for field in GROWING[kind])):
        piece = Event()
        piece.CopyFrom(event)
        for field in GROWING[kind]:
            setattr(getattr(piece, kind), field, getattr(delta, field)[at : at + 1])
        cuts.append(piece)
    return cuts


@given(answers)
def test_a_stream_in_pieces_is_the_whole_answer(choices: list[list[Part]]) -> None:
    answer, collected = whole(choices), generate_pb2.GenerateOutput()
    Collector(collected).collect([piece for event in events_of(answer) for piece in cut(event)])
    assert collected == answer


def test_arguments_of_calls_may_come_in_turns() -> None:
    events = [Event(tool_call_started=generate_pb2.ToolCallStarted(index=index, id=str(index), name="f")) for index in (0, 1)]
    events += [Event(tool_call=generate_pb2.ToolCallDelta(index=at % 2, arguments_json=letter)) for at, letter in enumerate("{{}}")]
    collected = generate_pb2.GenerateOutput()
    Collector(collected).collect(events)
    assert [part.tool_call.arguments_json for part in collected.choices[0].message.parts] == ["{}", "{}"]


class Copies:
    """How many letters were copied to make a longer text of two."""

    def __init__(self) -> None:
        self.letters = 0

    def text(self, value: Any) -> Any:
        """A text, or bytes, that counts where it is appended."""

        def appended(_: Any, before: Any) -> Any:
            self.letters += len(before) + len(value)
            return before + value

        return type("Appended", (type(value),), {"__radd__": appended})(value)


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind, fields in GROWING.items() for field in fields])
def test_no_text_is_copied_at_each_piece(kind: str, field: str) -> None:
    """As it was once: 2,000 pieces cost 2,000 times half of the whole."""
    copies = Copies()
    empty = {name: b"" if name in {"data", "redacted"} else "" for name in GROWING[kind]}
    letter = copies.text(b"x" if isinstance(empty[field], bytes) else "x")
    piece = SimpleNamespace(choice=0, index=0, logprobs=[], extras=[], **(empty | {field: letter}))
    event: Any = SimpleNamespace(WhichOneof=lambda _: kind, **{kind: piece})
    started = [Event(tool_call_started=generate_pb2.ToolCallStarted(index=0, id="c", name="f"))] if kind == "tool_call" else []
    collected = generate_pb2.GenerateOutput()
    Collector(collected).collect([*started, *[event] * 2_000])
    assert len(getattr(getattr(collected.choices[0].message.parts[0], kind), field)) == 2_000
    assert copies.letters == 0
