"""Decisions: typed questions about an input, answered with probabilities that follow from what is text."""

from collections.abc import Sequence
from typing import Any

import orjson

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.answer import Usage
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.domain.words import digest
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.openai.method import Document, MethodAnswer
from llm_mesh_simulator.provider.reply import AnswerIdentity

_MOST_QUESTIONS = 400
_MOST_CHOICES = 255
_REFUSE = "refuse"
"""A question with this word is refused."""
_PER_ANSWER = 2
"""Output tokens of an answer."""


def read(body: RequestFields) -> MethodAnswer:
    """Reads and checks a request."""
    model, state = body.text("model"), body.values.get("input")
    if not isinstance(state, str | list) or not state:
        raise RefusedError("'$.input' is invalid. Please check the API reference.", param="input")
    written = state if isinstance(state, str) else orjson.dumps(state).decode()
    questions = list(body.objects("questions"))
    if not 1 <= len(questions) <= _MOST_QUESTIONS:
        raise RefusedError(f"Expected 1 to {_MOST_QUESTIONS} questions.", param="questions")
    answers = [_answer(each, written) for each in questions]
    used = tokens.PER_REQUEST + tokens.count(written) + tokens.count(orjson.dumps(body.values["questions"]).decode())

    def document(_identity: AnswerIdentity, usage: Usage | None) -> Document:
        made: dict[str, Any] = {"model": model, "answers": answers}
        return made if usage is None else made | {"usage": _usage(usage)}

    return MethodAnswer(document, used, _PER_ANSWER * len(questions))


def _answer(question: RequestFields, state: str) -> dict[str, Any]:
    kind, text = question.text("type"), orjson.dumps(question.values).decode()
    named = {"name": question.text_or("name")}
    if question.values.get("instructions") in (None, "", []):
        raise question.missing("instructions")
    if _REFUSE in text:
        return {"type": "refusal", **named}
    if kind == "predicate":
        return {"type": kind, **named, "probability": _spread(state + text, 2)[0]}
    if kind == "choice":
        return _choice(question, state + text) | named
    if kind == "score":
        return _score(question, state + text) | named
    raise RefusedError(f"Invalid value: '{kind}'. Supported values are: 'predicate', 'choice' and 'score'.", param="questions")


def _choice(question: RequestFields, seed: str) -> dict[str, Any]:
    values = [each.values.get("value") for each in question.objects("choices")]
    _check(question, values, "choices")
    shares = _spread(seed, len(values))
    best = max(range(len(values)), key=shares.__getitem__)
    listed = [{"value": value, "probability": share} for value, share in zip(values, shares, strict=True)]
    return {"type": "choice", "choice": values[best], "confidence": shares[best], "probabilities": listed}


def _score(question: RequestFields, seed: str) -> dict[str, Any]:
    labels = [each.text("label") for each in question.objects("levels")]
    _check(question, labels, "levels")
    shares = _spread(seed, len(labels))
    listed = [{"label": labels[place], "value": place, "probability": share} for place, share in enumerate(shares)]
    score = sum(place * share for place, share in enumerate(shares))
    return {"type": "score", "score": score, "confidence": max(shares), "probabilities": listed}


def _check(question: RequestFields, values: Sequence[object], key: str) -> None:
    if not values:
        raise question.missing(key)
    distinct = {(type(value), value) for value in values if isinstance(value, str | bool)}
    if not 2 <= len(values) <= _MOST_CHOICES or len(distinct) < len(values):  # noqa: PLR2004  a choice has alternatives
        raise RefusedError(f"Expected 2 to {_MOST_CHOICES} distinct {key}.", param=key)


def _spread(seed: str, count: int) -> list[float]:
    """Shares that add up to one."""
    weights = [1 + int.from_bytes(digest(place, seed)[:4], "big") for place in range(count)]
    whole = sum(weights)
    return [weight / whole for weight in weights]


def _usage(used: Usage) -> dict[str, Any]:
    return {
        "input_tokens": used.prompt,
        "input_tokens_details": {"cached_tokens": used.cached, "cache_write_tokens": 0},
        "output_tokens": used.completion,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": used.prompt + used.completion,
    }
