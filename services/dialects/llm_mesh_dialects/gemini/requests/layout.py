"""Which typed messages and parts the contents of a client's body become, told without reading what they say.

A user's turn is split where responses of functions begin and end. Contents of the model that follow one another are one turn: clients keep
the chunks of a stream so, and the text of one goes on in the next. Thoughts that follow one another become one part; a proof of thinking
becomes a part of its own beside the one at which it stands: before a function call, behind anything else.

The reader makes the parts by this layout, and places of typed fields in a body are found by it. Names of fields are taken in both forms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final, Literal, NamedTuple

from llm_mesh_dialects.gemini.signatures import is_proof
from llm_mesh_dialects.gemini.spelling import value_of

MODEL: Final = "model"
_SIGNATURE: Final = "thoughtSignature"
_NO_THOUGHTS: Final = ("inlineData", "fileData", "functionCall", "functionResponse")
"""Parts that are more than a thought, whatever they are marked as."""


class PartPlace(NamedTuple):
    """Where a part stands in a body."""

    content: int | None
    """The number of its content; None: the instruction."""
    number: int

    @property
    def owner(self) -> str:
        """The path of its content."""
        return "systemInstruction" if self.content is None else f"contents[{self.content}]"


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """One typed part, and the parts of the body that it is made of: several where they are thoughts, or pieces of one text."""

    kind: Literal["part", "thought", "proof"]
    places: tuple[PartPlace, ...]


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """One typed message."""

    contents: tuple[int | None, ...]
    """The numbers of its contents; None: the instruction."""
    results: bool
    """Whether it has responses of functions, and nothing else."""
    parts: list[PlannedPart] = field(default_factory=list)


def planned_messages(body: dict[str, Any]) -> Iterator[PlannedMessage]:
    """All messages of a body, in order. What is of a wrong type is planned as if it were empty: its reader complains."""
    instruction = value_of(body, "systemInstruction")
    if isinstance(instruction, dict):
        yield PlannedMessage((None,), results=False, parts=_planned(_placed(None, instruction)))
    contents = value_of(body, "contents")
    numbered = list(enumerate(contents if isinstance(contents, list) else ()))
    for by_model, run in groupby(numbered, key=lambda each: isinstance(each[1], dict) and each[1].get("role") == MODEL):
        if by_model:
            turn = list(run)
            parts = [part for number, content in turn for part in _placed(number, content)]
            yield PlannedMessage(tuple(number for number, _ in turn), results=False, parts=_planned(parts))
            continue
        for number, content in run:
            yield from _of_user(number, _placed(number, content))


def planned_tools(body: dict[str, Any]) -> Iterator[tuple[int, str, int | None]]:
    """Of each typed tool the number of its tool, its key there, and its number below it where it is a function."""
    tools = value_of(body, "tools")
    for number, tool in enumerate(tools if isinstance(tools, list) else ()):
        for key, value in (tool if isinstance(tool, dict) else {}).items():
            if key in {"functionDeclarations", "function_declarations"}:
                yield from ((number, "functionDeclarations", place) for place in range(len(value) if isinstance(value, list) else 0))
            elif value is not None:
                yield number, key, None


Placed = list[tuple[PartPlace, Any]]


def _placed(content: int | None, value: Any) -> Placed:  # noqa: ANN401 (JSON)
    parts = value.get("parts") if isinstance(value, dict) else None
    return [(PartPlace(content, number), part) for number, part in enumerate(parts if isinstance(parts, list) else ())]


def _of_user(number: int, parts: Placed) -> Iterator[PlannedMessage]:
    for results, run in groupby(parts, key=lambda each: _has(each[1], "functionResponse")):
        yield PlannedMessage((number,), results=results, parts=_planned(run))
    if not parts:
        yield PlannedMessage((number,), results=False)


def _planned(parts: Iterable[tuple[PartPlace, Any]]) -> list[PlannedPart]:
    made: list[PlannedPart] = []
    going_on: Literal["", "thought", "part"] = ""
    for place, part in parts:
        proof = isinstance(part, dict) and is_proof(value_of(part, _SIGNATURE))
        thought = _has(part, "thought") and not any(_has(part, each) for each in _NO_THOUGHTS)
        kind: Literal["thought", "part"] = "thought" if thought else "part"
        text = isinstance(part, dict) and part.keys() == {"text"}
        if going_on == kind and (thought or (text and place.content != made[-1].places[-1].content)):
            made[-1] = PlannedPart(kind, (*made[-1].places, place))
        elif thought:
            made.append(PlannedPart(kind, (place,)))
        else:
            made += _beside(place, part, proof=proof)
        going_on = "" if proof or not (thought or text) else kind
    return made


def _beside(place: PartPlace, part: Any, *, proof: bool) -> tuple[PlannedPart, ...]:  # noqa: ANN401 (JSON)
    """A part, and its proof at its side."""
    made, proved = PlannedPart("part", (place,)), PlannedPart("proof", (place,))
    if not proof or _has(part, "functionResponse"):
        return (made,)
    if _has(part, "functionCall"):
        return (proved, made)
    return (proved,) if _is_proof_alone(part) else (made, proved)


def _is_proof_alone(part: dict[str, Any]) -> bool:
    """Whether a part says nothing beside its proof."""
    return not any(value for key, value in part.items() if key not in {_SIGNATURE, "thought_signature"})


def _has(part: Any, name: str) -> bool:  # noqa: ANN401 (JSON)
    value = value_of(part, name) if isinstance(part, dict) else None
    return value is not None and value is not False
