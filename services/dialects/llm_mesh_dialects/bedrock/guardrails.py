"""What guardrails of the provider found: the assessments of its trace as one flat list of findings, without what they matched.

A finding says where (`input` or `output`), by which policy, what, and what was done about it. Names and words of rules belong to the
operator, matched texts to whoever wrote them: of these only the type is said, which is of the provider's own vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from llm_mesh_dialects.fields import Fields

MOST: Final = 100
_LISTS: Final = {
    "topicPolicy": ("topics",),
    "contentPolicy": ("filters",),
    "wordPolicy": ("customWords", "managedWordLists"),
    "sensitiveInformationPolicy": ("piiEntities", "regexes"),
    "contextualGroundingPolicy": ("filters",),
}
_TYPES: Final = {"customWords": "CUSTOM_WORD", "managedWordLists": "MANAGED_WORD", "regexes": "REGEX", "topics": "TOPIC"}
_FIGURES: Final = ("confidence", "filterStrength", "threshold", "score")


def findings_of(answer: Fields) -> list[dict[str, Any]]:
    """The findings of an answer's trace, at most `MOST`; empty where nothing was found."""
    trace = _object(answer.peek("trace"))
    guardrail = _object(trace.get("guardrail"))
    findings: list[dict[str, Any]] = []
    for side, assessments in (("input", guardrail.get("inputAssessment")), ("output", guardrail.get("outputAssessments"))):
        for assessment in _object(assessments).values():
            for each in assessment if isinstance(assessment, list) else [assessment]:
                findings += _of_assessment(_object(each), side)
    return findings[:MOST]


def _of_assessment(assessment: dict[str, Any], side: str) -> Iterator[dict[str, Any]]:
    for policy, lists in _LISTS.items():
        for name in lists:
            entries = _object(assessment.get(policy)).get(name)
            for entry in entries if isinstance(entries, list) else []:
                if isinstance(entry, dict) and entry.get("detected", True) is not False:
                    yield _finding(entry, side, policy, name)
    if _object(assessment.get("automatedReasoningPolicy")).get("findings"):
        yield {"side": side, "policy": "automatedReasoningPolicy", "type": "REASONING", "action": "NONE"}


def _finding(entry: dict[str, Any], side: str, policy: str, name: str) -> dict[str, Any]:
    kind = _TYPES.get(name) or entry.get("type")
    action = entry.get("action")
    finding: dict[str, Any] = {
        "side": side,
        "policy": policy,
        "type": kind if isinstance(kind, str) else "",
        "action": action if isinstance(action, str) else "NONE",
    }
    return finding | {key: entry[key] for key in _FIGURES if isinstance(entry.get(key), str | int | float)}


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
