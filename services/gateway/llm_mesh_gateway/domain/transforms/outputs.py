"""The texts of whole answers that are no conversation, for transforms of text. What is not modelled does not go out: it could hide text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from google.protobuf.message import Message

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_gateway.domain.transforms.order import Unreadable

_PACKAGE = "llm_mesh.inference.v1."
_TEXTS: Mapping[str, Sequence[str]] = {"AssessRefusal": ("text",), "HarmCategory": ("name",), "TranscribeOutput": ("text",)}
_WORDS: Mapping[str, Sequence[str]] = {"HarmCategory": ("modalities",), "TranscribeOutput": ("languages",)}
"""Lists of single words. What is more than a word stays behind."""
_WORD = re.compile(r"[A-Za-z][A-Za-z_ -]{0,31}")
_SPELLING: Mapping[str, Sequence[str]] = {"TranscribeOutput": ("segments", "words")}
"""What says the text again, in pieces in which nothing would be found."""

"""Which fields of which messages a model writes. Others are numbers, or the caller's own words."""
_UNREADABLE: Mapping[str, str] = {"GeneratedImage": "a picture", "SpeakOutput": "sound"}
"""What of an answer cannot be read, by the name of its message."""
_UNMODELLED = "extras"


def texts_of(output: Message, unreadable: Unreadable) -> Iterator[tuple[Message, str]]:
    """Fields with text, and where they are. Takes out what is not modelled."""
    name = output.DESCRIPTOR.full_name.removeprefix(_PACKAGE)
    if name in _UNREADABLE:
        raise unreadable(_UNREADABLE[name])
    if _UNMODELLED in output.DESCRIPTOR.fields_by_name:
        output.ClearField(_UNMODELLED)
    for field in _SPELLING.get(name, ()):
        if getattr(output, field):
            output.ClearField(field)
            dropped = generate_pb2.TRANSLATION_ACTION_DROPPED
            output.translations.add(field=field, action=dropped, note="the answer is screened")  # type: ignore[attr-defined]
    for field in _WORDS.get(name, ()):
        words = getattr(output, field)
        words[:] = [word for word in words if _WORD.fullmatch(word)]
    for field in _TEXTS.get(name, ()):
        yield output, field
    for each, value in output.ListFields():
        if each.message_type is not None:
            for inner in value if each.is_repeated else (value,):
                yield from texts_of(inner, unreadable)
