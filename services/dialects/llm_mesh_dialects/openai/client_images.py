"""Images as clients of the dialect ask for them, by a body or by a form with images to edit. `images` has the provider's side."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import generate_image_pb2, generate_pb2
from llm_mesh_dialects.extras import as_extras, put_back
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai import media
from llm_mesh_dialects.openai.form_values import fields_of_form
from llm_mesh_dialects.openai.vocabulary import DIALECT
from llm_mesh_dialects.uploads import media_of

FILES: Final = frozenset({"image", "mask"})
"""The fields of a form that are files."""
_NUMBERS: Final = ("n", "output_compression", "partial_images", "frame_count", "frame_duration_ms")
_IMAGE: Final = "image/"
_MOST: Final = 10
_MOST_COMPRESSION: Final = 100


def body_to_input(body: dict[str, Any]) -> generate_image_pb2.GenerateImageInput:
    """A client's body to the typed payload."""
    return _input(Fields(body))


def form_to_input(form: dict[str, Any]) -> generate_image_pb2.GenerateImageInput:
    """A client's form to the typed payload."""
    fields = fields_of_form(form, numbers=_NUMBERS, truths=("stream",))
    files, mask = fields.raw("image"), fields.raw("mask")
    listed = files if isinstance(files, list) else [files]
    images = [media_of(each, f"image[{index}]" if isinstance(files, list) else "image") for index, each in enumerate(listed)]
    request = _input(fields)
    request.images.extend(images)
    if mask is not None:
        request.mask.CopyFrom(media_of(mask, "mask"))
    return request


def _input(fields: Fields) -> generate_image_pb2.GenerateImageInput:
    if fields.truth("stream"):
        raise fields.wrong("stream", "expected false: images are answered whole")
    request = generate_image_pb2.GenerateImageInput(
        model=fields.required_text("model"),
        prompt=fields.required_text("prompt"),
        count=fields.whole("n", 1, _MOST) or 0,
        size=fields.text("size") or "",
        quality=fields.text("quality") or "",
        background=fields.text("background") or "",
        style=fields.text("style") or "",
        end_user=fields.text("user") or "",
        source_dialect=DIALECT,
    )
    if form := fields.text("output_format"):
        request.mime_type = f"{_IMAGE}{form}"
    compression = fields.whole("output_compression", 0, _MOST_COMPRESSION)
    if compression is not None:
        request.compression = compression
    request.extras.extend(as_extras(DIALECT, fields.rest()))
    return request


def output_to_body(output: generate_image_pb2.GenerateImageOutput) -> dict[str, Any]:
    """The typed payload to a client's body."""
    body: dict[str, Any] = {"created": output.created, "data": [_image(each) for each in output.images]}
    for key in ("size", "quality"):
        if value := getattr(output, key):
            body[key] = value
    kind = next((each.image.mime_type for each in output.images if each.image.mime_type.startswith(_IMAGE)), "")
    if kind:
        body["output_format"] = kind.removeprefix(_IMAGE)
    if output.HasField("usage"):
        body["usage"] = _usage(output.usage)
    put_back(body, output.extras, DIALECT)
    return body


def _image(made: generate_image_pb2.GeneratedImage) -> dict[str, Any]:
    written: dict[str, Any] = {"url": made.image.uri} if made.image.uri else {"b64_json": media.encoded(made.image.data)}
    if made.revised_prompt:
        written["revised_prompt"] = made.revised_prompt
    put_back(written, made.extras, DIALECT)
    return written


def _usage(used: generate_pb2.Usage) -> dict[str, Any]:
    seen, drawn = used.image_input_tokens, used.image_output_tokens
    return {
        "input_tokens": used.input_tokens,
        "output_tokens": used.output_tokens,
        "total_tokens": used.input_tokens + used.output_tokens,
        "input_tokens_details": {"text_tokens": max(0, used.input_tokens - seen), "image_tokens": seen},
        "output_tokens_details": {"text_tokens": max(0, used.output_tokens - drawn), "image_tokens": drawn},
    }
