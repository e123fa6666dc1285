"""One stream of events from the provider, with what breaks it off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_cohere.provider.bodies import answered_by
from llm_mesh_adapter_cohere.provider.failures import of_end
from llm_mesh_adapter_kit.dialect import Events
from llm_mesh_adapter_kit.errors import malformed, reset
from llm_mesh_adapter_kit.framing import Frame
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_adapter_kit.values import check_event
from llm_mesh_dialects.cohere.streams import CohereChatReader
from llm_mesh_dialects.cohere.vocabulary import ERROR
from llm_mesh_dialects.errors import DialectError, TruncatedError

_DONE: Final = b"[DONE]"


class CohereStream:
    """Implements `StreamReader` of the kit."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._reader = CohereChatReader()

    @property
    def done(self) -> bool:
        """Whether the provider said that nothing follows."""
        return self._reader.done

    def feed(self, arrived: Sequence[Frame], events: Events, meter: AttemptMeter) -> None:
        """Appends what the arrived events mean. Nothing after the end of the message counts."""
        made: list[generate_pb2.StreamEvent] = []
        try:
            for data, _ in arrived:
                if self._reader.done or not data.strip() or data.strip() == _DONE:
                    continue
                check_event(self._endpoint, data)
                made += self._reader.feed(answered_by(self._endpoint, data))
                self._check_end(made)
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

    def _check_end(self, made: list[generate_pb2.StreamEvent]) -> None:
        """An answer that ends in an error has failed; what it used until then is told."""
        if not self._reader.done or not made or made[-1].choice_finished.native_finish_reason != ERROR:
            return
        del made[-1]
        if self._reader.usage is not None:
            made.append(generate_pb2.StreamEvent(usage=self._reader.usage))
        raise of_end(self._endpoint, self._reader.error)
