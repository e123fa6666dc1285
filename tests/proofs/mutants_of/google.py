"""The guards of Google's dialect at the edge: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

_DIALECT = "dialects/llm_mesh_dialects/gemini"
_COMPLAINTS = "tests/edge/test_every_complaint_of_a_dialect.py"
_SDK = "tests/edge/test_edge_google_sdk.py"

GOOGLE: Mapping[str, Mutant] = {
    "google/key-stands-once": Mutant(
        file="edge/llm_mesh_edge/domain/headers.py",
        guard='b"x-goog-api-key", b"content-length"',
        instead='b"content-length"',
        test=f"{_SDK}::test_a_key_that_stands_twice_is_refused",
    ),
    "google/parts-are-bounded": Mutant(
        file=f"{_DIALECT}/requests/contents_reading.py",
        guard="if sum(map(len, parts.values())) > MOST_PARTS:",
        instead="if False:",
        test=_COMPLAINTS,
    ),
    "google/schemas-are-bounded": Mutant(
        file=f"{_DIALECT}/requests/schemas_reading.py", guard="if depth > _DEEPEST:", instead="if False:", test=_COMPLAINTS
    ),
    "google/spelling-is-bounded": Mutant(
        file=f"{_DIALECT}/spelling.py",
        guard="if depth > _DEEPEST:",
        instead="if False:",
        test="tests/dialects/test_google_round_trips.py::test_what_is_nested_too_deeply_is_not_looked_into",
    ),
    "google/calls-that-wait-are-bounded": Mutant(
        file=f"{_DIALECT}/streams/candidates.py", guard="if self._held > _MOST_HELD:", instead="if False:", test=_COMPLAINTS
    ),
    "google/one-model": Mutant(
        file=f"{_DIALECT}/requests/reading.py",
        guard="if named and named.removeprefix(MODELS) != model:",
        instead="if False:",
        test=_COMPLAINTS,
    ),
    "google/thoughts-are-asked-for": Mutant(
        file=f"{_DIALECT}/responses/parts_writing.py",
        guard="if not signature and not (shown and reasoning.text):",
        instead="if not signature and not reasoning.text:",
        test=f"{_SDK}::test_thoughts_are_told_to_who_asks_for_them",
    ),
    "google/one-spelling": Mutant(file=f"{_DIALECT}/spelling.py", guard="if name in made:", instead="if False:", test=_COMPLAINTS),
}
