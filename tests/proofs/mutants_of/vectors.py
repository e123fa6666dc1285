"""The guards of embeddings: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

_KIT = "adapters/kit/llm_mesh_adapter_kit"
_TEXT = "dialects/llm_mesh_dialects/openai/vectors.py"
_THROUGH = "tests/adapter_openai/test_openai_adapter_vectors.py"
_OF_TEXT = "tests/dialects/test_vector_text.py"

VECTORS: Mapping[str, Mutant] = {
    "vectors/off-the-loop": Mutant(
        file=f"{_KIT}/embedding.py", guard="return work() if size <= LARGE else", instead="return work() if True else", test=_THROUGH
    ),
    "vectors/off-the-loop-of-the-edge": Mutant(
        file="edge/llm_mesh_edge/http/embedding.py",
        guard="await self._bodies.written(exchange, piece.ByteSize(), partial(_written, writer, piece))",
        instead="_written(writer, piece)",
        test="tests/edge/test_edge_vectors.py",
    ),
    "vectors/memory-of-an-endpoint": Mutant(
        file=f"{_KIT}/embedding.py", guard="if expected > self._memory.most:", instead="if False:", test=_THROUGH
    ),
    "vectors/memory-in-order": Mutant(
        file=f"{_KIT}/vector_memory.py",
        guard="if not self._waiting and self.held",
        instead="if self.held",
        test="tests/adapter_kit/test_kit_vector_memory.py",
    ),
    "vectors/one-per-item": Mutant(
        file=f"{_KIT}/embedding.py", guard="if len(vectors) != len(request.items):", instead="if False:", test=_THROUGH
    ),
    "vectors/of-one-length": Mutant(
        file=_TEXT, guard="if self.vectors and len(vector) != len(self.vectors[0]):", instead="if False:", test=_OF_TEXT
    ),
    "vectors/no-more-than-items": Mutant(file=_TEXT, guard="if len(self.vectors) >= self._most:", instead="if False:", test=_OF_TEXT),
    "vectors/as-long-as-one-step-may-be": Mutant(
        file=_TEXT,
        guard="    if _count(text) > MOST_NUMBERS:",
        instead="    if False:",
        test="tests/proofs/attacks/test_attack_vectors.py::test_a_vector_that_would_hold_everybody_up_is_refused",
    ),
    "vectors/of-some-length": Mutant(
        file=_TEXT,
        guard="        if not vector:\n",
        instead="        if False:\n",
        test="tests/proofs/attacks/test_attack_vectors.py::test_a_provider_whose_vectors_do_not_fit_is_a_typed_failure",
    ),
    "vectors/end-of-a-vector": Mutant(file=_TEXT, guard="if self._searched > LONGEST_VECTOR:", instead="if False:", test=_OF_TEXT),
    "vectors/short-rest": Mutant(file=_TEXT, guard="if len(self._rest) > LONGEST_REST:", instead="if False:", test=_OF_TEXT),
    "vectors/no-deep-lists": Mutant(
        file=_TEXT, guard='if text[:1] != b"[" or b"[" in text[1:] or b"{" in text:', instead="if False:", test=_OF_TEXT
    ),
    "vectors/pieces-joined-once": Mutant(
        file=f"{_KIT}/conversions.py",
        guard="self._pieces.setdefault(field, []).append(text)",
        instead="setattr(self._part, field, getattr(self._part, field) + text)",
        test="tests/adapter_kit/test_kit_conversions.py",
    ),
}
