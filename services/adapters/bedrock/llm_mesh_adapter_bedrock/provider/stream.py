"""One stream of events from a provider, with what breaks it off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_bedrock.provider.failures import of_event
from llm_mesh_adapter_kit.dialect import Events
from llm_mesh_adapter_kit.errors import malformed, reset
from llm_mesh_adapter_kit.event_stream import FAILURE
from llm_mesh_adapter_kit.framing import Frame
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_adapter_kit.values import check_event
from llm_mesh_dialects.bedrock.streams import ConverseReader
from llm_mesh_dialects.errors import DialectError, TruncatedError
from llm_mesh_dialects.loose import loose_parsed, mended


class ConverseStream:
    """Implements `StreamReader` of the kit."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._reader = ConverseReader()

    @property
    def done(self) -> bool:
        """Whether the provider said that nothing follows."""
        return self._reader.done

    def feed(self, arrived: Sequence[Frame], events: Events, meter: AttemptMeter) -> None:
        """Appends what the arrived frames mean."""
        made: list[generate_pb2.StreamEvent] = []
        try:
            for data, kind in arrived:
                check_event(self._endpoint, data)
                if kind.startswith(FAILURE):
                    raise of_event(self._endpoint, kind.removeprefix(FAILURE), _failure(data))
                made += self._reader.feed(_parsed(data), kind)
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


def _parsed(data: bytes) -> Any:  # noqa: ANN401 (JSON)
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return mended(loose_parsed(data))  # it may hold half of a surrogate pair, which that parser refuses


def _failure(data: bytes) -> object:
    try:
        return loose_parsed(data)
    except DialectError:
        return {}  # its name says enough
