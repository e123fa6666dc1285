"""The headers of a request, read once: credential, correlation, project, trace.

What is forwarded becomes gRPC metadata, so only printable ASCII goes on. A header that may stand only once is refused when it stands
twice: two readers would otherwise believe two different ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.context import accepted_request_id
from llm_mesh_runtime.errors import RuntimeFault, invalid

_SINGLE = frozenset({
    "authorization", "api-key", "x-api-key", "content-length", "content-encoding", "idempotency-key", "x-llm-mesh-project",
    "x-llm-mesh-prompt", "x-llm-mesh-prompt-label", "x-llm-mesh-session", "x-llm-mesh-fidelity", "x-llm-mesh-tags",
})  # fmt: skip
_LISTS = frozenset({"anthropic-beta"})
_BEARER = "bearer "
_MAX_CREDENTIAL = 4096
_MAX_PROJECT = 256
_TRACE = ("traceparent", "tracestate")
_MAX_TRACE = 512
_LENGTH = re.compile(r"[0-9]{1,18}")

Metadata = tuple[tuple[str, str], ...]


class Headers:
    """A request's headers by lower-case name."""

    __slots__ = ("_twice", "_values", "request_id")

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._values: dict[str, str] = {}
        self._twice = ""
        for name, value in raw:
            key = name.decode("latin-1")
            if key in self._values and key in _SINGLE:
                self._twice = key
            text = value.decode("latin-1")
            self._values[key] = f"{self._values[key]},{text}" if key in _LISTS and key in self._values else text
        self.request_id = accepted_request_id(self._values.get("x-request-id"))

    def get(self, name: str) -> str:
        """The value, or an empty string."""
        return self._values.get(name, "")

    def listed(self, name: str) -> list[str]:
        """The items of a header that is a list."""
        return [item for item in (item.strip() for item in self.get(name).split(",")) if item]

    def check(self) -> None:
        """Refuse what would be read differently by different readers, and bodies that are not plain."""
        if self._twice:
            raise invalid(self._twice, "the header stands twice")
        encoding = self.get("content-encoding")
        if encoding and encoding.lower() != "identity":
            raise invalid("content-encoding", "only uncompressed bodies are read")

    @property
    def content_length(self) -> int | None:
        """How long the body says that it is; None where it does not say."""
        value = self.get("content-length")
        return int(value) if _LENGTH.fullmatch(value) else None

    def metadata(self, project: str = "") -> Metadata:
        """What goes along to the gateway. `project` is what the body selects, which wins over the header."""
        metadata = [("x-request-id", self.request_id), ("authorization", f"Bearer {self._credential()}")]
        if selected := project or self.get("x-llm-mesh-project"):
            if len(selected) > _MAX_PROJECT or not _printable(selected):
                raise invalid("x-llm-mesh-project", f"at most {_MAX_PROJECT} printable ASCII characters")
            metadata.append(("x-llm-mesh-project", selected))
        metadata.extend((name, value) for name in _TRACE if (value := self.get(name)) and len(value) <= _MAX_TRACE and _printable(value))
        return tuple(metadata)

    def _credential(self) -> str:
        """The key, however the client's SDK sends it."""
        bearer = self.get("authorization")
        if bearer:
            credential = bearer[len(_BEARER) :].strip() if bearer[: len(_BEARER)].lower() == _BEARER else ""
        else:
            credential = (self.get("api-key") or self.get("x-api-key")).strip()
        if not 0 < len(credential) <= _MAX_CREDENTIAL or not _printable(credential):
            raise RuntimeFault(errors_pb2.ERROR_REASON_MISSING_CREDENTIAL, "no credential, or one that cannot be read")
        return credential


def _printable(text: str) -> bool:
    return text.isascii() and text.isprintable()
