"""OpenAI's Responses as the wire of a generation, for models that a row names: some have no other, others do more by it."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache, partial

import orjson

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_kit.dialect import Ask, Call, Events
from llm_mesh_adapter_kit.errors import reset
from llm_mesh_adapter_kit.framing import Frame
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_adapter_kit.values import check_event
from llm_mesh_adapter_openai.provider.failures import of_complaint
from llm_mesh_adapter_openai.provider.reader import guarded
from llm_mesh_adapter_openai.provider.rows import OpenAIProvider
from llm_mesh_adapter_openai.provider.saying import allowance_of, path_of, sayable
from llm_mesh_dialects import openai, responses
from llm_mesh_dialects.errors import TruncatedError
from llm_mesh_dialects.loose import loose_parsed, loose_text
from llm_mesh_dialects.proofs import ProofOrigin

_DROPPED = generate_pb2.TRANSLATION_ACTION_DROPPED
_FAILED = frozenset({"error", "response.failed"})
_DONE = b"[DONE]"


@lru_cache(maxsize=1024)
def speaks_responses(patterns: tuple[str, ...], model: str) -> bool:
    """Whether a model is asked by this wire."""
    name = model.rpartition("/")[2]
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def call_of(row: OpenAIProvider, ask: Ask, request: generate_pb2.GenerateInput) -> Call:
    """The request for a generation."""
    origin = _origin(ask)
    body, translations = sayable(
        lambda: responses.requests.input_to_body(
            request,
            model=ask.model,
            stream=ask.stream,
            origin=origin,
            max_output_tokens=ask.max_output_tokens,
            allowance=allowance_of(ask.endpoint),
        )
    )
    if ask.zero_retention and body["store"]:
        body["store"] = False
        translations.append(generate_pb2.Translation(field="extras[responses.store]", action=_DROPPED, note="nothing may be kept"))
    names = responses.tools_writing.shorten_tool_names(body, translations)
    path = path_of(row, "", "/responses")
    return Call(
        path,
        orjson.dumps(body),
        translations=translations,
        tool_names=names,
        proof_mark=origin.marked,
        reader=partial(ResponsesReader, ask.endpoint.name),
    )


def count_of(row: OpenAIProvider, ask: Ask, request: generate_pb2.GenerateInput) -> Call:
    """The request for a count of tokens."""
    allowance = allowance_of(ask.endpoint)
    body = sayable(lambda: responses.requests.input_to_count(request, model=ask.model, origin=_origin(ask), allowance=allowance))
    return Call(path_of(row, "", "/responses/input_tokens"), orjson.dumps(body))


def _origin(ask: Ask) -> ProofOrigin:
    return ProofOrigin(responses.DIALECT, ask.proof_key, ask.endpoint.name, ask.endpoint.base_url, ask.credential, ask.model)


class ResponsesReader:
    """Reads one stream. It is whole when its response is completed; there is no other mark of its end."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._events = responses.streams.ResponseEventReader()

    @property
    def done(self) -> bool:
        """Whether nothing follows."""
        return self._events.ended

    def feed(self, arrived: Sequence[Frame], events: Events, meter: AttemptMeter) -> None:
        """Appends what the arrived events mean."""
        with guarded(self._endpoint):
            for data, _ in arrived:
                if self.done:
                    return
                if data.strip() and not data.lstrip().startswith(_DONE):
                    self._one(data, events, meter)

    def _one(self, data: bytes, events: Events, meter: AttemptMeter) -> None:
        halves = False
        check_event(self._endpoint, data)
        try:
            event = orjson.loads(data)
        except orjson.JSONDecodeError:
            event, halves = loose_parsed(data), True
        if isinstance(event, dict) and (loose_text(event.get("type")) in _FAILED or openai.errors.is_complaint(event)):
            response = event.get("response")
            made = self._events.failed(response)
            events.extend(made)
            meter.saw(made)
            raise of_complaint(self._endpoint, openai.errors.complaint(response or event))
        made = self._events.feed(event, halves=halves)
        events.extend(made)
        meter.saw(made)

    def finish(self) -> Sequence[generate_pb2.StreamEvent]:
        """The end of the stream."""
        try:
            return self._events.finish()
        except TruncatedError as error:
            raise reset(self._endpoint, str(error)) from None
