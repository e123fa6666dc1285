"""The function calls of one candidate of a stream: most come whole, some in pieces."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.gemini.responses.parts_reading import id_of_call, proved
from llm_mesh_dialects.gemini.streams.partial_arguments import ArgumentRoom, PartialArguments
from llm_mesh_dialects.gemini.vocabulary import DIALECT, OF_CALL_AFTER

Event = generate_pb2.StreamEvent


class CandidateCalls:
    """Reads them, in order. One call at a time comes in pieces. `room` is what the arguments of all candidates share."""

    __slots__ = ("_arguments", "_begun", "_candidate", "_open", "_place", "_room", "count")

    def __init__(self, candidate: int, room: ArgumentRoom) -> None:
        self._room = room
        self._candidate = candidate
        self.count = 0
        self._open = False
        self._arguments = PartialArguments(room)
        self._begun: dict[str, Any] = {}
        self._place = ""
        """Where the arguments of the open call stand."""

    def read(self, fields: Fields, answer: str, proof: str, events: list[Event]) -> None:
        """A part that has a function call, or a piece of one."""
        call = fields.required("functionCall")
        self._place = call.at("args")
        more = call.truth("willContinue") or False
        name = call.text("name")
        if name or not self._open:
            self.close(events)
            self._start(call, name or call.required_text("name"), fields, answer, proof, events)
        elif proof:
            events.append(self._proof(proof))
        arguments: Any = call.raw("args")
        if isinstance(arguments, dict):
            self._begun |= arguments
        for piece in call.each("partialArgs"):
            self._arguments.add(piece)
        if not more:
            self.close(events)

    def close(self, events: list[Event]) -> None:
        """The call that is open is whole."""
        if not self._open:
            return
        self._open = False
        json = dumped(self._arguments.whole(self._begun), self._place).decode()
        events.append(Event(tool_call=generate_pb2.ToolCallDelta(choice=self._candidate, index=self.count - 1, arguments_json=json)))
        self._arguments, self._begun = PartialArguments(self._room), {}

    def _start(self, call: Fields, name: str, fields: Fields, answer: str, proof: str, events: list[Event]) -> None:
        if proof:
            events.append(self._proof(proof))
        started = generate_pb2.ToolCallStarted(
            choice=self._candidate,
            index=self.count,
            id=call.text("id") or id_of_call(answer, self._candidate, self.count),
            name=name,
            extras=as_extras(DIALECT, {key: value for key, value in fields.rest().items() if value is not None}),
        )
        events.append(Event(tool_call_started=started))
        self.count += 1
        self._open = True

    def _proof(self, proof: str) -> Event:
        signature = proved(OF_CALL_AFTER, proof).signature
        return Event(reasoning=generate_pb2.ReasoningDelta(choice=self._candidate, signature=signature))
