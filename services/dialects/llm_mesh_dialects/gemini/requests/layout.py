"""Which typed messages and parts the contents of a client's body become, told without reading what they say.

A user's turn is split where responses of functions begin and end. Thoughts that follow one another become one part; a proof of thinking
becomes a part of its own beside the one at which it stands: before a function call, behind anything else. The reader makes the parts by this
layout, and places of typed fields in a body are found by it. Names of fields are taken in both forms.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final, Literal

from llm_mesh_dialects.gemini.signatures import is_proof
from llm_mesh_dialects.gemini.spelling import said

MODEL: Final = "model"
_SIGNATURE: Final = "thoughtSignature"
_NO_THOUGHTS: Final = ("inlineData", "fileData", "functionCall", "functionResponse")
"""Parts that are more than a thought, whatever they are marked as."""


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """One typed part, and the parts of the content that it is made of: several where they are thoughts."""

    kind: Literal["part", "thought", "proof"]
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """One typed message."""

    content: int | None
    """The number of its content; None: the instruction."""
    results: bool
    """Whether it has responses of functions, and nothing else."""
    parts: list[PlannedPart] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Where its content stands in the body."""
        return "systemInstruction" if self.content is None else f"contents[{self.content}]"


def planned_messages(body: dict[str, Any]) -> Iterator[PlannedMessage]:
    """All messages of a body, in order. What is of a wrong type is planned as if it were empty: its reader complains."""
    instruction = said(body, "systemInstruction")
    if isinstance(instruction, dict):
        yield PlannedMessage(None, results=False, parts=list(_planned(_numbered(instruction))))
    contents = said(body, "contents")
    for number, content in enumerate(contents if isinstance(contents, list) else ()):
        parts = _numbered(content)
        if isinstance(content, dict) and content.get("role") == MODEL:
            yield PlannedMessage(number, results=False, parts=list(_planned(parts)))
            continue
        for results, run in groupby(parts, key=lambda each: _has(each[1], "functionResponse")):
            yield PlannedMessage(number, results=results, parts=list(_planned(list(run))))
        if not parts:
            yield PlannedMessage(number, results=False)


def planned_tools(body: dict[str, Any]) -> Iterator[tuple[int, str, int | None]]:
    """Of each typed tool the number of its tool, its key there, and its number below it where it is a function."""
    tools = said(body, "tools")
    for number, tool in enumerate(tools if isinstance(tools, list) else ()):
        for key, value in (tool if isinstance(tool, dict) else {}).items():
            if key in {"functionDeclarations", "function_declarations"}:
                yield from ((number, "functionDeclarations", place) for place in range(len(value) if isinstance(value, list) else 0))
            elif value is not None:
                yield number, key, None


def _numbered(content: Any) -> list[tuple[int, Any]]:  # noqa: ANN401 (JSON)
    parts = content.get("parts") if isinstance(content, dict) else None
    return list(enumerate(parts)) if isinstance(parts, list) else []


def _planned(parts: list[tuple[int, Any]]) -> Iterator[PlannedPart]:
    thoughts: list[int] = []
    for number, part in parts:
        proof = is_proof(said(part, _SIGNATURE)) if isinstance(part, dict) else False
        if _has(part, "thought") and not any(_has(part, each) for each in _NO_THOUGHTS):
            thoughts.append(number)
            if proof:
                yield PlannedPart("thought", tuple(thoughts))
                thoughts = []
            continue
        if thoughts:
            yield PlannedPart("thought", tuple(thoughts))
            thoughts = []
        yield from _beside(number, part, proof=proof)
    if thoughts:
        yield PlannedPart("thought", tuple(thoughts))


def _beside(number: int, part: Any, *, proof: bool) -> Iterator[PlannedPart]:  # noqa: ANN401 (JSON)
    """A part, and its proof at its side."""
    made, proved = PlannedPart("part", (number,)), PlannedPart("proof", (number,))
    if not proof or _has(part, "functionResponse"):
        yield made
    elif _has(part, "functionCall"):
        yield from (proved, made)
    else:
        yield from (proved,) if _is_proof_alone(part) else (made, proved)


def _is_proof_alone(part: dict[str, Any]) -> bool:
    """Whether a part says nothing beside its proof."""
    return not any(value for key, value in part.items() if key not in {_SIGNATURE, "thought_signature"})


def _has(part: Any, name: str) -> bool:  # noqa: ANN401 (JSON)
    value = said(part, name) if isinstance(part, dict) else None
    return value is not None and value is not False
