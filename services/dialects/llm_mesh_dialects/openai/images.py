"""Images from a description, and from other images."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import generate_image_pb2, generate_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import as_extras, put_back
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai import media
from llm_mesh_dialects.openai.allowed import TABLE
from llm_mesh_dialects.openai.forms import FormFile, MultipartForm, written_form
from llm_mesh_dialects.openai.quirks import OPENAI
from llm_mesh_dialects.openai.usage import read_usage
from llm_mesh_dialects.openai.vocabulary import DIALECT
from llm_mesh_dialects.report import Report

_IMAGE = "image/"
_FORMATS = frozenset({"png", "webp", "jpeg", "gif"})


def input_to_body(
    request: generate_image_pb2.GenerateImageInput, *, model: str, allowance: Allowance = NOTHING_MORE
) -> tuple[dict[str, Any], list[generate_pb2.Translation]]:
    """The typed payload to a provider's body."""
    report = Report()
    report.gate = Gate(TABLE, allowance, report)
    body: dict[str, Any] = {"model": model, "prompt": request.prompt, "n": request.count or 1}
    for field in ("size", "quality", "background", "style"):
        if value := getattr(request, field):
            body[field] = value
    if request.mime_type:
        form = request.mime_type.removeprefix(_IMAGE)
        if form not in _FORMATS or not request.mime_type.startswith(_IMAGE):
            raise DialectError("mime_type", f"expected one of {', '.join(_IMAGE + each for each in sorted(_FORMATS))}")
        body["output_format"] = form
    if request.HasField("compression"):
        body["output_compression"] = request.compression
    if request.end_user:
        body["user"] = request.end_user
    put_back(body, request.extras, DIALECT, report, place="image.")
    return body, report.translations


def edit_to_form(
    request: generate_image_pb2.GenerateImageInput, *, model: str, allowance: Allowance = NOTHING_MORE
) -> tuple[MultipartForm, list[generate_pb2.Translation]]:
    """The same where there are images to edit."""
    fields, translations = input_to_body(request, model=model, allowance=allowance)
    name = "image" if len(request.images) == 1 else "image[]"
    files = [FormFile(name, image, f"images[{index}]") for index, image in enumerate(request.images)]
    if request.HasField("mask"):
        files.append(FormFile("mask", request.mask, "mask"))
    return written_form(fields, files), translations


def body_into_output(body: object, request: generate_image_pb2.GenerateImageInput, output: generate_image_pb2.GenerateImageOutput) -> None:
    """A provider's answer to the typed payload."""
    fields = Fields(body)
    output.created = fields.whole("created") or 0
    output.size = fields.text("size") or request.size
    output.quality = fields.text("quality") or request.quality
    form = fields.text("output_format")
    mime_type = f"{_IMAGE}{form}" if form else request.mime_type or "image/png"
    for each in fields.each("data"):
        _image(each, mime_type, output.images.add())
    if not 0 < len(output.images) <= (request.count or 1):
        raise DialectError("data", f"expected 1 to {request.count or 1} images")
    if isinstance(usage := fields.raw("usage"), dict):
        output.usage.CopyFrom(_usage(usage))
        output.usage.images.add(size=output.size, quality=output.quality, count=len(output.images))
    output.extras.extend(as_extras(DIALECT, fields.rest()))


def _image(fields: Fields, mime_type: str, image: generate_image_pb2.GeneratedImage) -> None:
    data, url = fields.text("b64_json"), fields.text("url")
    if data:
        image.image.data, image.image.mime_type = media.decoded(data, fields.at("b64_json")), mime_type
    elif url:
        image.image.uri = url
    else:
        raise fields.wrong("b64_json", "required: expected an image, or its address in `url`")
    image.revised_prompt = fields.text("revised_prompt") or ""
    image.extras.extend(as_extras(DIALECT, fields.rest()))


def _usage(usage: dict[str, Any]) -> generate_pb2.Usage:
    """Tokens; those of images stand apart. Without a word about it all of the output is images."""
    used = read_usage({key: value for key, value in usage.items() if not key.endswith("_details")}, OPENAI)
    inputs, outputs = usage.get("input_tokens_details"), usage.get("output_tokens_details")
    if isinstance(inputs, dict):
        used.image_input_tokens = Fields(inputs).whole("image_tokens", 0) or 0
    used.image_output_tokens = (Fields(outputs).whole("image_tokens", 0) or 0) if isinstance(outputs, dict) else used.output_tokens
    return used
