"""What OpenAI calls decisions: typed questions about a state, and answers with probabilities. The mesh calls it an assessment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from llm_mesh.inference.v1 import assess_pb2, content_pb2, generate_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import as_extras, put_back
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai import media
from llm_mesh_dialects.openai.allowed import TABLE
from llm_mesh_dialects.openai.parts_writing import plain_text
from llm_mesh_dialects.openai.quirks import OPENAI
from llm_mesh_dialects.openai.tiers import TIER, served_tier
from llm_mesh_dialects.openai.usage import read_usage
from llm_mesh_dialects.openai.vocabulary import DIALECT
from llm_mesh_dialects.report import Report

_JSON = "application/json"
_ROLES = {
    content_pb2.ROLE_SYSTEM: "system",
    content_pb2.ROLE_DEVELOPER: "developer",
    content_pb2.ROLE_USER: "user",
    content_pb2.ROLE_ASSISTANT: "assistant",
}


def input_to_body(
    request: assess_pb2.AssessInput, *, model: str, allowance: Allowance = NOTHING_MORE
) -> tuple[dict[str, Any], list[generate_pb2.Translation]]:
    """The typed payload to a provider's body."""
    report = Report()
    report.gate = Gate(TABLE, allowance, report)
    writer = DecisionWriter(report)
    body: dict[str, Any] = {
        "model": model,
        "input": writer.state(request.state),
        "questions": [writer.question(each, f"questions[{number}].") for number, each in enumerate(request.questions)],
    }
    if request.prompt_cache_key:
        body["prompt_cache_key"] = request.prompt_cache_key
    if request.end_user:
        body["safety_identifier"] = request.end_user
    put_back(body, request.extras, DIALECT, report, place="decision.")
    return body, report.translations


