"""The conversation of a request, from the typed payload to the dialect: a system prompt, and turns that alternate.

What opens the conversation as system or developer is the system prompt. Later instructions stay in place where the model takes
them there, and move to the prompt where it does not. Results of tools and what the user says next are one turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.anthropic.blocks_writing import Block, BlocksWriter
from llm_mesh_dialects.anthropic.quirks import Quirks
from llm_mesh_dialects.anthropic.vocabulary import DIALECT
from llm_mesh_dialects.extras import put_back
from llm_mesh_dialects.report import Report

_ROLES: Final = {
    content_pb2.ROLE_USER: "user",
    content_pb2.ROLE_TOOL: "user",
    content_pb2.ROLE_ASSISTANT: "assistant",
    content_pb2.ROLE_SYSTEM: "system",
    content_pb2.ROLE_DEVELOPER: "system",
}


class MessagesWriter:
    """Writes one conversation. `own` says that it came in this dialect, with its system messages where they belong."""

    def __init__(self, quirks: Quirks, report: Report, *, own: bool) -> None:
        self._quirks = quirks
        self._report = report
        self._own = own
        self._blocks = BlocksWriter(report)
        self.system: list[Block] = []
        self.turns: list[dict[str, Any]] = []

    def write(self, messages: Sequence[content_pb2.Message]) -> None:
        """Writes the messages, in order."""
        opening = True
        for index, message in enumerate(messages):
            path = f"messages[{index}]."
            role = _ROLES.get(message.role, "user")
            opening = opening and role == "system"
            if message.name:
                self._report.dropped(f"{path}name", "participants have no names")
            if message.role == content_pb2.ROLE_DEVELOPER:
                self._report.renamed(f"{path}role", "the provider knows system, not developer")
            blocks = self._blocks.written(message.parts, path)
            if role == "system":
                blocks = self._texts(blocks, path)
            if opening or (role == "system" and not self._fits(messages, index, path)):
                self.system += blocks
                put_back({}, message.extras, DIALECT, self._report, path, place="message.")
            elif blocks:
                self._say(role, blocks, message, path)

    def into(self, body: dict[str, Any]) -> None:
        """Puts the conversation into a body."""
        if self.system:
            body["system"] = _content(self.system)
        body["messages"] = [{**turn, "content": _content(turn["content"])} for turn in self.turns]

    def _say(self, role: str, blocks: list[Block], message: content_pb2.Message, path: str) -> None:
        if not self.turns or self.turns[-1]["role"] != role:
            self.turns.append({"role": role, "content": []})
        turn = self.turns[-1]
        turn["content"] += blocks
        put_back(turn, message.extras, DIALECT, self._report, path, place="message.")

    def _fits(self, messages: Sequence[content_pb2.Message], index: int, path: str) -> bool:
        """Whether a later instruction may stay where it is: after a user's turn and before an answer."""
        if self._own:
            return True
        following = next((_ROLES.get(each.role) for each in messages[index + 1 :] if _ROLES.get(each.role) != "system"), "assistant")
        before = self.turns[-1]["role"] if self.turns else ""
        if self._quirks.system_within and before in {"user", "system"} and following == "assistant":
            return True
        self._report.approximated(f"{path}role", "an instruction within the conversation moved to its beginning")
        return False

    def _texts(self, blocks: list[Block], path: str) -> list[Block]:
        texts = [each for each in blocks if each.get("type") == "text"]
        if len(texts) < len(blocks) and not self._own:
            self._report.dropped(f"{path}parts", "instructions are texts")
            return texts
        return blocks


def _content(blocks: list[Block]) -> str | list[Block]:
    """One plain text as a string, anything else as a list."""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        text: str = blocks[0]["text"]
        return text
    return blocks
