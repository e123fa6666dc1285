"""The conversation of a client's request, from the dialect to the typed payload."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

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
    owners: list[ProtoFields] = list(body.each("contents"))
    instruction = body.inner("systemInstruction")
    parts = [_parts(each) for each in (*owners, *([instruction] if instruction is not None else ()))]
    if sum(map(len, parts)) > MOST_PARTS:
        raise body.wrong("contents", f"expected at most {MOST_PARTS} parts in all contents together")
    reader = RequestPartsReader(CallIds())
    planned = list(planned_messages(body.whole_object()))
    for number, plan in enumerate(planned):
        owner = instruction if plan.content is None else owners[plan.content]
        last = number + 1 == len(planned) or planned[number + 1].content != plan.content
        if owner is not None:
            yield _message(owner, parts[-1 if plan.content is None else plan.content], plan, reader, last=last)


def _parts(content: ProtoFields) -> list[ProtoFields]:
    return list(content.each("parts"))


def _message(owner: ProtoFields, parts: list[ProtoFields], plan: PlannedMessage, reader: RequestPartsReader, *, last: bool) -> Any:  # noqa: ANN401
    role = owner.text("role") or "user"
    if plan.content is not None and role not in _ROLES:
        raise owner.wrong("role", "expected user or model")
    made = content_pb2.Message(role=_role(plan, role), parts=[_part(each, parts, reader) for each in plan.parts])
    if last:
        made.extras.extend(as_extras(DIALECT, owner.present()))
    return made


def _role(plan: PlannedMessage, role: str) -> content_pb2.Role:
    if plan.content is None:
        return content_pb2.ROLE_SYSTEM
    if role == MODEL:
        return content_pb2.ROLE_ASSISTANT
    return content_pb2.ROLE_TOOL if plan.results else content_pb2.ROLE_USER


def _part(plan: PlannedPart, parts: list[ProtoFields], reader: RequestPartsReader) -> content_pb2.Part:
    if plan.kind == "part":
        return reader.part(parts[plan.numbers[0]])
    last = parts[plan.numbers[-1]]
    reasoning = content_pb2.Reasoning()
    if plan.kind == "thought":
        reasoning.text = "".join(parts[number].text("text") or "" for number in plan.numbers)
    signature = last.text(_SIGNATURE)
    if signature:
        put_signature(reasoning, signature, last.at(_SIGNATURE))
    made = content_pb2.Part(reasoning=reasoning)
    if plan.kind == "thought":
        for number in plan.numbers:
            parts[number].truth("thought")
            made.extras.extend(as_extras(DIALECT, parts[number].present()))
    return made
