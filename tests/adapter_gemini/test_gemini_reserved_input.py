"""What a request reads of media is no more than was reserved."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance
from llm_mesh_dialects.errors import CostlyError
from llm_mesh_dialects.gemini.quirks import NEWEST
from llm_mesh_dialects.gemini.requests import input_to_body
from llm_mesh_dialects.gemini.requests.writing import WrittenBody
from tests.adapter_gemini.conftest import saying, says

FINE = ["MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM"]
FINER = ["MEDIA_RESOLUTION_HIGH", "MEDIA_RESOLUTION_ULTRA_HIGH", "MEDIA_RESOLUTION_NEXT", 3]


def extra(key: str, value: Any) -> content_pb2.Extra:
    return content_pb2.Extra(dialect="gemini", key=key, json=json.dumps(value).encode())


def written(request: generate_pb2.GenerateInput, allowance: Allowance = NOTHING_MORE) -> WrittenBody:
    return input_to_body(request, NEWEST, max_output_tokens=5, allowance=allowance)


def video(*extras: content_pb2.Extra) -> generate_pb2.GenerateInput:
    file = content_pb2.Media(uri="https://a.com/x.mp4", mime_type="video/mp4")
    return generate_pb2.GenerateInput(messages=[says(content_pb2.ROLE_USER, content_pb2.Part(file=file, extras=extras))])


def part_of(made: WrittenBody) -> dict[str, Any]:
    part: dict[str, Any] = made.body["contents"][0]["parts"][0]
    return part


def test_more_frames_a_second_stay_here_and_are_reported() -> None:
    made = written(video(extra("videoMetadata", {"fps": 24, "startOffset": "1s", "endOffset": "2s"})))
    assert part_of(made)["videoMetadata"] == {"startOffset": "1s", "endOffset": "2s"}
    assert [each.field for each in made.translations] == ["messages[0].parts[0].extras[gemini.videoMetadata].fps"]
    assert "videoMetadata" not in part_of(written(video(extra("videoMetadata", {"fps": 24}))))


@pytest.mark.parametrize("level", FINE)
def test_a_resolution_that_is_reserved_goes_on(level: str) -> None:
    assert part_of(written(video(extra("mediaResolution", {"level": level}))))["mediaResolution"] == {"level": level}
    config = written(saying(extras=[extra("generationConfig", {"mediaResolution": level})])).body["generationConfig"]
    assert config["mediaResolution"] == level


@pytest.mark.parametrize("level", FINER)
def test_a_finer_resolution_needs_the_operators_word(level: Any) -> None:
    of_part = video(extra("mediaResolution", {"level": level}))
    of_request = saying(extras=[extra("generationConfig", {"audioTimestamp": True, "mediaResolution": level})])
    for request in (of_part, of_request):
        with pytest.raises(CostlyError):
            written(request)
    assert part_of(written(of_part, Allowance(frozenset({"part.mediaResolution"}))))["mediaResolution"] == {"level": level}
    allowed = written(of_request, Allowance(frozenset({"generationConfig.mediaResolution"})))
    assert allowed.body["generationConfig"]["mediaResolution"] == level
