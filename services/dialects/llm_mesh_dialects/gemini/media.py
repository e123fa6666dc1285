"""Images, sounds and files as the dialect carries them: `inlineData` with the bytes, or `fileData` with an address."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from mimetypes import guess_type
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.report import Report

FILES: Final = "https://generativelanguage.googleapis.com/v1beta/"
"""Where files are that were given to the Gemini API. The address is a name there; nobody asks it."""
_FILE: Final = re.compile(r"files/[a-z0-9-]{1,64}")
_USUAL: Final = {"image": "image/jpeg", "audio": "audio/wav", "file": "application/pdf"}
_OTHER_NAMES: Final = {"image/jpg": "image/jpeg", "audio/x-wav": "audio/wav", "audio/wave": "audio/wav"}


def data_part(medium: content_pb2.Media, kind: str, path: str, report: Report) -> dict[str, Any]:
    """A part of a request that is a medium. `kind` is `image`, `audio` or `file`."""
    if medium.WhichOneof("source") == "data":
        mime_type = medium.mime_type.partition(";")[0].strip().lower()
        return {"inlineData": {"data": b64encode(medium.data).decode("ascii"), "mimeType": _OTHER_NAMES.get(mime_type, mime_type)}}
    return {"fileData": {"fileUri": _address(medium, f"{path}{kind}", report), "mimeType": _type_of(medium, kind, path, report)}}


def _address(medium: content_pb2.Media, field: str, report: Report) -> str:
    if medium.file_id:
        if not _FILE.fullmatch(medium.file_id):
            raise DialectError(f"{field}.file_id", "expected the name of a file at the Gemini API, such as files/abc-123")
        return FILES + medium.file_id
    return medium.uri if report.gate is None else report.gate.address(medium.uri, f"{field}.uri")


def _type_of(medium: content_pb2.Media, kind: str, path: str, report: Report) -> str:
    """The provider wants a type and fetches the address later: one is guessed from the name."""
    if medium.mime_type:
        return medium.mime_type
    guessed = guess_type(medium.filename or medium.uri.partition("?")[0])[0]
    if guessed is None:
        guessed = _USUAL[kind]
        report.approximated(f"{path}{kind}.mime_type", f"the provider wants a type, and none is known: sent as {guessed}")
    return guessed


def name_at(uri: str) -> str:
    """The name of a file that was given to the Gemini API; empty for any other address."""
    name = uri.removeprefix(FILES)
    return name if name != uri and _FILE.fullmatch(name) else ""


def from_inline(fields: Fields) -> content_pb2.Part:
    """What a model made, by its type."""
    mime_type = fields.text("mimeType") or "application/octet-stream"
    medium = content_pb2.Media(data=decoded(fields, "data"), mime_type=mime_type, filename=fields.text("displayName") or "")
    if mime_type.startswith("image/"):
        return content_pb2.Part(image=medium)
    return content_pb2.Part(audio=medium) if mime_type.startswith("audio/") else content_pb2.Part(file=medium)


def decoded(fields: Fields, key: str) -> bytes:
    """Bytes from base64, of either alphabet."""
    raw = decoded_text(fields.text(key) or "")
    if raw is None:
        raise fields.wrong(key, "expected base64")
    return raw


def decoded_text(text: str) -> bytes | None:
    """Likewise, with or without padding; None where it is none."""
    padded = text + "=" * (-len(text) % 4)
    try:
        return b64decode(padded, b"-_", validate=True) if "-" in text or "_" in text else b64decode(padded, validate=True)
    except (Base64Error, ValueError):
        return None
