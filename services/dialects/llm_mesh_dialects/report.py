"""The fidelity report: what a translation dropped, approximated or renamed, by the path in the typed payload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh.inference.v1 import generate_pb2

if TYPE_CHECKING:
    from llm_mesh_dialects.allowing import Gate


class Report:
    """Collects translations. `gate` decides what a request may pass on; an answer has none, and passes everything on."""

    __slots__ = ("gate", "translations")

    def __init__(self) -> None:
        self.gate: Gate | None = None
        self.translations: list[generate_pb2.Translation] = []

    def dropped(self, field: str, note: str) -> None:
        """It was not passed on."""
        self._add(field, generate_pb2.TRANSLATION_ACTION_DROPPED, note)

    def approximated(self, field: str, note: str) -> None:
        """It was passed on as the nearest thing."""
        self._add(field, generate_pb2.TRANSLATION_ACTION_APPROXIMATED, note)

    def renamed(self, field: str, note: str) -> None:
        """It was passed on whole under another name."""
        self._add(field, generate_pb2.TRANSLATION_ACTION_RENAMED, note)

    def _add(self, field: str, action: generate_pb2.TranslationAction, note: str) -> None:
        self.translations.append(generate_pb2.Translation(field=field, action=action, note=note))


def lost(translations: list[generate_pb2.Translation]) -> generate_pb2.Translation | None:
    """The first thing that did not arrive whole: what exactness forbids."""
    return next((each for each in translations if each.action != generate_pb2.TRANSLATION_ACTION_RENAMED), None)
