"""Ids of function calls of a client's conversation: the dialect allows calls and responses without one, which belong together by name."""

from __future__ import annotations

from llm_mesh_dialects.gemini.responses.parts_reading import id_of_call


class CallIds:
    """The calls of one conversation, as far as it was read."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._open: dict[str, list[str]] = {}
        """Calls without a response yet, by the function's name."""

    def begun(self, call_id: str, name: str) -> str:
        """The id of a call, which is made where the client gives none."""
        call_id = call_id or id_of_call("", 0, len(self._names))
        self._names[call_id] = name
        self._open.setdefault(name, []).append(call_id)
        return call_id

    def name_of(self, call_id: str) -> str:
        """The function that a call calls; empty where there is no such call."""
        return self._names.get(call_id, "")

    def answered(self, call_id: str, name: str) -> str:
        """The id of the call that a response answers: the first of that name where the client gives none. Empty: there is none."""
        waiting = self._open.get(name, [])
        if not call_id:
            return waiting.pop(0) if waiting else ""
        if call_id in waiting:
            waiting.remove(call_id)
        return call_id
