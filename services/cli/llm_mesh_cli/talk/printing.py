"""An answer as it comes: the text on standard output, the reasoning beside it for people only."""

from __future__ import annotations

import sys

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_cli.visible import visible

_FINISH = "FINISH_REASON_"


class Shown:
    """Writes an answer as it comes, and remembers it."""

    def __init__(self, *, quiet: bool) -> None:
        self.finish = ""
        self._pieces: list[str] = []
        self._calls: list[tuple[str, list[str]]] = []
        self._quiet = quiet
        self._reasoning = False

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self._pieces)

    @property
    def calls(self) -> list[dict[str, str]]:
        """The calls of tools so far: their names and arguments."""
        return [{"name": name, "arguments": "".join(pieces)} for name, pieces in self._calls]

    def take(self, event: generate_pb2.StreamEvent) -> None:
        """Show one event of a stream."""
        kind = event.WhichOneof("kind")
        if kind == "text":
            self._write(event.text.text, reasoning=False)
            self._pieces.append(event.text.text)
        elif kind == "refusal":
            self._write(event.refusal.text, reasoning=False)
            self._pieces.append(event.refusal.text)
        elif kind == "reasoning":
            self._write(event.reasoning.text, reasoning=True)
        elif kind == "tool_call_started":
            self._calls.append((event.tool_call_started.name, []))
        elif kind == "tool_call" and self._calls:
            self._calls[-1][1].append(event.tool_call.arguments_json)
        elif kind == "choice_finished":
            self.finish = generate_pb2.FinishReason.Name(event.choice_finished.finish_reason).removeprefix(_FINISH).lower()

    def take_whole(self, output: generate_pb2.GenerateOutput) -> None:
        """Show an answer that came whole."""
        for choice in output.choices[:1]:
            for part in choice.message.parts:
                kind = part.WhichOneof("kind")
                if kind in {"text", "refusal"}:
                    text = part.text.text if kind == "text" else part.refusal.text
                    self._write(text, reasoning=False)
                    self._pieces.append(text)
                elif kind == "reasoning":
                    self._write(part.reasoning.text, reasoning=True)
                elif kind == "tool_call":
                    self._calls.append((part.tool_call.name, [part.tool_call.arguments_json]))
            self.finish = generate_pb2.FinishReason.Name(choice.finish_reason).removeprefix(_FINISH).lower()

    def end(self) -> None:
        """End the last line."""
        if self._quiet:
            return
        for call in self.calls:
            sys.stdout.write(visible(f"[calls {call['name']}({call['arguments']})]\n"))
        if (text := self.text) and not text.endswith("\n"):
            sys.stdout.write("\n")
        sys.stdout.flush()

    def _write(self, text: str, *, reasoning: bool) -> None:
        """Reasoning goes to people only: what is piped on is the answer."""
        if self._quiet:
            return
        if reasoning:
            if sys.stderr.isatty():
                sys.stderr.write(f"\x1b[2m{visible(text)}\x1b[0m")
                self._reasoning = True
            return
        if self._reasoning:
            sys.stderr.write("\n")
            self._reasoning = False
        sys.stdout.write(visible(text) if sys.stdout.isatty() else text)
        sys.stdout.flush()
