"""A prompt that its provider did not like: in Google's dialect no failure, but an answer without candidates that says why."""

from __future__ import annotations

import orjson

from llm_mesh_dialects.gemini import responses
from llm_mesh_dialects.gemini.streams import EventFrames
from llm_mesh_dialects.gemini.streams.frames import Frames
from llm_mesh_edge.domain.failures import Failure
from llm_mesh_edge.http.exchange import EVENTS, JSON, HttpExchange

_FILTERED = "provider_filtered"


def is_block(failure: Failure) -> bool:
    """Whether a provider blocked the prompt."""
    return failure.code == _FILTERED


async def answer_block(exchange: HttpExchange, failure: Failure, frames: Frames | None = None) -> None:
    """Answer with the reason, and in headers with what the failure tells besides. `frames`: as a stream of one chunk."""
    body = responses.blocked_to_body(failure.provider.code.upper(), failure.message, id=exchange.headers.request_id)
    data = orjson.dumps(body | {"llm_mesh_code": failure.code})
    if frames is not None:
        data = frames.frame(data) + frames.end()
    await exchange.answer(200, data, failure.headers(), media_type=EVENTS if isinstance(frames, EventFrames) else JSON)
