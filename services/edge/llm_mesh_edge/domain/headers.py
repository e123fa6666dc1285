"""The headers of a request, read once: credential, correlation, project, trace.

What is forwarded becomes gRPC metadata, so only printable ASCII goes on. A header that may stand only once is refused when it stands
twice: two readers would otherwise believe two different ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.context import accepted_request_id
from llm_mesh_runtime.errors import RuntimeFault, invalid

_SINGLE = frozenset({
    b"authorization", b"api-key", b"x-api-key", b"x-goog-api-key", b"content-length", b"content-encoding", b"idempotency-key",
    b"x-llm-mesh-project", b"x-llm-mesh-prompt", b"x-llm-mesh-prompt-label", b"x-llm-mesh-session", b"x-llm-mesh-fidelity",
    b"x-llm-mesh-tags",
})  # fmt: skip
_LISTS = frozenset({b"anthropic-beta"})
_KEYS = (b"api-key", b"x-api-key", b"x-goog-api-key")
"""Headers that have a key alone."""
_BEARER = "bearer "
_MAX_CREDENTIAL = 4096
_MAX_PROJECT = 256
_TRACE = ((b"traceparent", "traceparent"), (b"tracestate", "tracestate"))
_TRACED = frozenset(name for name, _ in _TRACE)
_MAX_TRACE = 512
_LENGTH = re.compile(r"[0-9]{1,18}")

Metadata = tuple[tuple[str, str], ...]


class Headers:
    """A request's headers by lower-case name. Most are never looked at, so they are decoded when they are."""

    __slots__ = ("_credential", "_twice", "_values", "request_id")

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self._values = dict(raw)
        self._twice = ""
        self._credential = ""
        if len(self._values) != len(raw):
            self._repeated(raw)
        sent = self._values.get(b"x-request-id")
        self.request_id = accepted_request_id(None if sent is None else sent.decode("latin-1"))

    def _repeated(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        """Some header stands more than once: that is wrong, or the last one counts, or they are one list."""
        values: dict[bytes, bytes] = {}
        for name, value in raw:
            if name in values and name in _SINGLE:
                self._twice = name.decode("latin-1")
            values[name] = b"%b,%b" % (values[name], value) if name in _LISTS and name in values else value
        self._values = values

    def get(self, name: bytes) -> str:
        """The value, or an empty string."""
        value = self._values.get(name)
        return "" if value is None else value.decode("latin-1")

    def any_of(self, names: frozenset[bytes]) -> bool:
        """Whether one of the headers is there."""
        return not names.isdisjoint(self._values)

    def listed(self, name: bytes) -> list[str]:
        """The items of a header that is a list."""
        return [item for item in (item.strip() for item in self.get(name).split(",")) if item]

    def check(self) -> None:
        """Refuse what would be read differently by different readers, and bodies that are not plain."""
        if self._twice:
            raise invalid(self._twice, "the header stands twice")
        encoding = self.get(b"content-encoding")
        if encoding and encoding.lower() != "identity":
            raise invalid("content-encoding", "only uncompressed bodies are read")

    @property
    def content_length(self) -> int | None:
        """How long the body says that it is; None where it does not say."""
        value = self.get(b"content-length")
        return int(value) if _LENGTH.fullmatch(value) else None

    def metadata(self, project: str = "") -> Metadata:
        """What goes along to the gateway. `project` is what the body selects, which wins over the header."""
        metadata = [("x-request-id", self.request_id), ("authorization", f"Bearer {self.credential()}")]
        if selected := project or self.get(b"x-llm-mesh-project"):
            if not _selectable(selected):
                raise invalid("x-llm-mesh-project", f"at most {_MAX_PROJECT} printable ASCII characters")
            metadata.append(("x-llm-mesh-project", selected))
        if self.any_of(_TRACED):
            for name, key in _TRACE:
                if (value := self.get(name)) and len(value) <= _MAX_TRACE and _printable(value):
                    metadata.append((key, value))
        return tuple(metadata)

    @property
    def project(self) -> str:
        """The project that the header selects; empty where it cannot be one, which `metadata` tells those who are known."""
        selected = self.get(b"x-llm-mesh-project")
        return selected if _selectable(selected) else ""

    def credential(self) -> str:
        """The key, however the client's SDK sends it. Read once: the door checks it, and the gateway gets it."""
        self._credential = self._credential or self._read_credential()
        return self._credential

    def _read_credential(self) -> str:
        if b"authorization" in self._values:  # empty too: nothing else is taken in its place
            bearer = self.get(b"authorization")
            credential = bearer[len(_BEARER) :].strip() if bearer[: len(_BEARER)].lower() == _BEARER else ""
        else:
            credential = next((self.get(name) for name in _KEYS if name in self._values), "").strip()
        if not 0 < len(credential) <= _MAX_CREDENTIAL or not _printable(credential):
            raise RuntimeFault(errors_pb2.ERROR_REASON_MISSING_CREDENTIAL, "no credential, or one that cannot be read")
        return credential


def _selectable(project: str) -> bool:
    return len(project) <= _MAX_PROJECT and _printable(project)


def _printable(text: str) -> bool:
    return text.isascii() and text.isprintable()
