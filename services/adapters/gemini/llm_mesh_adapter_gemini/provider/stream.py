"""One stream of chunks from a provider, with what breaks it off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_gemini.provider.failures import of_block, of_complaint
from llm_mesh_adapter_kit.dialect import Events
from llm_mesh_adapter_kit.errors import malformed, reset
from llm_mesh_adapter_kit.framing import Frame
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_adapter_kit.values import check_event
from llm_mesh_dialects.errors import DialectError, TruncatedError
from llm_mesh_dialects.gemini import errors, responses
from llm_mesh_dialects.gemini.streams import GeminiChunkReader
from llm_mesh_dialects.loose import Halves, loose_parsed, mended

_DONE: Final = b"[DONE]"


class ChunkStream:
    """Implements `StreamReader` of the kit. The dialect has no word for the end of a stream: it is the end of the body."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._reader = GeminiChunkReader()
        self._halves = Halves()
        self.done = False
        """Whether the provider said that nothing follows: proxies that speak OpenAI's dialect, too, do."""

    def feed(self, arrived: Sequence[Frame], events: Events, meter: AttemptMeter) -> None:
        """Appends what the arrived chunks mean."""
        made: list[generate_pb2.StreamEvent] = []
        try:
            for data, _ in arrived:
                if data.startswith(_DONE):
                    self.done = True
                elif data.strip():
                    made += self._chunk(data, made)
        except DialectError as error:
            raise malformed(self._endpoint, str(error)) from None
        finally:
            events.extend(made)
            meter.saw(made)

    def finish(self) -> Sequence[generate_pb2.StreamEvent]:
        """What the end of the stream means."""
        try:
            return self._reader.finish()
        except TruncatedError as error:
            raise reset(self._endpoint, str(error)) from None
        except DialectError as error:  # of what no event of its own carries, such as keys beside the answer
            raise malformed(self._endpoint, str(error)) from None

    def _chunk(self, data: bytes, made: list[generate_pb2.StreamEvent]) -> list[generate_pb2.StreamEvent]:
        chunk = self._parsed(data)
        if errors.is_complaint(chunk):
            raise of_complaint(self._endpoint, chunk)
        events = self._reader.feed(chunk)
        if why := responses.block_of(chunk):
            made += events
            raise of_block(self._endpoint, why)
        return events

    def _parsed(self, data: bytes) -> Any:  # noqa: ANN401 (JSON)
        """A chunk. Halves of a surrogate pair that came in two chunks of one candidate are joined."""
        check_event(self._endpoint, data)
        if not self._halves:
            try:
                return orjson.loads(data)
            except orjson.JSONDecodeError:
                pass  # it may hold half of a pair, which that parser refuses
        chunk = loose_parsed(data)
        for number, part in _texts(chunk):
            part["text"] = self._halves.mended((number, bool(part.get("thought"))), part["text"])
        return mended(chunk)


def _texts(chunk: Any) -> list[tuple[int, dict[str, Any]]]:  # noqa: ANN401 (JSON)
    """The parts of a chunk that are texts, each with the place of its candidate."""
    candidates = chunk.get("candidates") if isinstance(chunk, dict) else None
    texts_by_place: list[tuple[int, dict[str, Any]]] = []
    for number, candidate in enumerate(candidates if isinstance(candidates, list) else ()):
        content = candidate.get("content") if isinstance(candidate, dict) else None
        parts = content.get("parts") if isinstance(content, dict) else None
        texts = [
            part for part in (parts if isinstance(parts, list) else ()) if isinstance(part, dict) and isinstance(part.get("text"), str)
        ]
        texts_by_place += ((number, part) for part in texts)
    return texts_by_place
