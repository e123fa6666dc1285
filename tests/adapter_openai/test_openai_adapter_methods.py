"""Requests of methods beside chat are those that the official SDK sends for the same, field by field."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from openai import OpenAI

from llm_mesh.inference.v1 import assess_pb2, content_pb2, generate_image_pb2, moderate_pb2, sound_pb2
from llm_mesh_dialects.openai import decisions, images, moderations, speech
from tests.e2e.scripted_upstream import ScriptedUpstream, scripted_upstream


def part(said: str) -> content_pb2.Part:
    return content_pb2.Part(text=content_pb2.Text(text=said))


def moderation() -> tuple[Any, Callable[[OpenAI], Any]]:
    made = moderate_pb2.ModerateInput(items=[moderate_pb2.ModerateItem(parts=[part(each)]) for each in ("one", "two")])
    return moderations.input_to_body(made, model="m")[0], lambda sdk: sdk.moderations.create(model="m", input=["one", "two"])


def decision() -> tuple[Any, Callable[[OpenAI], Any]]:
    made = assess_pb2.AssessInput(state=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[part("a red house")])], end_user="u")
    made.questions.add(name="red", instructions=[part("Is it red?")], predicate=assess_pb2.PredicateQuestion())
    choice = made.questions.add(instructions=[part("What is it?")]).choice
    choice.options.add(text="house", description="where people live")
    choice.options.add(truth=False)
    made.questions.add(instructions=[part("How red?")]).score.levels.extend(
        [assess_pb2.ScoreLevel(label="pale"), assess_pb2.ScoreLevel(label="bright", description="like fire")]
    )
    questions: list[Any] = [
        {"type": "predicate", "name": "red", "instructions": "Is it red?"},
        {
            "type": "choice",
            "instructions": "What is it?",
            "choices": [{"value": "house", "description": "where people live"}, {"value": False}],
        },
        {"type": "score", "instructions": "How red?", "levels": [{"label": "pale"}, {"label": "bright", "description": "like fire"}]},
    ]
    body, _ = decisions.input_to_body(made, model="m")
    return body, lambda sdk: sdk.decisions.create(model="m", input="a red house", questions=questions, safety_identifier="u")


def image() -> tuple[Any, Callable[[OpenAI], Any]]:
    made = generate_image_pb2.GenerateImageInput(
        prompt="a house", count=2, size="1024x1024", quality="low", mime_type="image/webp", background="opaque", compression=50
    )
    body, _ = images.input_to_body(made, model="m")
    return body, lambda sdk: sdk.images.generate(
        model="m", prompt="a house", n=2, size="1024x1024", quality="low", output_format="webp", background="opaque", output_compression=50
    )


def spoken() -> tuple[Any, Callable[[OpenAI], Any]]:
    made = sound_pb2.SpeakInput(text="Hello", voice="alloy", instructions="slowly", format="wav", speed=0.5)
    body, _ = speech.input_to_body(made, model="m")
    return body, lambda sdk: sdk.audio.speech.create(
        model="m", input="Hello", voice="alloy", instructions="slowly", response_format="wav", speed=0.5
    )


@pytest.fixture(scope="module")
def recorder() -> Any:
    with scripted_upstream() as upstream:
        yield upstream


def sent(recorder: ScriptedUpstream, ask: Callable[[OpenAI], Any]) -> Any:
    recorder.script, recorder.received = {"json": {}}, []
    with OpenAI(base_url=f"http://127.0.0.1:{recorder.port}/v1", api_key="k", max_retries=0) as sdk:
        ask(sdk)
    return recorder.received[-1]


@pytest.mark.parametrize("made", [moderation, decision, image, spoken], ids=lambda each: each.__name__)
def test_a_request_is_what_the_official_sdk_sends(recorder: ScriptedUpstream, made: Callable[[], tuple[Any, Any]]) -> None:
    ours, ask = made()
    theirs = sent(recorder, ask)
    assert json.loads(json.dumps(ours)) == theirs
