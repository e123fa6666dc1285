"""Images to edit and sound to translate: what the router is told of them, and what is refused before anything is asked."""

from __future__ import annotations

from typing import Any

import pytest

from llm_mesh.inference.v1 import content_pb2, generate_image_pb2, sound_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_gateway.domain.method_checks import check_images
from llm_mesh_gateway.domain.method_profiles import profile_generate_image, profile_transcribe
from llm_mesh_runtime.errors import MeshError

PICTURE = content_pb2.Media(data=b"x" * 10_000, mime_type="image/png")


def image(**fields: Any) -> generate_image_pb2.GenerateImageInput:
    return generate_image_pb2.GenerateImageInput(model="m", prompt="a house", **fields)


def test_images_that_are_edited_count_as_images_that_the_model_reads() -> None:
    profile = router_pb2.RequestProfile()
    profile_generate_image(profile, image(images=[PICTURE, PICTURE], mask=PICTURE, count=2))
    assert (profile.images, profile.units.images) == (3, 2)
    assert profile.input_modalities == ["image", "text"]
    assert profile.input_bytes < 100


def test_images_of_a_description_alone_need_no_model_that_reads_images() -> None:
    profile = router_pb2.RequestProfile()
    profile_generate_image(profile, image())
    assert (profile.images, list(profile.input_modalities)) == (0, ["text"])


@pytest.mark.parametrize("to_english", [False, True])
def test_a_translation_needs_a_model_that_translates(to_english: bool) -> None:  # noqa: FBT001
    profile = router_pb2.RequestProfile()
    sound = content_pb2.Media(data=b"x", mime_type="audio/wav")
    profile_transcribe(profile, sound_pb2.TranscribeInput(model="m", sound=sound, to_english=to_english))
    assert profile.capabilities == (["translate"] if to_english else [])


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"images": [PICTURE, content_pb2.Media(uri="https://example.org/a.png")]}, "input.images[1].data"),
        ({"images": [content_pb2.Media(data=b"x", mime_type="text/html")]}, "input.images[0].mime_type"),
        ({"images": [PICTURE], "mask": content_pb2.Media(file_id="f")}, "input.mask.data"),
        ({"mask": PICTURE}, "input.mask"),
    ],
)
def test_an_image_that_is_not_in_the_request_is_refused(fields: dict[str, Any], place: str) -> None:
    with pytest.raises(MeshError) as refused:
        check_images(image(**fields))
    assert refused.value.field == place
