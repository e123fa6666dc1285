"""One streamed answer: events of the wire to typed events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import orjson

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_kit.dialect import Events
from llm_mesh_adapter_kit.errors import malformed, reset
from llm_mesh_adapter_kit.framing import Frame
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_adapter_kit.values import check_event
from llm_mesh_adapter_openai.provider.failures import of_complaint
from llm_mesh_dialects import openai
from llm_mesh_dialects.errors import DialectError, TruncatedError
from llm_mesh_dialects.loose import loose_parsed

_DONE = b"[DONE]"


@contextmanager
def guarded(endpoint: str) -> Iterator[None]:
    """What is no event of the dialect is PROVIDER_MALFORMED."""
    try:
        yield
    except DialectError as error:
        raise malformed(endpoint, str(error)) from None


class OpenAIReader:
    """Reads one stream. A stream that ends without `[DONE]` is whole when each of its choices is."""

    def __init__(self, endpoint: str, quirks: openai.OpenAIQuirks) -> None:
        self._endpoint = endpoint
        self._chunks = openai.streams.ChunkReader(quirks)
        self.done = False

    def feed(self, arrived: Sequence[Frame], events: Events, meter: AttemptMeter) -> None:
        """Appends what the arrived events mean."""
        place, last = 0, len(arrived)
        texts: list[str] = []
        try:
            while not self.done and (place := self._chunks.again(arrived, place, events, texts)) < last:
                data = arrived[place][0]
                if data.lstrip().startswith(_DONE):
                    self.done = True
                elif not data.strip():
                    place += 1
                else:
                    made = self._whole(data)
                    events.extend(made)
                    meter.saw(made)
                    place += 1
        except DialectError as error:
            raise malformed(self._endpoint, str(error)) from None
        finally:
            if texts:
                meter.saw_texts(texts)

    def _whole(self, data: bytes) -> list[generate_pb2.StreamEvent]:
        halves = False
        check_event(self._endpoint, data)
        try:
            chunk = orjson.loads(data)
        except orjson.JSONDecodeError:
            chunk, halves = loose_parsed(data), True
        if openai.errors.is_complaint(chunk):
            raise of_complaint(self._endpoint, openai.errors.complaint(chunk))
        return self._chunks.feed_halves(chunk) if halves else self._chunks.feed(chunk, data)

    def finish(self) -> Sequence[generate_pb2.StreamEvent]:
        """The end of the stream."""
        try:
            return self._chunks.finish(said_so=self.done)
        except TruncatedError as error:
            raise reset(self._endpoint, str(error)) from None
