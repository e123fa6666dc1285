"""What a client of either dialect puts together from the events of a stream."""

from __future__ import annotations

import json
from typing import Any

Call = dict[str, str]


class AssembledStream:
    """A streamed answer, whole."""

    def __init__(self, text: str) -> None:
        self.text = ""
        self.reasoning = ""
        self.finish: list[str] = []
        self.error: Any = None
        self.usage: Any = None
        self.done = False
        self.chunks: list[Any] = []
        self.calls: list[Call] = []
        self._openai_calls: dict[int, Call] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        for line in text.split("\n"):
            if line == "data: [DONE]":
                self.done = True
            elif line.startswith("data: "):
                self._take(json.loads(line.removeprefix("data: ")))
        self._close()

    @property
    def called(self) -> list[tuple[str, Any]]:
        """The tool calls: name and arguments."""
        return [(call["name"], json_or_text(call["arguments"])) for call in self.calls]

    def _take(self, event: Any) -> None:
        self.chunks.append(event)
        kind = event.get("type")
        if event.get("error"):
            self.error = event["error"]
        elif kind is None:
            self._take_chunk(event)
        elif kind == "content_block_start":
            self._blocks[event["index"]] = {**event["content_block"], "received": ""}
        elif kind == "content_block_delta":
            delta = event["delta"]
            piece = delta.get("text") or delta.get("partial_json") or delta.get("thinking") or ""
            self._blocks[event["index"]]["received"] += piece
        elif kind == "message_delta":
            self.finish.append(event["delta"].get("stop_reason"))
            self.usage = event["usage"]
        self.done = self.done or kind == "message_stop"

    def _take_chunk(self, chunk: Any) -> None:
        self.usage = chunk.get("usage") or self.usage
        for choice in chunk.get("choices") or []:
            delta = choice.get("delta") or {}
            self.text += delta.get("content") or ""
            self.reasoning += delta.get("reasoning_content") or ""
            for part in delta.get("tool_calls") or []:
                call = self._openai_calls.setdefault(part["index"], {"id": "", "name": "", "arguments": ""})
                call["id"] += part.get("id") or ""
                for key, value in (part.get("function") or {}).items():
                    call[key] += value or ""
            if choice.get("finish_reason"):
                self.finish.append(choice["finish_reason"])

    def _close(self) -> None:
        for block in self._blocks.values():
            if block["type"] == "text":
                self.text += block["received"]
            elif block["type"] == "thinking":
                self.reasoning += block["received"]
            elif block["type"] == "tool_use":
                self.calls.append({"id": block["id"], "name": block["name"], "arguments": block["received"]})
        self.calls += [self._openai_calls[index] for index in sorted(self._openai_calls)]


def json_or_text(text: str) -> Any:
    """The value where the text is JSON, the text where it is not."""
    try:
        return json.loads(text)
    except ValueError:
        return text
