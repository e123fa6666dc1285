"""Images: the smallest PNG of one colour, which follows from the description, and from the images that it edits."""

import struct
import zlib
from base64 import b64encode
from typing import Any

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.answer import Usage
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.domain.words import digest
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.openai.method import Document, MethodAnswer
from llm_mesh_simulator.provider.reply import AnswerIdentity

_MOST = 10
_PER_IMAGE = 100
"""Output tokens of an image, whatever its size."""
_SIZES = frozenset({"1024x1024", "1024x1536", "1536x1024"})
_QUALITIES = frozenset({"low", "medium", "high"})


def read(body: RequestFields) -> MethodAnswer:
    """Reads and checks a request."""
    return _drawn(body, body.text("prompt"), body.integer("n") or 1)


def read_edit(body: RequestFields) -> MethodAnswer:
    """The same for a form with images."""
    images = body.values.get("image")
    images = images if isinstance(images, list) else [images]
    if not all(isinstance(each, bytes) and each for each in images):
        raise body.missing("image")
    count = body.text_or("n") or "1"
    if not count.isdecimal():
        raise RefusedError("Invalid type for 'n': expected an integer.", param="n")
    mask = body.values.get("mask")
    read = [*images, mask] if isinstance(mask, bytes) else images
    seen = b"".join(each for each in read if isinstance(each, bytes)).hex()
    return _drawn(body, body.text("prompt"), int(count), seen, len(read))


def _drawn(body: RequestFields, prompt: str, count: int, seen: str = "", images: int = 0) -> MethodAnswer:
    body.text("model")
    if not prompt or not 1 <= count <= _MOST:
        raise RefusedError(f"Expected a prompt, and 1 to {_MOST} images.", param="n" if prompt else "prompt")
    size = _one_of(body, "size", _SIZES, "1024x1024")
    quality = _one_of(body, "quality", _QUALITIES, "medium")
    form = body.text_or("output_format") or "png"

    def document(identity: AnswerIdentity, usage: Usage | None) -> Document:
        data = [{"b64_json": b64encode(_png(prompt + seen, number)).decode()} for number in range(count)]
        made: dict[str, Any] = {"created": identity.created, "data": data, "size": size, "quality": quality, "output_format": form}
        return made if usage is None else made | {"usage": _usage(usage, images * tokens.PER_IMAGE)}

    return MethodAnswer(document, tokens.count(prompt) + images * tokens.PER_IMAGE, _PER_IMAGE * count)


def _one_of(body: RequestFields, key: str, known: frozenset[str], default: str) -> str:
    value = body.text_or(key) or "auto"
    if value != "auto" and value not in known:
        raise RefusedError(f"Invalid value: '{value}'.", param=key)
    return default if value == "auto" else value


def _png(prompt: str, number: int) -> bytes:
    colour = digest(prompt, number)[:3]
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0" + colour)), (b"IEND", b""))
    written = [struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


def _usage(used: Usage, images: int) -> dict[str, Any]:
    return {
        "input_tokens": used.prompt,
        "input_tokens_details": {"text_tokens": used.prompt - images, "image_tokens": images},
        "output_tokens": used.completion,
        "total_tokens": used.prompt + used.completion,
    }
