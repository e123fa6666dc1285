"""Media that are texts: what screening can read of a file, and how it is put back."""

from base64 import b64decode, b64encode
from urllib.parse import quote, unquote_to_bytes

from llm_mesh.inference.v1 import content_pb2

_DATA = "data:"
_BASE64 = ";base64"
_TEXTS = frozenset({
    "application/json", "application/ld+json", "application/xml", "application/yaml", "application/x-yaml", "application/toml",
    "application/javascript", "application/sql", "application/x-ndjson", "application/x-sh", "application/csv", "image/svg+xml",
})  # fmt: skip


def readable(medium: content_pb2.Media) -> str | None:
    """The text that a medium is; None where it is nothing that can be read here: binary data, or a reference to it."""
    source = medium.WhichOneof("source")
    if source == "data":
        return _text(medium.data, medium.mime_type)
    if source == "uri" and medium.uri.startswith(_DATA):
        head, _, body = medium.uri.partition(",")
        data = _decoded(head, body)
        return None if data is None else _text(data, head[len(_DATA) :] or "text/plain")
    return None


def replace(medium: content_pb2.Media, text: str) -> None:
    """Puts another text into a medium that is one, written as the former was."""
    if medium.WhichOneof("source") == "data":
        medium.data = text.encode()
        return
    head = medium.uri.partition(",")[0]
    body = b64encode(text.encode()).decode() if head.endswith(_BASE64) else quote(text)
    medium.uri = f"{head},{body}"


def _text(data: bytes, media_type: str) -> str | None:
    kind = media_type.partition(";")[0].strip().lower()
    if not kind.startswith("text/") and kind not in _TEXTS:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _decoded(head: str, body: str) -> bytes | None:
    if not head.endswith(_BASE64):
        return unquote_to_bytes(body)
    try:
        return b64decode(body, validate=True)
    except ValueError:
        return None
