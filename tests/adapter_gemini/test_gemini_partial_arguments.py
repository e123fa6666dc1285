"""Arguments that come in pieces have a bound that the bytes of the pieces do not give: a short path makes thousands of places."""

from __future__ import annotations

from typing import Any

import pytest

from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.gemini.streams import GeminiChunkReader


def chunk(*calls: dict[str, Any], candidate: int = 0) -> dict[str, Any]:
    return {"candidates": [{"index": candidate, "content": {"parts": [{"functionCall": call} for call in calls]}}]}


def call(*paths: str, more: bool = True) -> dict[str, Any]:
    return {"name": "f", "willContinue": more, "partialArgs": [{"jsonPath": path, "nullValue": "NULL_VALUE"} for path in paths]}


def deep(name: str, length: int = 60) -> str:
    return f"$.{name}" + "[9999]" * length


def test_one_path_of_many_long_lists_is_refused() -> None:
    with pytest.raises(DialectError, match="fewer places") as failure:
        GeminiChunkReader().feed(chunk(call(deep("a"))))
    assert failure.value.field == "candidates[0].content.parts[0].functionCall.partialArgs[0].jsonPath"


def test_the_places_of_one_call_have_a_bound_over_all_its_chunks() -> None:
    reader = GeminiChunkReader()
    reader.feed(chunk(call(*(deep(f"a{number}", 1) for number in range(4)))))
    with pytest.raises(DialectError, match="fewer places"):
        reader.feed(chunk({"partialArgs": call(deep("b", 1))["partialArgs"], "willContinue": True}))


@pytest.mark.parametrize("candidates", [1, 30])
def test_the_places_of_all_calls_of_an_answer_have_a_bound(candidates: int) -> None:
    reader = GeminiChunkReader()
    for number in range(19):
        reader.feed(chunk(call(deep("a", 1), more=False), candidate=number % candidates))
    with pytest.raises(DialectError, match="fewer places"):
        reader.feed(chunk(call(deep("a", 1), more=False), candidate=0))


def test_names_and_the_paths_of_texts_count_as_places_too() -> None:
    pieces = [{"jsonPath": f"$.a{number}" + ".b" * 60, "stringValue": ""} for number in range(1_000)]
    with pytest.raises(DialectError, match="fewer places"):
        GeminiChunkReader().feed(chunk({"name": "f", "partialArgs": pieces}))


def test_an_answer_has_no_more_candidates_than_requests_may_ask_for() -> None:
    with pytest.raises(DialectError, match="at most 128 candidates"):
        GeminiChunkReader().feed({"candidates": [{"index": number} for number in range(129)]})


def test_arguments_of_a_usual_size_pass() -> None:
    events = GeminiChunkReader().feed(chunk(call(*(f"$.rows[{row}].x" for row in range(5_000)), more=False)))
    assert events[-1].tool_call.arguments_json.count("null") == 5_000
