"""What other slices may use of screening. It uses nothing of theirs."""

from __future__ import annotations

from llm_mesh_policy.screening.domain.detectors import all_detectors
from llm_mesh_policy.screening.domain.requests import CLEAN, MOST_JSON_VALUES, Screened, screen
from llm_mesh_policy.screening.domain.rules import ScreeningRules
from llm_mesh_policy.screening.domain.slots import Flow, Slot, TextForm
from llm_mesh_policy.screening.domain.streams import state_of
from llm_mesh_policy.screening.domain.trail import REQUEST, ScreeningTrail, counts_of, described, record_of, screening_counts
from llm_mesh_policy.screening.domain.watchlist import UNDECODABLE, Watchlist

__all__ = [
    "CLEAN",
    "MOST_JSON_VALUES",
    "REQUEST",
    "UNDECODABLE",
    "Flow",
    "Screened",
    "ScreeningRules",
    "ScreeningTrail",
    "Slot",
    "TextForm",
    "Watchlist",
    "all_detectors",
    "counts_of",
    "described",
    "record_of",
    "screen",
    "screening_counts",
    "state_of",
]
