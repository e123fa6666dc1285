"""The conversation of a request: a system prompt, and turns of the user and the model that alternate.

What opens the conversation as system or developer is the system prompt. Later instructions stay in place where the model takes them
there, and move to the prompt where it does not. Results of tools and what the user says next are one turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.bedrock.blocks_writing import Block, ConverseBlocksWriter
from llm_mesh_dialects.bedrock.families import Family
from llm_mesh_dialects.bedrock.vocabulary import DIALECT
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import put_nowhere
from llm_mesh_dialects.report import Report

_ROLES: Final = {
    content_pb2.ROLE_USER: "user",
    content_pb2.ROLE_TOOL: "user",
    content_pb2.ROLE_ASSISTANT: "assistant",
    content_pb2.ROLE_SYSTEM: "system",
    content_pb2.ROLE_DEVELOPER: "system",
}
_INSTRUCTIONS: Final = frozenset({"text", "guardContent", "cachePoint"})
_NOT_CONTENT: Final = frozenset({"cachePoint"})
_CALL_AND_RESULT: Final = 2


class MessagesWriter:
    """Writes one conversation."""

    def __init__(self, family: Family, report: Report) -> None:
        self._family = family
        self._report = report
        self.blocks = ConverseBlocksWriter(family, report)
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
            put_nowhere(message.extras, DIALECT, self._report, path, place="message.")
            blocks = self.blocks.written(message.parts, path)
            if role == "system":
                blocks = self._instructions(blocks, path)
            elif not blocks:
                _refuse_if_lost(message, path)
            if opening or (role == "system" and not self._fits(messages, index, path)):
                self.system += blocks
            elif blocks:
                self._say(role, blocks)

    def into(self, body: dict[str, Any]) -> None:
        """Puts the conversation into a body. Raises `DialectError` where there is nothing to answer."""
        if not self.turns and self.system:
            self._report.approximated("messages", "a conversation of instructions alone is sent as the user's turn")
            self.turns, self.system = [{"role": "user", "content": self.system}], []
        if not self.turns:
            raise DialectError("messages", "expected a message with content")
        self._trim_begun_answer()
        for turn in self.turns:
            self._name_documents(turn)
        body["messages"] = self.turns
        if self.system:
            body["system"] = self.system

    @property
    def begins_answer(self) -> bool:
        """Whether the last turn is the begin of the answer, which the model goes on with."""
        return bool(self.turns) and self.turns[-1]["role"] == "assistant"

    @property
    def continues_calls_without_thinking(self) -> bool:
        """Whether the last turn has results of tools that the model called without thinking that it could be shown again."""
        if len(self.turns) < _CALL_AND_RESULT or not any("toolResult" in each for each in self.turns[-1]["content"]):
            return False
        return "reasoningContent" not in self.turns[-2]["content"][0]

    def _trim_begun_answer(self) -> None:
        """Claude refuses an answer that begins with text that ends in white space."""
        last = self.turns[-1]["content"][-1]
        if self._family.claude is None or not self.begins_answer or not isinstance(last.get("text"), str):
            return
        trimmed = last["text"].rstrip()
        if trimmed != last["text"]:
            self._report.approximated("messages", "white space at the end of the answer that the client began is left out")
            last["text"] = trimmed

    def _name_documents(self, turn: dict[str, Any]) -> None:
        """The provider wants a text beside a document."""
        content: list[Block] = turn["content"]
        names = [each["document"]["name"] for each in content if "document" in each and isinstance(each["document"], dict)]
        if names and not any("text" in each or "toolResult" in each for each in content):
            self._report.approximated("messages", "documents without a text beside them are sent with their names as one")
            content.append({"text": ", ".join(names)})

    def _say(self, role: str, blocks: list[Block]) -> None:
        if not self.turns or self.turns[-1]["role"] != role:
            self.turns.append({"role": role, "content": []})
        self.turns[-1]["content"] += blocks

    def _fits(self, messages: Sequence[content_pb2.Message], index: int, path: str) -> bool:
        """Whether a later instruction may stay where it is: after a user's turn and before an answer."""
        following = next((_ROLES.get(each.role) for each in messages[index + 1 :] if _ROLES.get(each.role) != "system"), "assistant")
        before = self.turns[-1]["role"] if self.turns else ""
        claude = self._family.claude
        if claude is not None and claude.system_within and before in {"user", "system"} and following == "assistant":
            return True
        self._report.approximated(f"{path}role", "an instruction within the conversation moved to its beginning")
        return False

    def _instructions(self, blocks: list[Block], path: str) -> list[Block]:
        fitting = [each for each in blocks if each.keys() <= _INSTRUCTIONS]
        if len(fitting) < len(blocks):
            self._report.dropped(f"{path}parts", "instructions are texts")
        return fitting if any(each.keys() - _NOT_CONTENT for each in fitting) else []


def _refuse_if_lost(message: content_pb2.Message, path: str) -> None:
    """A turn whose every part the dialect has no place for must not vanish: the model would answer something else."""
    for index, part in enumerate(message.parts):
        kind = part.WhichOneof("kind")
        if kind not in {"text", "reasoning", "refusal"}:
            raise DialectError(f"{path}parts[{index}].{kind}", "expected a message of which the provider can take at least one part")
