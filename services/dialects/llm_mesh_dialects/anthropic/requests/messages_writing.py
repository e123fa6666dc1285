"""The conversation of a request, from the typed payload to the dialect: a system prompt, and turns that alternate.

What opens the conversation as system or developer is the system prompt. Later instructions stay in place where the model takes
them there, and move to the prompt where it does not. Results of tools and what the user says next are one turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.anthropic.blocks_writing import Block, BlocksWriter
from llm_mesh_dialects.anthropic.quirks import AnthropicQuirks
from llm_mesh_dialects.anthropic.vocabulary import DIALECT
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import put_back, put_nowhere
from llm_mesh_dialects.report import Report

_CALL_AND_RESULT: Final = 2
_ROLES: Final = {
    content_pb2.ROLE_USER: "user",
    content_pb2.ROLE_TOOL: "user",
    content_pb2.ROLE_ASSISTANT: "assistant",
    content_pb2.ROLE_SYSTEM: "system",
    content_pb2.ROLE_DEVELOPER: "system",
}


class AnthropicMessagesWriter:
    """Writes one conversation. `own` says that it came in this dialect, with its system messages where they belong."""

    def __init__(self, quirks: AnthropicQuirks, report: Report, *, own: bool) -> None:
        self._quirks = quirks
        self._report = report
        self._own = own
        self._blocks = BlocksWriter(report, own=own)
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
            elif not blocks and not self._own:
                _refuse_if_lost(message, path)
            if opening or (role == "system" and not self._fits(messages, index, path)):
                self.system += blocks
                put_nowhere(message.extras, DIALECT, self._report, path, place="message.")
            elif blocks:
                self._say(role, blocks, message, path)

    def into(self, body: dict[str, Any]) -> None:
        """Puts the conversation into a body. Raises `DialectError` where there is nothing to answer."""
        if not self._own:
            self._make_answerable()
        if self.system:
            body["system"] = _content(self.system)
        body["messages"] = [{**turn, "content": _content(turn["content"])} for turn in self.turns]

    def _make_answerable(self) -> None:
        if not self.turns and self.system:
            self._report.approximated("messages", "a conversation of instructions alone is sent as the user's turn")
            self.turns, self.system = [{"role": "user", "content": self.system}], []
        if not self.turns:
            raise DialectError("messages", "expected a message with content")
        self._trim_begun_answer()

    @property
    def begins_answer(self) -> bool:
        """Whether the last turn is the begin of the answer, which the model goes on with."""
        return bool(self.turns) and self.turns[-1]["role"] == "assistant"

    @property
    def continues_calls_without_thinking(self) -> bool:
        """Whether the last turn has results of tools that the model called without thinking that it could be shown again."""
        if len(self.turns) < _CALL_AND_RESULT or not any(each.get("type") == "tool_result" for each in self.turns[-1]["content"]):
            return False
        return self.turns[-2]["content"][0].get("type") not in {"thinking", "redacted_thinking"}

    def _trim_begun_answer(self) -> None:
        """The provider refuses an answer that begins with text that ends in white space."""
        if not self.begins_answer or self.turns[-1]["content"][-1].get("type") != "text":
            return
        last = self.turns[-1]["content"][-1]
        trimmed = last["text"].rstrip()
        if trimmed != last["text"]:
            self._report.approximated("messages", "white space at the end of the answer that the client began is left out")
            last["text"] = trimmed

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


def _refuse_if_lost(message: content_pb2.Message, path: str) -> None:
    """A turn whose every part the dialect has no place for must not vanish: the model would answer something else."""
    for index, part in enumerate(message.parts):
        kind = part.WhichOneof("kind")
        if kind not in {"text", "reasoning"}:
            raise DialectError(f"{path}parts[{index}].{kind}", "expected a message of which the provider can take at least one part")


def _content(blocks: list[Block]) -> str | list[Block]:
    """One plain text as a string, anything else as a list."""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        text: str = blocks[0]["text"]
        return text
    return blocks
