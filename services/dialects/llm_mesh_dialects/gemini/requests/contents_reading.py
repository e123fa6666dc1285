"""The conversation of a client's request, from the dialect to the typed payload."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.counting import MOST_PARTS
from llm_mesh_dialects.extras import as_extras
from llm_mesh_dialects.gemini.proto_fields import ProtoFields
from llm_mesh_dialects.gemini.requests.calls_reading import CallIds
from llm_mesh_dialects.gemini.requests.layout import MODEL, PlannedMessage, PlannedPart, planned_messages
from llm_mesh_dialects.gemini.requests.parts_reading import RequestPartsReader
from llm_mesh_dialects.gemini.signatures import put_signature
from llm_mesh_dialects.gemini.vocabulary import DIALECT

_MOST_CONTENTS: Final = 4_096
_ROLES: Final = ("user", MODEL, "function", "tool")
_SIGNATURE: Final = "thoughtSignature"


def messages(body: ProtoFields) -> Iterator[content_pb2.Message]:
    """The instruction and the contents, in order."""
    contents = body.raw("contents")
    if contents is None:
        raise body.wrong("contents", "required: expected a list of contents")
    if not isinstance(contents, list) or len(contents) > _MOST_CONTENTS:
        raise body.wrong("contents", f"expected a list of at most {_MOST_CONTENTS} contents")
    owners: dict[int | None, ProtoFields] = dict(enumerate(body.each("contents")))
    if (instruction := body.inner("systemInstruction")) is not None:
        owners[None] = instruction
    parts = {number: list(owner.each("parts")) for number, owner in owners.items()}
    if sum(map(len, parts.values())) > MOST_PARTS:
        raise body.wrong("contents", f"expected at most {MOST_PARTS} parts in all contents together")
    reader = _MessageReader(owners, parts)
    planned = list(planned_messages(body.whole_object()))
    for plan, following in zip_longest(planned, planned[1:]):
        yield reader.message(plan, last=following is None or following.contents != plan.contents)


class _MessageReader:
    """Reads messages as they are planned."""

    def __init__(self, owners: dict[int | None, ProtoFields], parts: dict[int | None, list[ProtoFields]]) -> None:
        self._owners = owners
        self._parts = parts
        self._reader = RequestPartsReader(CallIds())

    def message(self, plan: PlannedMessage, *, last: bool) -> content_pb2.Message:
        """One message. What is not modelled of its contents goes with the `last` one that is made of them."""
        owners = [self._owners[number] for number in plan.contents]
        roles = {self._role(owner, plan) for owner in owners}
        made = content_pb2.Message(role=roles.pop(), parts=[self._part(each) for each in plan.parts])
        for owner in owners if last else ():
            made.extras.extend(as_extras(DIALECT, owner.present()))
        return made

    def _role(self, owner: ProtoFields, plan: PlannedMessage) -> content_pb2.Role:
        role = owner.text("role") or "user"
        if None in plan.contents:
            return content_pb2.ROLE_SYSTEM
        if role not in _ROLES:
            raise owner.wrong("role", "expected user or model")
        if role == MODEL:
            return content_pb2.ROLE_ASSISTANT
        return content_pb2.ROLE_TOOL if plan.results else content_pb2.ROLE_USER

    def _part(self, plan: PlannedPart) -> content_pb2.Part:
        parts = [self._parts[place.content][place.number] for place in plan.places]
        if plan.kind == "part":
            made = self._reader.part(parts[0])
            if len(parts) > 1:
                made.text.text += "".join(each.text("text") or "" for each in parts[1:])
            return made
        reasoning = content_pb2.Reasoning()
        if plan.kind == "thought":
            reasoning.text = "".join(each.text("text") or "" for each in parts)
        if signature := parts[-1].text(_SIGNATURE):
            put_signature(reasoning, signature, parts[-1].at(_SIGNATURE))
        made = content_pb2.Part(reasoning=reasoning)
        for each in parts if plan.kind == "thought" else ():
            each.truth("thought")
            made.extras.extend(as_extras(DIALECT, each.present()))
        return made
