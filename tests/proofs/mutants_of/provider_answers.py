"""The guards of what providers answer: how much, and whose proofs of reasoning. What takes each out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

_KIT = "adapters/kit/llm_mesh_adapter_kit"
_BOUNDS = "tests/adapter_kit/test_kit_answer_bounds.py"
_MESH = "adapters/mesh/llm_mesh_adapter_mesh/provider"
_PROOFS = "tests/adapter_gemini/test_gemini_proofs.py"
_STRANGERS = "tests/adapter_mesh/test_mesh_strangers.py"

PROVIDER_ANSWERS: Mapping[str, Mutant] = {
    "provider-answers/names-of-events-are-one-line": Mutant(
        file="dialects/llm_mesh_dialects/event_names.py",
        guard="return _NAME.fullmatch(name) is not None",
        instead="return True",
        test="tests/dialects/test_event_names.py",
    ),
    "provider-answers/a-response-ends-by-its-writer-alone": Mutant(
        file="dialects/llm_mesh_dialects/responses/events_writing.py",
        guard='or event["type"] in _LIFECYCLE:',
        instead="or False:",
        test="tests/dialects/test_responses_round_trips.py",
    ),
    "provider-answers/bytes-of-a-stream": Mutant(
        file=f"{_KIT}/exchange.py",
        guard="if self._left < 0:",
        instead="if False:",
        test=f"{_BOUNDS}::test_an_answer_that_says_nothing_for_ever_ends",
    ),
    "provider-answers/content-of-a-stream": Mutant(
        file=f"{_KIT}/attempts.py",
        guard="""                    bounds.check(job, meter.size)
                    if events:""",
        instead="""                    if events:""",
        test=f"{_BOUNDS}::test_a_stream_of_more_content_than_was_granted_ends",
    ),
    "provider-answers/content-of-an-answer": Mutant(
        file=f"{_KIT}/attempts.py",
        guard="bounds.check(job, content_size(output))",
        instead="content_size(output)",
        test=f"{_BOUNDS}::test_a_whole_answer_of_more_content_than_was_granted_is_none",
    ),
    "provider-answers/length-of-vectors": Mutant(
        file=f"{_KIT}/embedding.py",
        guard="of_vectors(request).check(job, expected)",
        instead="pass",
        test=f"{_BOUNDS}::test_a_vector_longer_than_any_model_has_is_none",
    ),
    "provider-answers/content-of-methods": Mutant(
        file=f"{_KIT}/methods.py",
        guard="bounds.check(job, output.ByteSize())",
        instead="pass",
        test=f"{_BOUNDS}::test_the_answer_to_a_method_is_bounded_by_what_it_is_about",
    ),
    "provider-answers/charged-as-granted": Mutant(
        file=f"{_KIT}/watching.py",
        guard="self._bounds.charge(job, error)",
        instead="pass",
        test=f"{_BOUNDS}::test_an_answer_that_says_nothing_for_ever_ends",
    ),
    "provider-answers/proofs-of-their-domain": Mutant(
        file=f"{_KIT}/grants.py",
        guard="self._seals.seal(self._audience, _PROOFS, domain.encode())",
        instead='self._seals.seal(self._audience, _PROOFS, b"")',
        test=f"{_PROOFS}::test_another_domain_cannot_show_the_proof_of_this_one",
    ),
    "provider-answers/proofs-under-their-code": Mutant(
        file="dialects/llm_mesh_dialects/proofs.py",
        guard='hmac.compare_digest(self._code(f"{proof.place}:{proof.text}"), proof.code)',
        instead="len(proof.code) == 2 * _CODE_BYTES",
        test=f"{_PROOFS}::test_another_domain_cannot_show_the_proof_of_this_one",
    ),
    "provider-answers/ranks-of-an-engine": Mutant(
        file="adapters/engine/llm_mesh_adapter_engine/provider/caches.py",
        guard="if not 0 <= rank < MOST_RANKS:",
        instead="if False:",
        test="tests/adapter_engine/test_engine_loads.py::test_a_rank_that_no_engine_has_ends_the_subscription",
    ),
    "provider-answers/bytes-of-another-mesh": Mutant(
        file=f"{_MESH}/attempts.py",
        guard="if self._left < 0:",
        instead="if False:",
        test=f"{_STRANGERS}::test_another_mesh_that_says_nothing_at_length_is_read_no_further",
    ),
    "provider-answers/content-of-another-mesh": Mutant(
        file=f"{_MESH}/attempts.py",
        guard="self._bounds.check(self._job, meter.size)",
        instead="pass",
        test=f"{_STRANGERS}::test_another_mesh_that_says_more_than_was_granted_is_read_no_further",
    ),
}
"""By name."""
