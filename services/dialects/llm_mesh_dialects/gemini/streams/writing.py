"""From typed events to a client's chunks. A chunk has the shape of a whole answer, and holds what came since the last one.

Why candidates ended, and what was used, stand in the last chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.extras import parsed, put_back
from llm_mesh_dialects.gemini.streams.candidates import CandidateWriter
from llm_mesh_dialects.gemini.streams.frames import Frames
from llm_mesh_dialects.gemini.usage import write_usage
from llm_mesh_dialects.gemini.vocabulary import DIALECT

_TEXT_HEAD: Final = b'{"candidates":[{"content":{"parts":[{"text":'
_TEXT_TAIL: Final = b'}],"role":"model"},"index":0}],'


class GeminiChunkWriter:
    """Writes one stream. `id` replaces what the provider said."""

    def __init__(self, frames: Frames, *, id: str = "", shows_thoughts: bool) -> None:  # noqa: A002 (the dialect's name)
        self._frames = frames
        self._shows_thoughts = shows_thoughts
        self._same: dict[str, Any] = {"modelVersion": "", "responseId": id}
        self._tail = b""
        self._candidates: dict[int, CandidateWriter] = {}
        self._usage: generate_pb2.Usage | None = None
        self._beside: dict[str, Any] = {}
        self._writers: Mapping[str, Callable[[Any], None]] = {
            "started": self._start,
            "text": lambda delta: self._of(delta.choice).text(delta),
            "refusal": lambda delta: self._of(delta.choice).refusal(delta),
            "reasoning": lambda delta: self._of(delta.choice).reasoning(delta),
            "tool_call_started": lambda started: self._of(started.choice).call_started(started),
            "tool_call": lambda delta: self._of(delta.choice).call(delta),
            "audio": lambda delta: self._of(delta.choice).audio(delta),
            "choice_finished": lambda finished: self._of(finished.choice).finish(finished),
            "usage": self._keep_usage,
            "opaque": self._opaque,
            "finished": lambda finished: put_back(self._beside, finished.extras, DIALECT),
        }

    def write_all(self, events: Sequence[generate_pb2.StreamEvent]) -> bytes:
        """The frame of what came at once; empty where there is nothing to tell of it."""
        events = events[:]  # a list: the end of a loop over a repeated field would be an exception with a text
        if self._tail and all(map(_is_plain, events)) and self._of(0).plain:
            text = "".join([event.text.text for event in events])
            return self._frames.frame(_TEXT_HEAD + orjson.dumps(text) + _TEXT_TAIL + self._tail) if text else b""
        for event in events:
            kind = event.WhichOneof("kind")
            write = self._writers.get(kind) if kind is not None else None
            if write is not None:
                write(getattr(event, str(kind)))
        candidates = [made for each in self._candidates.values() if (made := each.take()) is not None]
        return self._chunk({"candidates": candidates}) if candidates else b""

    def close(self, receipt: Mapping[str, Any]) -> bytes:
        """The last chunk, with what the mesh tells beside the dialect, and the end."""
        last: dict[str, Any] = {"candidates": [each.end() for _, each in sorted(self._candidates.items())]}
        if self._usage is not None:
            last["usageMetadata"] = write_usage(self._usage)
        return self._chunk({**self._beside, **last, **receipt}) + self._frames.end()

    def failure(self, body: Mapping[str, Any]) -> bytes:
        """An error after the answer has begun. Nothing follows."""
        return self._frames.frame(orjson.dumps(body)) + self._frames.end()

    def _of(self, choice: int) -> CandidateWriter:
        candidate = self._candidates.get(choice)
        if candidate is None:
            candidate = self._candidates[choice] = CandidateWriter(choice, shows_thoughts=self._shows_thoughts)
        return candidate

    def _start(self, started: generate_pb2.Started) -> None:
        self._same = {"modelVersion": started.model, "responseId": self._same["responseId"] or started.id}
        self._tail = orjson.dumps(self._same)[1:]
        if started.HasField("usage"):
            self._usage = started.usage
        put_back(self._beside, started.extras, DIALECT)

    def _keep_usage(self, usage: generate_pb2.Usage) -> None:
        self._usage = usage

    def _opaque(self, part: content_pb2.OpaquePart) -> None:
        """A part of the same dialect, at its place; those of others have none here."""
        whole = parsed(part.json) if part.dialect == DIALECT else None
        if isinstance(whole, dict):
            self._of(0).part(whole)

    def _chunk(self, members: dict[str, Any]) -> bytes:
        return self._frames.frame(orjson.dumps({**members, **self._same}))


def _is_plain(event: generate_pb2.StreamEvent) -> bool:
    """Whether it is text of the first candidate, with nothing beside it."""
    if event.WhichOneof("kind") != "text":
        return False
    delta = event.text
    return not (delta.choice or delta.logprobs or delta.extras)
