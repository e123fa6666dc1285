"""Parts of the typed payload, to parts of the dialect: texts, media, function calls and their responses, thoughts with their proofs.

A proof stands at the part at which the provider gave it. It goes back only to where it came from, else it is left out and reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.allowing import ABSENT
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import parsed, put_back
from llm_mesh_dialects.gemini import media
from llm_mesh_dialects.gemini.opaque import whole
from llm_mesh_dialects.gemini.quirks import GeminiQuirks
from llm_mesh_dialects.gemini.requests.results_writing import function_response
from llm_mesh_dialects.gemini.vocabulary import DIALECT, MADE_ID, OF_CALL_AFTER, OF_THOUGHT
from llm_mesh_dialects.plain import text_of
from llm_mesh_dialects.proofs import Proof, ProofOrigin, proof_of
from llm_mesh_dialects.report import Report
from llm_mesh_dialects.unsaid import report_beside, report_unsaid

Part = dict[str, Any]
SIGNATURE: Final = "thoughtSignature"
_MEDIA: Final = frozenset({"image", "audio", "file"})


class GeminiPartsWriter:
    """Writes the parts of one conversation. `origin` knows the proofs that may go back; `calls` are the names of calls."""

    def __init__(self, quirks: GeminiQuirks, report: Report, origin: ProofOrigin | None, calls: Mapping[str, str]) -> None:
        self._quirks = quirks
        self._report = report
        self._origin = origin
        self._calls = calls

    def written(self, message: content_pb2.Message, path: str) -> list[Part]:
        """The parts of one message, in order."""
        parts: list[Part] = []
        waiting = ""
        own = any(self._own(part.reasoning.signature) for part in message.parts if part.WhichOneof("kind") == "reasoning")
        for index, part in enumerate(message.parts):
            field = f"{path}parts[{index}]."
            kind = part.WhichOneof("kind")
            if kind == "reasoning":
                waiting = self._reasoning(part.reasoning, parts, field, own=own) or waiting
                report_beside(part, field, self._report)
            elif (made := self._made(part, kind or "", field)) is not None:
                if waiting and kind == "tool_call":
                    made[SIGNATURE], waiting = waiting, ""
                parts.append(made)
        if waiting:
            parts.append({"text": "", SIGNATURE: waiting})
        return parts

    def _reasoning(self, reasoning: content_pb2.Reasoning, parts: list[Part], path: str, *, own: bool) -> str:
        """Writes a thought; gives its proof where that belongs to a part that is still to come."""
        proof = self._own(reasoning.signature)
        thought: Part = {"text": reasoning.text, "thought": True}
        if reasoning.text and own:
            parts.append(thought)
        elif reasoning.text:
            self._report.dropped(f"{path}reasoning.text", "thoughts go back only beside a proof that the provider takes back")
        if reasoning.redacted:
            self._report.dropped(f"{path}reasoning.redacted", "a proof of another dialect")
        if proof is None:
            if reasoning.signature:
                self._report.dropped(f"{path}reasoning.signature", _why_not(reasoning.signature))
            return ""
        if proof.place == OF_CALL_AFTER:
            return proof.text
        if proof.place == OF_THOUGHT and reasoning.text:
            thought[SIGNATURE] = proof.text
        elif parts and SIGNATURE not in parts[-1] and "thought" not in parts[-1]:
            parts[-1][SIGNATURE] = proof.text
        else:
            parts.append({"text": "", SIGNATURE: proof.text})
        return ""

    def _own(self, signature: str) -> Proof | None:
        """The proof, where it came from where the request goes."""
        return None if self._origin is None else self._origin.own(signature)

    def _made(self, part: content_pb2.Part, kind: str, path: str) -> Part | None:
        if part.HasField("cache_hint"):
            self._report.dropped(f"{path}cache_hint", "the provider caches prefixes by itself")
        made = self._of_kind(part, kind, path)
        if made is not None:
            report_unsaid(part, kind, path, self._report, {})
            put_back(made, part.extras, DIALECT, self._report, path, place="part.")
        return made

    def _of_kind(self, part: content_pb2.Part, kind: str, path: str) -> Part | None:
        if kind == "text":
            if part.text.annotations:
                self._report.dropped(f"{path}text.annotations", "sources are not sent back")
            return {"text": part.text.text} if part.text.text else None
        if kind in _MEDIA:
            return media.data_part(getattr(part, kind), kind, path, self._report)
        if kind == "tool_call":
            return {"functionCall": self._call(part.tool_call, path)}
        if kind == "tool_result":
            return self._result(part.tool_result, path)
        if kind == "refusal":
            self._report.approximated(f"{path}refusal", "a refusal is a text like others")
            return {"text": part.refusal.text}
        return self._opaque(part.opaque, path) if kind == "opaque" else None

    def _call(self, call: content_pb2.ToolCall, path: str) -> Part:
        made: Part = {"name": call.name, "args": self._arguments(call, path)}
        if call.id and not call.id.startswith(MADE_ID):
            made["id"] = call.id
        return made

    def _arguments(self, call: content_pb2.ToolCall, path: str) -> dict[str, Any]:
        if not call.arguments_json.strip():
            return {}
        try:
            value = parsed(call.arguments_json)
        except DialectError:
            value = None
        if isinstance(value, dict):
            return value
        self._report.approximated(f"{path}tool_call.arguments_json", "arguments that are no JSON object stand inside of one")
        return {"arguments": call.arguments_json}

    def _result(self, result: content_pb2.ToolResult, path: str) -> Part:
        name = self._calls.get(result.tool_call_id)
        if name is None:
            raise DialectError(
                f"{path}tool_result.tool_call_id", "expected the id of a tool call of the conversation: results go by its name"
            )
        response = function_response(result, name, self._quirks, self._report, f"{path}tool_result.")
        if not result.tool_call_id.startswith(MADE_ID):
            response["id"] = result.tool_call_id
        return {"functionResponse": response}

    def _opaque(self, opaque: content_pb2.OpaquePart, path: str) -> Part | None:
        if opaque.dialect == DIALECT:
            value = whole(opaque, "part_type.", self._report, f"{path}opaque")
            return None if value is ABSENT else value
        text = text_of(opaque)
        if text:
            self._report.approximated(f"{path}opaque", f"a {opaque.type} of the {opaque.dialect} dialect is sent as its text")
            return {"text": text}
        self._report.dropped(f"{path}opaque", f"a {opaque.type} part of the {opaque.dialect} dialect")
        return None


def _why_not(signature: str) -> str:
    proof = proof_of(signature)
    if proof is None or proof.dialect != DIALECT:
        return "a proof of another dialect"
    return "a proof of another model, key or route, which this one would refuse, or of another domain"
