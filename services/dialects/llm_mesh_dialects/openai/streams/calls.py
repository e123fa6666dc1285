"""Which tool call a piece of a stream belongs to.

Servers tell calls apart by index, by id, by name or by order alone, and say id and name in the first piece or in a later one. A call
begins for the reader once both are known, or once something shows that they will not come; until then its arguments wait.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.loose import loose_count, loose_text
from llm_mesh_dialects.openai.call_ids import made_id
from llm_mesh_dialects.openai.vocabulary import DIALECT

_MOST_CALLS: Final = 1_024
_MOST_WAITING: Final = 64 * 1024
_CALL: Final = frozenset({"index", "id", "type", "function"})
_FUNCTION: Final = frozenset({"name", "arguments"})

Event = generate_pb2.StreamEvent


@dataclass(slots=True)
class StreamedCall:
    """One call of one choice."""

    number: int
    index: int | None
    id: str = ""
    name: str = ""
    begun: bool = False
    waiting: list[str] = field(default_factory=list)
    size: int = 0
    """Characters that wait."""
    extras: dict[str, Any] = field(default_factory=dict)


class CallReader:
    """Reads the tool calls of one choice."""

    def __init__(self, choice: int) -> None:
        self._choice = choice
        self._calls: list[StreamedCall] = []
        self._by_id: dict[str, StreamedCall] = {}
        self._by_index: dict[int, StreamedCall] = {}
        self._answer = ""

    def __bool__(self) -> bool:
        return bool(self._calls)

    def read(self, piece: dict[str, Any], paths: tuple[str, str], answer: str, events: list[Event]) -> dict[str, Any]:
        """Appends the events of a piece; answers what of it is not modelled and was not told with the begin of the call.

        `paths` are those of the piece and of its function.
        """
        path, of_function = paths
        function = piece.get("function") or {}
        if type(function) is not dict:
            raise DialectError(of_function, "expected an object")
        self._answer = answer
        identity, name = loose_text(piece.get("id")), loose_text(function.get("name"))
        call = self._of(loose_count(piece.get("index")), identity, name, path, events)
        call.id = call.id or identity
        call.name = call.name or name
        if identity:
            self._by_id.setdefault(identity, call)
        left = _unmodelled(piece, _CALL)
        if inner := _unmodelled(function, _FUNCTION):
            left["function"] = inner
        if not call.begun:
            call.extras |= left
            left = {}
        arguments = _arguments(function.get("arguments"), of_function)
        if arguments:
            call.waiting.append(arguments)
            call.size += len(arguments)
        if call.begun or (call.id and call.name) or call.size > _MOST_WAITING:
            self._tell(call, events)
        return {"index": call.number, **left} if left else {}

    def end(self, events: list[Event]) -> None:
        """Begins the calls that still wait: nothing more comes."""
        for call in self._calls:
            if not call.begun:
                self._tell(call, events)

    def _of(self, index: int | None, identity: str, name: str, path: str, events: list[Event]) -> StreamedCall:
        known = self._by_id.get(identity) if identity else None
        if known is not None:
            return known
        before = self._calls[-1] if self._calls else None
        if index is not None:
            before = self._by_index.get(index)
        if before is not None and not _begins_another(before, identity, name, unindexed=index is None):
            return before
        return self._begin(index, path, events)

    def _begin(self, index: int | None, path: str, events: list[Event]) -> StreamedCall:
        if len(self._calls) >= _MOST_CALLS:
            raise DialectError(path, f"expected at most {_MOST_CALLS} tool calls")
        if self._calls and not self._calls[-1].begun and self._calls[-1].index is None:
            self._tell(self._calls[-1], events)
        call = StreamedCall(len(self._calls), index)
        self._calls.append(call)
        if index is not None:
            self._by_index[index] = call
        return call

    def _tell(self, call: StreamedCall, events: list[Event]) -> None:
        if not call.begun:
            call.begun = True
            call.id = call.id or made_id(self._answer, self._choice, call.number)
            self._by_id.setdefault(call.id, call)
            started = generate_pb2.ToolCallStarted(choice=self._choice, index=call.number, id=call.id, name=call.name)
            if call.extras:
                started.extras.extend(as_extras(DIALECT, call.extras))
            events.append(Event(tool_call_started=started))
        if call.waiting:
            more = "".join(call.waiting)
            call.waiting.clear()
            call.size = 0
            events.append(Event(tool_call=generate_pb2.ToolCallDelta(choice=self._choice, index=call.number, arguments_json=more)))


def _begins_another(call: StreamedCall, identity: str, name: str, *, unindexed: bool) -> bool:
    """Whether a piece that was told to belong to a call begins another: by an id or a name that is not that call's."""
    if identity and call.id and identity != call.id:
        return True
    if not name or not call.name:
        return False
    return name != call.name or unindexed  # without an index or a known id, a second name is a second call


def _arguments(value: Any, path: str) -> str:  # noqa: ANN401 (JSON)
    if isinstance(value, dict):  # some servers parse what the model wrote
        return dumped(value).decode()
    if value is None or isinstance(value, str):
        return value or ""
    raise DialectError(f"{path}.arguments", "expected JSON in a string")


def _unmodelled(values: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    return {} if values.keys() <= known else {key: value for key, value in values.items() if key not in known and value is not None}
