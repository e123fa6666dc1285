"""What the rules of fields do not say of inputs that are no conversation: it depends on more than one field."""

from __future__ import annotations

from collections.abc import Sequence

from llm_mesh.inference.v1 import assess_pb2, content_pb2, generate_image_pb2, moderate_pb2, sound_pb2
from llm_mesh_runtime.errors import invalid

_LARGEST_SOUND = 25 * 1024 * 1024
_SLOWEST, _FASTEST = 0.25, 4
_READ = frozenset({"text", "image"})


def check_moderation(request: moderate_pb2.ModerateInput) -> None:
    """Raise INVALID_FIELD where a part is neither a text nor an image."""
    for number, item in enumerate(request.items[:]):
        _texts_and_images(item.parts, f"input.items[{number}].parts")


def check_assessment(request: assess_pb2.AssessInput) -> None:
    """Raise INVALID_FIELD where questions share a name, options a value, or a level says nothing."""
    names: set[str] = set()
    for number, question in enumerate(request.questions[:]):
        place = f"input.questions[{number}]"
        if question.name in names:
            raise invalid(f"{place}.name", "must be a name that no other question has")
        names |= {question.name} - {""}
        _texts_and_images(question.instructions, f"{place}.instructions")
        _options(question.choice, f"{place}.choice.options")
        for each, level in enumerate(question.score.levels[:]):
            if not level.label and not level.description:
                raise invalid(f"{place}.score.levels[{each}]", "must have a label or a description")


def check_speech(request: sound_pb2.SpeakInput) -> None:
    """Raise INVALID_FIELD where the speed is none that a voice has."""
    if request.HasField("speed") and not _SLOWEST <= request.speed <= _FASTEST:
        raise invalid("input.speed", f"must be {_SLOWEST} to {_FASTEST}")


def check_transcription(request: sound_pb2.TranscribeInput) -> None:
    """Raise INVALID_FIELD where the sound is not in the request, or is too large for providers."""
    if not request.sound.data:
        raise invalid("input.sound.data", "must be the bytes of the sound")
    if len(request.sound.data) > _LARGEST_SOUND:
        raise invalid("input.sound.data", f"must be at most {_LARGEST_SOUND:,} bytes")


def check_images(request: generate_image_pb2.GenerateImageInput) -> None:
    """Raise INVALID_FIELD where an image to edit is not in the request, or a mask has no image."""
    for number, image in enumerate(request.images[:]):
        _image(image, f"input.images[{number}]")
    if request.HasField("mask"):
        if not request.images:
            raise invalid("input.mask", "must not be set without an image to edit")
        _image(request.mask, "input.mask")


def _image(image: content_pb2.Media, place: str) -> None:
    if not image.data:
        raise invalid(f"{place}.data", "must be the bytes of the image")
    if not image.mime_type.startswith("image/"):
        raise invalid(f"{place}.mime_type", "must be the media type of an image")


def _options(choice: assess_pb2.ChoiceQuestion, place: str) -> None:
    values: set[tuple[bool, str | bool]] = set()
    for number, option in enumerate(choice.options[:]):
        truth = option.WhichOneof("value") == "truth"
        value = (truth, option.truth if truth else option.text)
        if value in values:
            raise invalid(f"{place}[{number}]", "must have a value that no other option has")
        values.add(value)


def _texts_and_images(parts: Sequence[content_pb2.Part], place: str) -> None:
    for number, part in enumerate(parts[:]):
        if part.WhichOneof("kind") not in _READ:
            raise invalid(f"{place}[{number}]", "must be a text or an image")
