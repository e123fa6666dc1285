"""What an answer of another mesh may have: choices, calls and results within what was requested, each in its order, and one end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from llm_mesh.inference.v1 import assess_pb2, generate_image_pb2, generate_pb2, moderate_pb2, rerank_pb2
from llm_mesh_adapter_kit.errors import AdapterError, malformed

_OF_A_CHOICE: Final = frozenset({"text", "reasoning", "refusal", "tool_call_started", "tool_call", "audio", "choice_finished"})
_MOST_CALLS: Final = 1_024
"""Calls of tools in one choice."""


class StreamOrder:
    """Checks the events of one streamed answer as they come."""

    def __init__(self, endpoint: str, candidates: int) -> None:
        self._endpoint = endpoint
        self._candidates = max(1, candidates)
        self._ended_choices: set[int] = set()
        self._last_calls: dict[int, int] = {}
        """By choice the index of the call that began last."""
        self._begun = False
        self.ended = False
        """Whether the end of the answer has come."""

    def check(self, events: Iterable[generate_pb2.StreamEvent]) -> None:
        """PROVIDER_MALFORMED where one stands where it cannot."""
        for event in events:
            kind = event.WhichOneof("kind")
            if self.ended:
                raise self._wrong("events after the end of the answer")
            if kind == "started" and self._begun:
                raise self._wrong("a second beginning")
            self._begun = True
            if kind == "finished":
                self.ended = True
            elif kind in _OF_A_CHOICE:
                self._check_choice(kind, getattr(event, kind))

    def _check_choice(self, kind: str, piece: Any) -> None:  # noqa: ANN401 (of many types)
        choice = piece.choice
        if not 0 <= choice < self._candidates:
            raise self._wrong(f"choice {choice}, where {self._candidates} were requested")
        if choice in self._ended_choices:
            raise self._wrong(f"more of choice {choice} after its end")
        if kind == "choice_finished":
            self._ended_choices.add(choice)
        elif kind == "tool_call_started":
            if not self._last_calls.get(choice, -1) < piece.index < _MOST_CALLS:
                raise self._wrong(f"call {piece.index} out of its order")
            self._last_calls[choice] = piece.index
        elif kind == "tool_call" and not 0 <= piece.index <= self._last_calls.get(choice, -1):
            raise self._wrong(f"arguments of call {piece.index}, which has not begun")

    def _wrong(self, why: str) -> AdapterError:
        return malformed(self._endpoint, why)


def check_choices(endpoint: str, output: generate_pb2.GenerateOutput, candidates: int) -> None:
    """PROVIDER_MALFORMED where a whole answer has no choice, one that was not requested, or one twice."""
    if not output.choices:
        raise malformed(endpoint, "an answer without a choice")
    _check_places(endpoint, "choice", [choice.index for choice in output.choices], max(1, candidates))


def check_results(endpoint: str, source: Any, output: Any) -> None:  # noqa: ANN401 (messages of the method)
    """PROVIDER_MALFORMED where the answer to a method has more than was requested, or something at a place that was not."""
    if isinstance(output, rerank_pb2.RerankOutput):
        _check_places(endpoint, "document", [result.index for result in output.results], len(source.documents))
    elif isinstance(output, moderate_pb2.ModerateOutput):
        _check_count(endpoint, "results", len(output.results), len(source.items))
    elif isinstance(output, generate_image_pb2.GenerateImageOutput):
        _check_count(endpoint, "images", len(output.images), max(1, source.count))
    elif isinstance(output, assess_pb2.AssessOutput):
        _check_count(endpoint, "answers", len(output.answers), len(source.questions))
        for question, answer in zip(source.questions, output.answers, strict=False):
            if answer.HasField("choice") and not 0 <= answer.choice.option < len(question.choice.options):
                raise malformed(endpoint, f"option {answer.choice.option}, where {len(question.choice.options)} were given")


def _check_places(endpoint: str, what: str, places: Sequence[int], requested: int) -> None:
    _check_count(endpoint, f"{what}s", len(places), requested)
    if len(set(places)) < len(places):
        raise malformed(endpoint, f"a {what} twice")
    if wrong := next((place for place in places if not 0 <= place < requested), 0):
        raise malformed(endpoint, f"{what} {wrong}, where {requested} were requested")


def _check_count(endpoint: str, what: str, count: int, requested: int) -> None:
    if count > requested:
        raise malformed(endpoint, f"{count} {what}, where {requested} were requested")
