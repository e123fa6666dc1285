"""The form of the audit trail: how its records are chained, and how whoever has them checks the chains. No service is needed for it."""

from llm_mesh_runtime.trail.chain import CHANGE_TAG, FIRST_NUMBERING, first_hash, next_hash, next_numbering, parts_of, record_hash
from llm_mesh_runtime.trail.verifying import Chain, TrailDefect, Verifier

__all__ = [
    "CHANGE_TAG",
    "FIRST_NUMBERING",
    "Chain",
    "TrailDefect",
    "Verifier",
    "first_hash",
    "next_hash",
    "next_numbering",
    "parts_of",
    "record_hash",
]
