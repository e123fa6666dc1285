"""What OpenAI's dialect complains about beside chats and embeddings: rankings, moderations, assessments, images and sound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from llm_mesh.inference.v1 import assess_pb2, content_pb2, generate_image_pb2, moderate_pb2, rerank_pb2, sound_pb2
from llm_mesh_dialects.openai import decisions, images, moderations, reranking, speech, transcriptions
from tests.edge import media_bodies
from tests.edge.complaint_kinds import Read, TypedRequest

TEXT = content_pb2.Part(text=content_pb2.Text(text="x"))
PICTURE = content_pb2.Part(image=content_pb2.Media(data=b"x", mime_type="image/png"))
BROKEN = content_pb2.Part(text=content_pb2.Text(text="{", mime_type="application/json"))
DOCUMENTS = rerank_pb2.RerankInput(
    model="m", query="q", documents=[rerank_pb2.RerankDocument(text="a"), rerank_pb2.RerankDocument(text="b")]
)
ITEM, TWO = moderate_pb2.ModerateItem(parts=[TEXT]), moderate_pb2.ModerateItem(parts=[TEXT, PICTURE])
QUESTIONS = [
    assess_pb2.AssessQuestion(name="p", predicate=assess_pb2.PredicateQuestion()),
    assess_pb2.AssessQuestion(name="c", choice=assess_pb2.ChoiceQuestion(options=[assess_pb2.ChoiceOption(text="a")])),
    assess_pb2.AssessQuestion(name="s", score=assess_pb2.ScoreQuestion(levels=[assess_pb2.ScoreLevel(label="l")])),
]
USER = content_pb2.ROLE_USER
PROBABLE = [{"value": "a", "probability": 1}]
ANSWERS: dict[str, Any] = {
    "id": "i",
    "model": "m",
    "answers": [
        {"type": "predicate", "name": "p", "probability": 0.5},
        {"type": "choice", "name": "c", "choice": "a", "confidence": 0.5, "probabilities": PROBABLE},
        {"type": "score", "name": "s", "score": 1, "confidence": 0.5, "probabilities": [{"value": 1, "probability": 1}]},
    ],
    "usage": {"input_tokens": 1},
}
RANKED: dict[str, Any] = {
    "id": "i",
    "model": "m",
    "results": [{"index": 0, "relevance_score": 0.5}, {"index": 1, "relevance_score": 0.4}],
    "usage": {"total_tokens": 1},
}
MODERATED: dict[str, Any] = {
    "id": "i",
    "model": "m",
    "results": [
        {
            "flagged": True,
            "categories": {"hate": True},
            "category_scores": {"hate": 0.5},
            "category_applied_input_types": {"hate": ["text"]},
        }
    ],
}


def assessed(body: Any) -> None:
    decisions.body_into_output(body, assess_pb2.AssessInput(questions=QUESTIONS), assess_pb2.AssessOutput())


def ranked(body: Any) -> None:
    reranking.body_into_output(body, DOCUMENTS, reranking.JINA, rerank_pb2.RerankOutput())


def moderated(body: Any) -> None:
    moderations.body_into_output(body, moderate_pb2.ModerateInput(items=[ITEM]), moderate_pb2.ModerateOutput())


DRAWN = {"created": 1, "data": [{"b64_json": "aGk="}], "usage": {"input_tokens": 1, "input_tokens_details": {"image_tokens": 0}}}
SPOKEN = {"text": "x", "duration": 1.5, "segments": [{"start": 0, "end": 1, "text": "x"}], "words": [{"word": "x", "start": 0, "end": 1}]}


def drawn(body: Any) -> None:
    images.body_into_output(body, generate_image_pb2.GenerateImageInput(), generate_image_pb2.GenerateImageOutput())


def transcribed(body: Any) -> None:
    transcriptions.body_into_output(body, sound_pb2.TranscribeOutput())


def sound_of(body: bytes, content_type: str) -> Callable[[], None]:
    return lambda: speech.body_into_output(body, content_type, sound_pb2.SpeakInput(), sound_pb2.SpeakOutput())


READ: Mapping[str, tuple[Read, list[Any]]] = {
    "assessment": (assessed, [ANSWERS]),
    "ranking": (ranked, [RANKED]),
    "moderation": (moderated, [MODERATED]),
    "images": (drawn, [DRAWN]),
    "transcription": (transcribed, [SPOKEN]),
    **media_bodies.READ,
}
LARGE: Mapping[str, tuple[Read, Any]] = {
    "ranked-twice": (ranked, RANKED | {"results": [RANKED["results"][0]] * 2}),
    **media_bodies.LARGE,
}
TEXTS: Mapping[str, Callable[[], None]] = {"no-sound": sound_of(b"", "audio/wav"), "no-sound-but-text": sound_of(b"x", "text/html")}
TYPED: Mapping[str, TypedRequest] = {
    "no-image-type": (
        generate_image_pb2.GenerateImageInput(model="m", prompt="x", mime_type="text/html"),
        partial(images.input_to_body, model="m"),
    ),
    "odd-filename": (
        sound_pb2.TranscribeInput(model="m", sound=content_pb2.Media(data=b"x", mime_type="audio/wav", filename='a"b')),
        partial(transcriptions.input_to_form, model="m"),
    ),
    "mixed-items": (moderate_pb2.ModerateInput(model="m", items=[ITEM, TWO]), partial(moderations.input_to_body, model="m")),
    "broken-state": (
        assess_pb2.AssessInput(model="m", state=[content_pb2.Message(role=USER, parts=[TEXT, BROKEN])]),
        partial(decisions.input_to_body, model="m"),
    ),
}
