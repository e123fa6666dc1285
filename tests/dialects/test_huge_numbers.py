"""Numbers of JSON that no float holds are refused by their type and place, in every dialect that reads one."""

from __future__ import annotations

from typing import Any

import pytest

from llm_mesh.inference.v1 import sound_pb2
from llm_mesh_dialects.cohere.answers import logprob
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.fields import Fields, a_number, a_whole
from llm_mesh_dialects.gemini.streams import GeminiChunkReader
from llm_mesh_dialects.loose import loose_count, loose_parsed
from llm_mesh_dialects.openai.transcriptions import body_into_output

HUGE = loose_parsed(b"1" + b"0" * 400)


def numbered(number: Any) -> dict[str, Any]:
    call = {"name": "f", "partialArgs": [{"jsonPath": "$.a", "numberValue": number}]}
    return {"candidates": [{"content": {"parts": [{"functionCall": call}]}}]}


@pytest.mark.parametrize("number", [HUGE, -HUGE])
def test_a_number_that_no_float_holds_is_refused_at_its_place(number: int) -> None:
    assert isinstance(number, int)
    for read in (a_number, a_whole):
        with pytest.raises(DialectError, match="x: expected"):
            read(number, "x")
    with pytest.raises(DialectError, match="numberValue"):
        GeminiChunkReader().feed(numbered(number))
    with pytest.raises(DialectError, match="logprobs"):
        logprob(Fields({"text": "a", "logprobs": [number, 0.5]}))


@pytest.mark.parametrize("seconds", [HUGE, 1e300, "1e300", "nan", "inf"])
def test_seconds_that_no_field_holds_are_refused_at_their_place(seconds: object) -> None:
    with pytest.raises(DialectError, match="duration: expected seconds"):
        body_into_output({"text": "a", "duration": seconds}, sound_pb2.TranscribeOutput())


def test_a_loose_count_that_no_field_holds_is_none() -> None:
    assert loose_count(HUGE) is None
