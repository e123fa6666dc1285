"""One stream of lines from a server, with what breaks it off."""

from __future__ import annotations

from collections.abc import Sequence

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_kit.dialect import Events
from llm_mesh_adapter_kit.errors import malformed, reset
from llm_mesh_adapter_kit.framing import Frame
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_adapter_kit.values import check_event
from llm_mesh_adapter_ollama.provider.bodies import answered_by
from llm_mesh_dialects.errors import DialectError, TruncatedError
from llm_mesh_dialects.ollama.streams import ChatReader


class OllamaStream:
    """Implements `StreamReader` of the kit."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._reader = ChatReader()

    @property
    def done(self) -> bool:
        """Whether the server said that nothing follows."""
        return self._reader.done

    def feed(self, arrived: Sequence[Frame], events: Events, meter: AttemptMeter) -> None:
        """Appends what the arrived lines mean. Nothing after the line that is `done` counts."""
        made: list[generate_pb2.StreamEvent] = []
        try:
            for data, _ in arrived:
                if self._reader.done:
                    break
                check_event(self._endpoint, data)
                made += self._reader.feed(answered_by(self._endpoint, data))
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
