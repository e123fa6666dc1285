"""Sources of a text as a response has them, whichever wire told them."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.extras import dumped, parsed
from llm_mesh_dialects.openai.vocabulary import DIALECT as CHAT
from llm_mesh_dialects.responses.vocabulary import ANNOTATED, DIALECT

_CITATION: Final = "url_citation"


def annotation_of(source: content_pb2.Extra) -> content_pb2.OpaquePart | None:
    """The event that tells of it; None for a source that the dialect has no form for."""
    value: Any = parsed(source.json)
    if source.dialect == CHAT and source.key == _CITATION and isinstance(value, dict) and isinstance(value.get(_CITATION), dict):
        value = {"type": _CITATION, **value[_CITATION]}
    elif source.dialect != DIALECT:
        return None
    return content_pb2.OpaquePart(dialect=DIALECT, type=ANNOTATED, json=dumped({"type": ANNOTATED, "annotation": value}))
