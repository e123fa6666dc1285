"""What of a part a dialect has no place for, whatever the part is: told by its field, in the same words for all dialects."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.extras import put_nowhere
from llm_mesh_dialects.report import Report

_NAMES: Final[Mapping[str, str]] = {"image": "images", "audio": "sounds", "file": "files"}
_WHY: Final[Mapping[str, str]] = {
    "detail": "have no level of detail here",
    "filename": "have no name here",
    "transcript": "are sent without their transcript",
}


def report_unsaid(part: content_pb2.Part, kind: str | None, path: str, report: Report, written: Mapping[str, AbstractSet[str]]) -> None:
    """Reports what stands beside the content of a text or medium. `written` are the fields that the dialect has, by kind of part."""
    if kind == "text":
        if part.text.mime_type:
            report.dropped(f"{path}text.mime_type", "texts have no media type here")
    elif kind is not None and kind in _NAMES:
        medium: content_pb2.Media = getattr(part, kind)
        fields = written.get(kind, frozenset())
        for name, why in _WHY.items():
            if name not in fields and getattr(medium, name):
                report.dropped(f"{path}{kind}.{name}", f"{_NAMES[kind]} {why}")


def report_beside(part: content_pb2.Part, path: str, report: Report) -> None:
    """Reports the cache hint and the unmodelled keys of a part that is written where neither has a place."""
    if part.HasField("cache_hint"):
        report.dropped(f"{path}cache_hint", "a hint has no place at this part")
    for extra in part.extras:
        report.dropped(f"{path}extras[{extra.dialect}.{extra.key}]", "a key has no place at this part")


def report_never_beside(part: content_pb2.Part, dialect: str, path: str, report: Report, *, caching: str) -> None:
    """The same for a dialect that has a place for neither at any part. `caching` says why it needs no hint."""
    if part.HasField("cache_hint"):
        report.dropped(f"{path}cache_hint", caching)
    put_nowhere(part.extras, dialect, report, path, place="part.")
