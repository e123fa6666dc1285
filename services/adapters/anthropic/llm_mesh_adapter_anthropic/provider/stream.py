"""One stream of events from a provider, with what breaks it off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_anthropic.provider.bedrock import unpacked
from llm_mesh_adapter_anthropic.provider.failures import of_event
from llm_mesh_adapter_kit.dialect import Events
from llm_mesh_adapter_kit.errors import malformed, reset
from llm_mesh_adapter_kit.framing import Frame
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_adapter_kit.values import check_event
from llm_mesh_dialects.anthropic.streams import EventReader
from llm_mesh_dialects.errors import DialectError, TruncatedError
from llm_mesh_dialects.loose import Halves, loose_parsed, mended

_DONE: Final = b"[DONE]"
_TEXTS: Final = frozenset({"text", "thinking", "partial_json"})


class MessageStream:
    """Implements `StreamReader` of the kit."""

    def __init__(self, endpoint: str, *, packed: bool = False) -> None:
        """`packed`: events come in frames of AWS."""
        self._endpoint = endpoint
        self._packed = packed
        self._reader = EventReader()
        self._said_so = False
        self._halves = Halves()

    @property
    def done(self) -> bool:
        """Whether the provider said that nothing follows."""
        return self._reader.done or self._said_so

    def feed(self, arrived: Sequence[Frame], events: Events, meter: AttemptMeter) -> None:
        """Appends what the arrived events mean."""
        made: list[generate_pb2.StreamEvent] = []
        try:
            for data, name in map(unpacked, arrived) if self._packed else arrived:
                if data.lstrip().startswith(_DONE):  # of servers that speak OpenAI's dialect, too
                    self._said_so = True
                    continue
                if not data.strip():
                    continue
                event = self._parsed(data)
                if isinstance(event, dict) and (event.get("type") == "error" or name == "error"):
                    raise of_event(self._endpoint, event)
                made += self._reader.feed(event)
        except DialectError as error:
            raise malformed(self._endpoint, str(error)) from None
        finally:
            events.extend(made)
            meter.saw(made)

    def _parsed(self, data: bytes) -> Any:  # noqa: ANN401 (JSON)
        """An event. Halves of a surrogate pair that came in two pieces of one block are joined."""
        check_event(self._endpoint, data)
        if not self._halves:
            try:
                return orjson.loads(data)
            except orjson.JSONDecodeError:
                pass  # it may hold half of a pair, which that parser refuses
        event = loose_parsed(data)
        delta = event.get("delta") if isinstance(event, dict) else None
        if isinstance(delta, dict):
            for key in _TEXTS & delta.keys():
                if isinstance(delta[key], str):
                    delta[key] = self._halves.mended((str(event.get("index")), key), delta[key])
        return mended(event)

    def finish(self) -> Sequence[generate_pb2.StreamEvent]:
        """What the end of the stream means."""
        try:
            return self._reader.finish(said_so=self._said_so)
        except TruncatedError as error:
            raise reset(self._endpoint, str(error)) from None
