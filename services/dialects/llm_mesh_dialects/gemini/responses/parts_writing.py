"""Parts of an answer, from the typed payload to a client's: the reverse of what `parts_reading` makes of a provider's.

A thought is told to a client that asked for thoughts. Another gets only those whose proof is worth nothing without them, to send back.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import parsed, put_back
from llm_mesh_dialects.gemini.media import FILES
from llm_mesh_dialects.gemini.signatures import written_signature
from llm_mesh_dialects.gemini.vocabulary import DIALECT, OF_CALL_AFTER, OF_THOUGHT
from llm_mesh_dialects.proofs import proof_of

Part = dict[str, Any]
SIGNATURE: Final = "thoughtSignature"


class AnswerPartsWriter:
    """Writes the parts of one candidate, in order.

    `malformed` is a call whose arguments are no JSON object: the dialect has no part for it.
    """

    def __init__(self, *, shows_thoughts: bool) -> None:
        self.parts: list[Part] = []
        self.malformed = ""
        self._shows_thoughts = shows_thoughts
        self._waiting = ""

    def write(self, part: content_pb2.Part) -> None:
        """One part."""
        kind = part.WhichOneof("kind")
        if kind == "reasoning":
            self._reasoning(part.reasoning)
        elif (made := _made(part, kind or "")) is not None:
            self._put(made, part)
        elif kind == "tool_call":
            self.malformed = malformed_call(part.tool_call.name, part.tool_call.arguments_json)

    def close(self) -> list[Part]:
        """All parts, once no more comes."""
        if self._waiting:
            self.parts.append({"text": "", SIGNATURE: self._waiting})
        return self.parts

    def _put(self, made: Part, part: content_pb2.Part) -> None:
        if self._waiting and "functionCall" in made:
            made[SIGNATURE], self._waiting = self._waiting, ""
        put_back(made, part.extras, DIALECT)
        self.parts.append(made)

    def _reasoning(self, reasoning: content_pb2.Reasoning) -> None:
        signature, proof = written_signature(reasoning), proof_of(reasoning.signature)
        if thought := thought_part(reasoning, shown=self._shows_thoughts):
            self.parts.append(thought)
        elif proof is not None and proof.place == OF_CALL_AFTER:
            self._waiting = signature
        elif signature and self.parts and not {SIGNATURE, "thought"} & self.parts[-1].keys():
            self.parts[-1][SIGNATURE] = signature
        elif signature:
            self.parts.append({"text": "", SIGNATURE: signature})


def thought_part(reasoning: content_pb2.Reasoning, *, shown: bool) -> Part | None:
    """The part of a thought that is told; None where the reasoning has no text to tell, and is a proof of another part or nothing."""
    proof = proof_of(reasoning.signature)
    signature = written_signature(reasoning) if proof is None or proof.place == OF_THOUGHT else ""
    if not signature and not (shown and reasoning.text):
        return None
    return {"text": reasoning.text, "thought": True} | ({SIGNATURE: signature} if signature else {})


def call_part(call_id: str, name: str, arguments_json: str) -> Part | None:
    """A function call; None where its arguments are no JSON object."""
    try:
        arguments = parsed(arguments_json) if arguments_json.strip() else {}
    except DialectError:
        return None
    if not isinstance(arguments, dict):
        return None
    return {"functionCall": {**({"id": call_id} if call_id else {}), "name": name, "args": arguments}}


def malformed_call(name: str, arguments_json: str) -> str:
    """What is told of a call whose arguments are no JSON object."""
    return f"the arguments of {name} are no JSON object: {arguments_json}"


def _made(part: content_pb2.Part, kind: str) -> Part | None:
    if kind == "text":
        return {"text": part.text.text}
    if kind == "refusal":
        return {"text": part.refusal.text}
    if kind == "tool_call":
        return call_part(part.tool_call.id, part.tool_call.name, part.tool_call.arguments_json)
    if kind in {"image", "audio", "file"}:
        return _medium(getattr(part, kind))
    if kind == "opaque" and part.opaque.dialect == DIALECT:
        whole = parsed(part.opaque.json)
        return whole if isinstance(whole, dict) else None
    return None


def _medium(medium: content_pb2.Media) -> Part:
    named = {"displayName": medium.filename} if medium.filename else {}
    transcribed = {"audioTranscription": {"text": medium.transcript}} if medium.transcript else {}
    if medium.WhichOneof("source") == "data":
        return {"inlineData": {"mimeType": medium.mime_type, "data": b64encode(medium.data).decode("ascii"), **named}, **transcribed}
    address = FILES + medium.file_id if medium.file_id else medium.uri
    return {"fileData": {"fileUri": address, **({"mimeType": medium.mime_type} if medium.mime_type else {}), **named}, **transcribed}
