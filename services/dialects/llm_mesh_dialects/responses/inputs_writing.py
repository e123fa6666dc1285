"""The conversation of a request, from the typed payload to the dialect: instructions, and items in their order.

A message becomes one item per run of content, and one for each call, result and piece of reasoning in it. Reasoning goes back whole to
where it came from, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.allowing import ABSENT
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import put_back, put_nowhere, whole
from llm_mesh_dialects.openai.parts_writing import plain_text
from llm_mesh_dialects.openai.vocabulary import ROLE_WORDS
from llm_mesh_dialects.proofs import ProofOrigin, proof_of
from llm_mesh_dialects.report import Report
from llm_mesh_dialects.responses.contents_writing import MessageContentsWriter
from llm_mesh_dialects.responses.items_reading import ITEM
from llm_mesh_dialects.responses.proofs import item_of
from llm_mesh_dialects.responses.vocabulary import DIALECT
from llm_mesh_dialects.unsaid import report_beside

Item = dict[str, Any]
_ALONE: Final = frozenset({"tool_call", "tool_result", "reasoning"})
"""Parts that are items of their own."""


class InputsWriter:
    """Writes one conversation to where `origin` takes reasoning back."""

    def __init__(self, report: Report, origin: ProofOrigin) -> None:
        self._report = report
        self._origin = origin
        self._contents = MessageContentsWriter(report)
        self.instructions = ""
        self.items: list[Item] = []

    def write(self, messages: Sequence[content_pb2.Message]) -> None:
        """Writes the messages, in order. The system's instruction that opens the conversation stands apart."""
        for index, message in enumerate(messages):
            path = f"messages[{index}]."
            if message.name:
                self._report.dropped(f"{path}name", "participants have no names")
            put_nowhere(message.extras, DIALECT, self._report, path, place="message.")
            text = _instruction(message) if index == 0 and len(messages) > 1 else None
            if text is not None:
                self.instructions = text
            else:
                self._message(message, path)
        if not self.items:
            raise DialectError("messages", "expected a message of which the provider can take at least one part")

    def _message(self, message: content_pb2.Message, path: str) -> None:
        run: list[tuple[int, content_pb2.Part]] = []
        role = ROLE_WORDS.get(message.role, "user")
        for index, part in enumerate(message.parts):
            if not _is_item(part):
                if run and _begins_message(part):
                    self._say(role, run, path)
                    run = []
                run.append((index, part))
                continue
            if run:
                self._say(role, run, path)
                run = []
            self._alone(part, f"{path}parts[{index}].")
        if run or (not message.parts and role == "assistant"):
            self._say(role, run, path)

    def _say(self, role: str, parts: list[tuple[int, content_pb2.Part]], path: str) -> None:
        if role == "assistant":
            self._answer(parts, path)
            return
        content = self._contents.content(parts, path)
        if content:
            self.items.append({"role": "user" if role == "tool" else role, "content": content})

    def _answer(self, parts: list[tuple[int, content_pb2.Part]], path: str) -> None:
        if len(parts) == 1 and (text := plain_text(parts[0][1])) is not None:
            self.items.append({"role": "assistant", "content": text})
            return
        of_item: Any = None
        content = []
        for index, part in parts:
            place = f"{path}parts[{index}]."
            if part.HasField("cache_hint"):
                self._report.dropped(f"{place}cache_hint", "the provider caches prefixes by itself")
            beside: Item = {}
            put_back(beside, part.extras, DIALECT, self._report, place, place="part.")
            of_item = beside.pop(ITEM, of_item)
            for key in beside:
                self._report.dropped(f"{place}extras[{DIALECT}.{key}]", "a key has no place at a part of an answer")
            if (made := self._contents.spoken(part, place)) is not None:
                content.append(made)
        if content:
            item = {"type": "message", "role": "assistant", "content": content}
            self.items.append({**item, "status": "completed", **of_item} if isinstance(of_item, dict) else item)

    def _alone(self, part: content_pb2.Part, path: str) -> None:
        kind = part.WhichOneof("kind")
        if kind not in {"tool_call", "tool_result"}:
            report_beside(part, path, self._report)
        elif part.HasField("cache_hint"):
            self._report.dropped(f"{path}cache_hint", "the provider caches prefixes by itself")
        if kind == "tool_call":
            call = part.tool_call
            item: Item = {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments_json}
            put_back(item, part.extras, DIALECT, self._report, path, place="call.")
            self.items.append(item)
        elif kind == "tool_result":
            self._result(part, path)
        elif kind == "reasoning":
            self._reasoning(part.reasoning, path)
        else:
            value = whole(part.opaque, "item_type.", self._report, f"{path}opaque")
            if value is not ABSENT:
                self.items.append(value)

    def _result(self, part: content_pb2.Part, path: str) -> None:
        result = part.tool_result
        if result.is_error:
            self._report.dropped(f"{path}tool_result.is_error", "results have no such flag; the text says how it failed")
        output = self._contents.content(list(enumerate(result.parts)), f"{path}tool_result.")
        item: Item = {"type": "function_call_output", "call_id": result.tool_call_id, "output": output}
        put_back(item, part.extras, DIALECT, self._report, path, place="call.")
        self.items.append(item)

    def _reasoning(self, reasoning: content_pb2.Reasoning, path: str) -> None:
        own = self._origin.own(reasoning.signature)
        if own is not None:
            self.items.append(item_of(own.text, reasoning.text, f"{path}reasoning.signature"))
        elif (proof := proof_of(reasoning.signature)) is not None and proof.dialect == DIALECT:
            self._report.dropped(
                f"{path}reasoning", "a proof of another model, key or route, which this one cannot read, or of another domain"
            )
        elif reasoning.signature or reasoning.redacted:
            self._report.dropped(f"{path}reasoning", "a proof of another dialect")
        else:
            self._report.dropped(f"{path}reasoning", "the provider takes back only reasoning that carries its own proof")


def _is_item(part: content_pb2.Part) -> bool:
    """Whether a part stands by itself. An item of another dialect has no place anywhere, and is a content that is left out."""
    kind = part.WhichOneof("kind")
    return kind in _ALONE or (kind == "opaque" and part.opaque.item and part.opaque.dialect == DIALECT)


def _begins_message(part: content_pb2.Part) -> bool:
    return any(extra.dialect == DIALECT and extra.key == ITEM for extra in part.extras)


def _instruction(message: content_pb2.Message) -> str | None:
    """The text of an instruction that is a text and nothing else."""
    if message.role != content_pb2.ROLE_SYSTEM or len(message.parts) != 1 or message.extras or message.name:
        return None
    return plain_text(message.parts[0]) or None