class DecisionWriter:
    """Writes the items of a state and the questions, and reports what the dialect has no place for."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def state(self, messages: Sequence[content_pb2.Message]) -> str | list[dict[str, Any]]:
        """A plain text of the user as such, anything else as items."""
        if len(messages) == 1 and messages[0].role == content_pb2.ROLE_USER and len(messages[0].parts) == 1:
            text = plain_text(messages[0].parts[0])
            if text is not None and not messages[0].parts[0].text.mime_type:
                return text
        return [item for number, message in enumerate(messages) for item in self._items(message, f"state[{number}].")]

    def question(self, question: assess_pb2.AssessQuestion, path: str) -> dict[str, Any]:
        """One question, flat as the dialect has it."""
        kind = question.WhichOneof("kind") or ""
        written: dict[str, Any] = {"type": kind, "instructions": self._instructions(question, path)}
        if question.name:
            written["name"] = question.name
        if kind == "choice":
            written["choices"] = [_choice(each) for each in question.choice.options]
        elif kind == "score":
            written["levels"] = [_level(each) for each in question.score.levels]
        else:
            self._criteria(question.predicate, written, path)
        return written

    def _criteria(self, predicate: assess_pb2.PredicateQuestion, written: dict[str, Any], path: str) -> None:
        """What true and false mean goes with the instructions: the dialect has no field for it."""
        texts = [
            f"{word}: {meaning}"
            for word, meaning in (("True", predicate.true_description), ("False", predicate.false_description))
            if meaning
        ]
        if texts:
            self._report.approximated(f"{path}predicate", "what true and false mean is sent with the instructions")
            before = written["instructions"]
            before = [{"type": "input_text", "text": before}] if isinstance(before, str) else before
            written["instructions"] = [*before, {"type": "input_text", "text": "\n".join(texts)}]

    def _instructions(self, question: assess_pb2.AssessQuestion, path: str) -> str | list[dict[str, Any]]:
        parts = question.instructions
        if len(parts) == 1 and (text := plain_text(parts[0])) is not None and not parts[0].text.mime_type:
            return text
        return self._content(enumerate(parts), f"{path}instructions", "input_text")

    def _items(self, message: content_pb2.Message, path: str) -> Iterable[dict[str, Any]]:
        """A message is its content, and each call and result of a tool by itself."""
        content = [
            (number, part) for number, part in enumerate(message.parts) if part.WhichOneof("kind") not in {"tool_call", "tool_result"}
        ]
        if content and message.role in _ROLES:
            kind = "output_text" if message.role == content_pb2.ROLE_ASSISTANT else "input_text"
            yield {"type": "message", "role": _ROLES[message.role], "content": self._content(content, f"{path}parts", kind)}
        elif content:
            self._report.dropped(f"{path}parts", "the dialect has no such message in a state")
        for number, part in enumerate(message.parts):
            if part.WhichOneof("kind") == "tool_call":
                call = part.tool_call
                yield {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments_json}
            elif part.WhichOneof("kind") == "tool_result":
                result = part.tool_result
                output = self._content(enumerate(result.parts), f"{path}parts[{number}].tool_result.parts", "input_text")
                yield {"type": "function_call_output", "call_id": result.tool_call_id, "output": output}

    def _content(self, parts: Iterable[tuple[int, content_pb2.Part]], path: str, kind: str) -> list[dict[str, Any]]:
        written = [self._part(part, f"{path}[{number}].", kind) for number, part in parts]
        return [each for each in written if each is not None]

    def _part(self, part: content_pb2.Part, path: str, kind: str) -> dict[str, Any] | None:
        what = part.WhichOneof("kind") or ""
        if what == "text" and part.text.mime_type == _JSON:
            return {"type": "input_json", "data": _data(part.text.text, f"{path}text.text")}
        if what == "text":
            return {"type": kind, "text": part.text.text}
        if what == "refusal":
            return {"type": "refusal", "refusal": part.refusal.text}
        if what == "image" and part.image.WhichOneof("source") != "file_id":
            return self._image(part.image, path)
        self._report.dropped(f"{path}{what}", "the dialect has no place for it in a state")
        return None

    def _image(self, image: content_pb2.Media, path: str) -> dict[str, Any]:
        url, gate = media.to_url(image), self._report.gate
        if gate is not None and image.WhichOneof("source") == "uri":
            url = gate.address(url, f"{path}image.uri")
        return {"type": "input_image", "image_url": url, **({"detail": image.detail} if image.detail else {})}


def _data(text: str, path: str) -> Any:  # noqa: ANN401 (JSON)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise DialectError(path, "expected JSON, as its media type says") from None


def _choice(option: assess_pb2.ChoiceOption) -> dict[str, Any]:
    value = option.truth if option.WhichOneof("value") == "truth" else option.text
    return {"value": value, **({"description": option.description} if option.description else {})}


def _level(level: assess_pb2.ScoreLevel) -> dict[str, Any]:
    label = level.label or level.description
    return {"label": label, **({"description": level.description} if level.description and level.label else {})}


def body_into_output(body: object, request: assess_pb2.AssessInput, output: assess_pb2.AssessOutput) -> None:
    """A provider's answer to the typed payload. Names are the questions' own, in whose order the answers are."""
    fields = Fields(body)
    output.id = fields.text("id") or ""
    output.model = fields.text("model") or ""
    answers = list(fields.each("answers"))
    if len(answers) != len(request.questions):
        raise DialectError("answers", f"expected one for each of {len(request.questions)} questions")
    for question, answer in zip(request.questions, answers, strict=True):
        _answer(answer, question, output.answers.add(name=question.name))
    if isinstance(usage := fields.raw("usage"), dict):
        output.usage.CopyFrom(read_usage(_chat_words(usage), OPENAI))
        output.usage.service_tier = served_tier(fields.peek(TIER))
    output.extras.extend(as_extras(DIALECT, fields.rest()))


def _answer(fields: Fields, question: assess_pb2.AssessQuestion, answer: assess_pb2.AssessAnswer) -> None:
    kind = fields.required_text("type")
    fields.raw("name")
    if kind == "refusal":
        answer.refusal.text = fields.text("refusal") or ""
    elif kind != question.WhichOneof("kind"):
        raise fields.wrong("type", f"expected {question.WhichOneof('kind')} or refusal")
    elif kind == "predicate":
        answer.predicate.probability = _probability(fields, "probability")
    elif kind == "choice":
        _choice_answer(fields, question.choice, answer.choice)
    else:
        _score_answer(fields, question.score, answer.score)
    answer.extras.extend(as_extras(DIALECT, fields.rest()))


def _choice_answer(fields: Fields, question: assess_pb2.ChoiceQuestion, answer: assess_pb2.ChoiceAnswer) -> None:
    values = [
        (each.WhichOneof("value") == "truth", each.truth if each.WhichOneof("value") == "truth" else each.text) for each in question.options
    ]
    chosen = fields.raw("choice")
    key = (isinstance(chosen, bool), chosen)
    if key not in values:
        raise fields.wrong("choice", "expected the value of an option")
    answer.option = values.index(key)
    answer.confidence = _probability(fields, "confidence")
    listed = [(each.raw("value"), _probability(each, "probability")) for each in fields.each("probabilities")]
    by_value = {(isinstance(value, bool), value): probability for value, probability in listed if isinstance(value, str | bool)}
    if by_value:
        answer.probabilities.extend(by_value.get(each, 0.0) for each in values)


def _score_answer(fields: Fields, question: assess_pb2.ScoreQuestion, answer: assess_pb2.ScoreAnswer) -> None:
    """Levels are numbered by the provider, from its lowest number on; here the lowest is 0."""
    listed = [(each.whole("value"), _probability(each, "probability")) for each in fields.each("probabilities")]
    numbered = {value: probability for value, probability in listed if value is not None}
    lowest = min(numbered, default=0)
    score = fields.number("score")
    if score is None:
        raise fields.wrong("score", "required: expected a number")
    answer.score = score - lowest
    answer.confidence = _probability(fields, "confidence")
    if numbered:
        answer.probabilities.extend(numbered.get(lowest + number, 0.0) for number in range(len(question.levels)))


def _probability(fields: Fields, key: str) -> float:
    value = fields.number(key)
    if value is None or not 0 <= value <= 1:
        raise fields.wrong(key, "required: expected a number from 0 to 1")
    return value


def _chat_words(usage: dict[str, Any]) -> dict[str, Any]:
    """The usage of this method has the words of OpenAI's Responses."""
    names = {"input_tokens_details": "prompt_tokens_details", "output_tokens_details": "completion_tokens_details"}
    return {names.get(key, key): value for key, value in usage.items()}
