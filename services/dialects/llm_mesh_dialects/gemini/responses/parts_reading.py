"""Parts of answers, from the dialect to the typed payload. A part that is not modelled is kept whole.

A proof (`thoughtSignature`) becomes reasoning of its own beside the part at which it stood: before a function call, behind anything else.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.gemini import media
from llm_mesh_dialects.gemini.vocabulary import DIALECT, MADE_ID, OF_CALL_AFTER, OF_PART_BEFORE, OF_THOUGHT

Part = content_pb2.Part
_PROOF: Final = "thoughtSignature"
_DIGITS: Final = 16


def part(fields: Fields, call_id: str) -> list[Part]:
    """What one part means; `call_id` is for a function call to which the provider gave no id."""
    proof = fields.text(_PROOF) or ""
    text, thought = fields.text("text"), fields.truth("thought") or False
    if text is not None and thought:
        return _thought(text, proof)
    if isinstance(fields.peek("functionCall"), dict):
        call = fields.required("functionCall")
        made = _with_rest(Part(tool_call=function_call(call, call_id)), fields)
        return [Part(reasoning=proved(OF_CALL_AFTER, proof)), made] if proof else [made]
    if text is not None:
        read = [_with_rest(Part(text=content_pb2.Text(text=text)), fields)] if text else []
    elif isinstance(fields.peek("inlineData"), dict):
        read = [_with_rest(media.from_inline(fields.required("inlineData")), fields)]
    else:
        left = fields.rest()
        kind = next(iter(left), "")
        read = [Part(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=kind, json=dumped(left)))] if left else []
    return [*read, Part(reasoning=proved(OF_PART_BEFORE, proof))] if proof else read


def function_call(call: Fields, call_id: str) -> content_pb2.ToolCall:
    """A function call that came whole."""
    arguments: Any = call.raw("args")
    json = dumped({} if arguments is None else arguments, call.at("args")).decode()
    return content_pb2.ToolCall(id=call.text("id") or call_id, name=call.required_text("name"), arguments_json=json)


def proved(place: str, proof: str, text: str = "") -> content_pb2.Reasoning:
    """Reasoning with a proof, whose place goes before it."""
    return content_pb2.Reasoning(text=text, signature=f"{place}:{proof}" if proof else "")


def id_of_call(answer: str, candidate: int, number: int) -> str:
    """The id of a function call to which the provider gave none: results need one, and it must be another in each answer."""
    return MADE_ID + sha256(f"{answer}/{candidate}/{number}".encode()).hexdigest()[:_DIGITS]


def _thought(text: str, proof: str) -> list[Part]:
    return [Part(reasoning=proved(OF_THOUGHT, proof, text))] if text or proof else []


def _with_rest(made: Part, fields: Fields) -> Part:
    if left := {key: value for key, value in fields.rest().items() if value is not None}:
        made.extras.extend(as_extras(DIALECT, left))
    return made
