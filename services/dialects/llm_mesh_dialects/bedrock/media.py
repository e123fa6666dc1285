"""Images, documents, videos and sounds as the dialect carries them: a format by its short name, and bytes or a place in S3."""

from __future__ import annotations

import re
import unicodedata
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.anthropic.media import image_type

_S3: Final = "s3://"
_LONGEST_NAME: Final = 200
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9\-()\[\] ]+")
_SPACES: Final = re.compile(r"\s+")
IMAGES: Final[Mapping[str, str]] = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
DOCUMENTS: Final[Mapping[str, str]] = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
VIDEOS: Final[Mapping[str, str]] = {
    "video/x-matroska": "mkv",
    "video/quicktime": "mov",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "video/x-flv": "flv",
    "video/mpeg": "mpeg",
    "video/x-ms-wmv": "wmv",
    "video/3gpp": "three_gp",
}
AUDIOS: Final[Mapping[str, str]] = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/opus": "opus",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/mp4": "mp4",
    "audio/ogg": "ogg",
    "audio/webm": "webm",
    "audio/x-m4a": "m4a",
    "audio/pcm": "pcm",
}
_ENDINGS: Final = {**{each: each for each in DOCUMENTS.values()}, "htm": "html", "markdown": "md", "text": "txt"}
TYPES: Final[Mapping[str, str]] = {short: full for full, short in reversed([*IMAGES.items(), *VIDEOS.items(), *AUDIOS.items()])}
"""Media types by the short name."""


def image_format(image: content_pb2.Media) -> str:
    """The format of an image, by its type, its first bytes or the end of its address; empty where none tells."""
    return IMAGES.get(image_type(image), "") or _by_ending(image, IMAGES)


def document_format(file: content_pb2.Media) -> str:
    """The format of a document; texts of other types are plain."""
    kind = _kind(file)
    named = DOCUMENTS.get(kind, "") or _ENDINGS.get(_ending(file.filename or file.uri), "")
    return named or ("txt" if kind.startswith("text/") else "")


def film_format(file: content_pb2.Media) -> str:
    """The format of a video; empty where it is none."""
    kind = _kind(file)
    return VIDEOS.get(kind, "") or (_by_ending(file, VIDEOS) if kind.startswith("video/") else "")


def sound_format(sound: content_pb2.Media) -> str:
    """The format of a sound; empty where it is not known."""
    kind = _kind(sound)
    return AUDIOS.get(kind if "/" in kind else f"audio/{kind}", "") or _by_ending(sound, AUDIOS)


def source_of(medium: content_pb2.Media) -> dict[str, Any] | None:
    """The bytes, or the place in S3; None where it is anywhere else, which the provider does not fetch."""
    kind = medium.WhichOneof("source")
    if kind == "data":
        return {"bytes": b64encode(medium.data).decode("ascii")}
    if kind == "uri" and medium.uri.startswith(_S3):
        return {"s3Location": {"uri": medium.uri}}
    return None


class DocumentNames:
    """The names of one request's documents: of the few characters that the provider takes, and each another."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def fitting(self, filename: str, ending: str) -> str:
        """The name as the provider takes it, without the ending that the format says already."""
        stem = filename.removesuffix(f".{ending}")
        plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
        name = _SPACES.sub(" ", _NOT_IN_NAMES.sub(" ", plain)).strip()[:_LONGEST_NAME] or "document"
        fitting, number = name, 1
        while fitting in self._taken:
            number += 1
            mark = f" ({number})"
            fitting = name[: _LONGEST_NAME - len(mark)] + mark
        self._taken.add(fitting)
        return fitting


def _kind(medium: content_pb2.Media) -> str:
    return medium.mime_type.partition(";")[0].strip().lower()


def _by_ending(medium: content_pb2.Media, formats: Mapping[str, str]) -> str:
    ending = _ending(medium.filename or medium.uri)
    ending = {"jpg": "jpeg", "3gp": "three_gp"}.get(ending, ending)
    return ending if ending in formats.values() else ""


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""
