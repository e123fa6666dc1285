"""The conversation of a request, from the typed payload to the dialect: an instruction, and turns of user and model that alternate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import put_nowhere
from llm_mesh_dialects.gemini.quirks import GeminiQuirks
from llm_mesh_dialects.gemini.requests.parts_writing import SIGNATURE, GeminiPartsWriter, Part
from llm_mesh_dialects.gemini.vocabulary import DIALECT, PLACEHOLDER
from llm_mesh_dialects.proofs import ProofOrigin
from llm_mesh_dialects.report import Report

_INSTRUCTS: Final = frozenset({content_pb2.ROLE_SYSTEM, content_pb2.ROLE_DEVELOPER})
Content = dict[str, Any]


class ContentsWriter:
    """Writes one conversation to where `origin` takes proofs back."""

    def __init__(self, quirks: GeminiQuirks, report: Report, origin: ProofOrigin | None) -> None:
        self._quirks = quirks
        self._report = report
        self._origin = origin
        self.instruction: list[Part] = []
        self.contents: list[Content] = []

    def write(self, messages: Sequence[content_pb2.Message]) -> None:
        """Writes the messages, in order."""
        parts = GeminiPartsWriter(self._quirks, self._report, self._origin, _names(messages))
        for index, message in enumerate(messages):
            path = f"messages[{index}]."
            if message.name:
                self._report.dropped(f"{path}name", "participants have no names")
            written = parts.written(message, path)
            put_nowhere(message.extras, DIALECT, self._report, path, place="message.")
            if message.role in _INSTRUCTS:
                self._instruct(written, message.role, path)
            elif written:
                self._say("model" if message.role == content_pb2.ROLE_ASSISTANT else "user", written)
            elif any(part.WhichOneof("kind") not in {"text", "reasoning"} for part in message.parts):
                raise DialectError(f"{path}parts", "expected a message of which the provider can take at least one part")

    def into(self, body: dict[str, Any]) -> None:
        """Puts the conversation into a body. Raises `DialectError` where there is nothing to answer."""
        if not self.contents and self.instruction:
            self._report.approximated("messages", "a conversation of instructions alone is sent as the user's turn")
            self.contents, self.instruction = [{"role": "user", "parts": self.instruction}], []
        if not self.contents:
            raise DialectError("messages", "expected a message with content")
        if self._quirks.proofs:
            self._fill_in_proofs()
        body["contents"] = self.contents
        if self.instruction:
            body["systemInstruction"] = {"role": "user", "parts": self.instruction}

    def _instruct(self, parts: list[Part], role: content_pb2.Role, path: str) -> None:
        if role == content_pb2.ROLE_DEVELOPER:
            self._report.renamed(f"{path}role", "the provider knows one instruction, not system and developer")
        if self.contents:
            self._report.approximated(f"{path}role", "an instruction within the conversation moved to its beginning")
        texts = [part for part in parts if "text" in part]
        if len(texts) < len(parts):
            self._report.dropped(f"{path}parts", "instructions are texts")
        self.instruction += texts

    def _say(self, role: str, parts: list[Part]) -> None:
        if not self.contents or self.contents[-1]["role"] != role:
            self.contents.append({"role": role, "parts": []})
        self.contents[-1]["parts"] += parts

    def _fill_in_proofs(self) -> None:
        """In the current turn the first call of each step must have a proof: where none holds, the provider's own placeholder stands."""
        for content in reversed(self.contents):
            parts = content["parts"]
            if content["role"] == "user" and not all("functionResponse" in part for part in parts):
                return
            call = next((part for part in parts if "functionCall" in part), None)
            if content["role"] == "model" and call is not None and SIGNATURE not in call:
                call[SIGNATURE] = PLACEHOLDER
                name = call["functionCall"]["name"]
                note = f"the model wants its own proof of the thinking before the call of {name}, which the request has not"
                self._report.approximated("messages", note)


def _names(messages: Sequence[content_pb2.Message]) -> dict[str, str]:
    """The names of functions by the ids of their calls."""
    return {
        part.tool_call.id: part.tool_call.name for message in messages for part in message.parts if part.WhichOneof("kind") == "tool_call"
    }
