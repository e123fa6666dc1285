"""The parts of one candidate of a streamed answer, as typed events make them.

A function call is told once it is whole: the dialect has no pieces of texts for it. A thought that is not shown waits for its proof.
"""

from __future__ import annotations

from base64 import b64encode
from collections import deque
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.anthropic.streams.waiting import Arguments
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import put_back
from llm_mesh_dialects.gemini.logprobs import write_logprobs
from llm_mesh_dialects.gemini.responses.parts_writing import SIGNATURE, Part, call_part, malformed_call, thought_part
from llm_mesh_dialects.gemini.responses.writing import ended
from llm_mesh_dialects.gemini.signatures import written_signature
from llm_mesh_dialects.gemini.vocabulary import DIALECT, OF_CALL_AFTER
from llm_mesh_dialects.proofs import proof_of

_MOST_HELD: Final = 8 * 1024 * 1024
"""Bytes of a candidate that wait to be told."""
_SOUND: Final = "audio/pcm"


class _OpenCall:
    """A call whose arguments are not whole yet."""

    __slots__ = ("arguments", "pieces", "proof", "started")

    def __init__(self, started: generate_pb2.ToolCallStarted, proof: str) -> None:
        self.started = started
        self.proof = proof
        self.pieces: list[str] = []
        self.arguments = Arguments()


class CandidateWriter:
    """One candidate. `take` gives what is to be told of it since the last time."""

    def __init__(self, index: int, *, shows_thoughts: bool) -> None:
        self._index = index
        self._shows_thoughts = shows_thoughts
        self._parts: list[Part] = []
        self._tokens: list[generate_pb2.TokenLogprob] = []
        self._calls: deque[_OpenCall] = deque()
        self._by_index: dict[int, _OpenCall] = {}
        self._thought: list[str] = []
        self._proof = ""
        self._held = 0
        self._malformed = ""
        self._refused = False
        self._finished: generate_pb2.ChoiceFinished | None = None

    @property
    def plain(self) -> bool:
        """Whether a text would be all that is told of it."""
        return not (self._parts or self._tokens or self._thought)

    def text(self, delta: generate_pb2.TextDelta) -> None:
        """More text."""
        self._thought.clear()
        self._tokens += delta.logprobs
        if not delta.text and not delta.extras:
            return
        made: Part = {"text": delta.text}
        put_back(made, delta.extras, DIALECT)
        if self._parts and self._parts[-1].keys() == made.keys() == {"text"}:
            self._parts[-1]["text"] += delta.text
        else:
            self._parts.append(made)

    def refusal(self, delta: generate_pb2.TextDelta) -> None:
        """More of a refusal, which is a text like others."""
        self._refused = True
        self.text(delta)

    def reasoning(self, delta: generate_pb2.ReasoningDelta) -> None:
        """More of a thought, or the proof of what was thought."""
        if delta.text and self._shows_thoughts:
            self._parts.append({"text": delta.text, "thought": True})
        elif delta.text:
            self._hold(len(delta.text))
            self._thought.append(delta.text)
        if not delta.signature and not delta.redacted:
            return
        reasoning = content_pb2.Reasoning(text="".join(self._thought), signature=delta.signature, redacted=delta.redacted)
        proof = proof_of(delta.signature)
        if thought := thought_part(reasoning, shown=False):
            self._parts.append(thought)
        elif proof is not None and proof.place == OF_CALL_AFTER:
            self._proof = written_signature(reasoning)
        else:
            self._parts.append({"text": "", SIGNATURE: written_signature(reasoning)})
        self._thought.clear()

    def call_started(self, started: generate_pb2.ToolCallStarted) -> None:
        """A function call begins."""
        self._thought.clear()
        call = _OpenCall(started, self._proof)
        self._proof = ""
        self._calls.append(call)
        self._by_index[started.index] = call

    def call(self, delta: generate_pb2.ToolCallDelta) -> None:
        """More arguments of a call."""
        call = self._by_index.get(delta.index)
        if call is None:
            return  # it was told: nothing but white space follows an object
        self._hold(len(delta.arguments_json))
        call.pieces.append(delta.arguments_json)
        call.arguments.add(delta.arguments_json)
        self._release()

    def audio(self, delta: generate_pb2.AudioDelta) -> None:
        """More sound."""
        transcribed = {"audioTranscription": {"text": delta.transcript}} if delta.transcript else {}
        self._parts.append({"inlineData": {"mimeType": _SOUND, "data": b64encode(delta.data).decode("ascii")}, **transcribed})

    def part(self, whole: Part) -> None:
        """A part of the dialect itself."""
        self._parts.append(whole)

    def finish(self, finished: generate_pb2.ChoiceFinished) -> None:
        """No more comes. Why it ended is told with the last chunk."""
        self._thought.clear()
        self._release(forced=True)
        if self._proof:
            self._parts.append({"text": "", SIGNATURE: self._proof})
            self._proof = ""
        self._finished = finished

    def take(self) -> dict[str, Any] | None:
        """The candidate of the next chunk; None where nothing is to be told of it."""
        if not self._parts and not self._tokens:
            return None
        made = self._content(self._parts or [{"text": ""}])
        self._parts = []
        return made

    def end(self) -> dict[str, Any]:
        """The candidate of the last chunk. Its content has a part, without which clients take the answer for broken."""
        finished = self._finished or generate_pb2.ChoiceFinished(choice=self._index)
        return self._content(self._parts or [{"text": ""}]) | ended(finished, self._malformed, refused=self._refused)

    def _content(self, parts: list[Part]) -> dict[str, Any]:
        made: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": self._index}
        if self._tokens:
            made["logprobsResult"], self._tokens = write_logprobs(self._tokens), []
        return made

    def _release(self, *, forced: bool = False) -> None:
        """Tells the calls that are whole, in the order in which they began."""
        while self._calls and (forced or self._calls[0].arguments.whole):
            call = self._calls.popleft()
            self._by_index.pop(call.started.index, None)
            arguments = "".join(call.pieces)
            self._held -= len(arguments)
            made = call_part(call.started.id, call.started.name, arguments)
            if made is None:
                self._malformed = malformed_call(call.started.name, arguments)
                continue
            if call.proof:
                made[SIGNATURE] = call.proof
            put_back(made, call.started.extras, DIALECT)
            self._parts.append(made)

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > _MOST_HELD:
            raise DialectError(f"candidates[{self._index}].content", f"expected function calls and thoughts of at most {_MOST_HELD} bytes")
