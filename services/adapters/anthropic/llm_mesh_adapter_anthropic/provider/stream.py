"""One stream of events from a provider, with what breaks it off."""

from __future__ import annotations

from collections.abc import Sequence

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_anthropic.provider.failures import of_event
from llm_mesh_adapter_kit.dialect import Events
from llm_mesh_adapter_kit.errors import malformed, reset
from llm_mesh_adapter_kit.metering import Meter
from llm_mesh_adapter_kit.sse import ServerEvent
from llm_mesh_dialects.anthropic.streams import EventReader
from llm_mesh_dialects.errors import DialectError, TruncatedError
from llm_mesh_dialects.extras import parsed


class MessageStream:
    """Implements `StreamReader` of the kit."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._reader = EventReader()

    @property
    def done(self) -> bool:
        """Whether the provider said that nothing follows."""
        return self._reader.done

    def feed(self, arrived: Sequence[ServerEvent], events: Events, meter: Meter) -> None:
        """Appends what the arrived events mean."""
        made: list[generate_pb2.StreamEvent] = []
        try:
            for data, name in arrived:
                said = parsed(data)
                if isinstance(said, dict) and (said.get("type") == "error" or name == "error"):
                    raise of_event(self._endpoint, said)
                made += self._reader.feed(said)
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
