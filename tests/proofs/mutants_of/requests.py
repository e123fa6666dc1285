"""The guards of prompts, extras, media and nesting: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

REQUESTS: Mapping[str, Mutant] = {
    "prompts/right-of-the-caller": Mutant(
        file="gateway/llm_mesh_gateway/domain/gateway.py",
        guard="        await self._rights.demand(_RENDER, _RENDER_ACTION, prompt_resource(prompt.name, domain))\n",
        instead="",
        test="tests/gateway/test_gateway_prompts.py",
    ),
    "prompts/right-with-the-callers-key": Mutant(
        file="runtime/llm_mesh_runtime/access/rights.py",
        guard="if self._stage.cached(question.digest) is None:",
        instead="if False:",
        test="tests/gateway/test_gateway_prompts.py",
    ),
    "prompts/right-to-that-prompt": Mutant(
        file="runtime/llm_mesh_runtime/access/rights.py",
        guard="question_of(metadata(), resource, ",
        instead='question_of(metadata(), "", ',
        test="tests/gateway/test_gateway_prompts.py",
    ),
    "extras/costly": Mutant(
        file="dialects/llm_mesh_dialects/allowing.py",
        guard="                raise CostlyError(field, name, rule.why)",
        instead="                return value",
        test="tests/dialects/test_allowing.py",
    ),
    "extras/unknown": Mutant(
        file="dialects/llm_mesh_dialects/allowing.py",
        guard="return rule or KeyRule(KeyTreatment.DROPPED, _UNKNOWN)",
        instead="return rule or KeyRule(KeyTreatment.SAFE, _UNKNOWN)",
        test="tests/dialects/test_allowing.py",
    ),
    "extras/inside-objects": Mutant(
        file="dialects/llm_mesh_dialects/allowing.py",
        guard="if rule.inner is None or not isinstance(value, dict):",
        instead="if True:",
        test="tests/dialects/test_allowing.py",
    ),
    "extras/other-outputs": Mutant(
        file="dialects/llm_mesh_dialects/allowing.py",
        guard="            raise CostlyError(field, name, self._table.of(name).why)",
        instead="            return",
        test="tests/dialects/test_allowing.py",
    ),
    "extras/kind-is-read-from-the-json": Mutant(
        file="dialects/llm_mesh_dialects/extras.py",
        guard="kind if isinstance(kind, str) else ''",
        instead="part.type",
        test="tests/dialects/test_allowing.py",
    ),
    "extras/features-in-trial": Mutant(
        file="dialects/llm_mesh_dialects/anthropic/requests/writing.py",
        guard='return gate.judged(f"beta.{name}", beta, f"extras[{DIALECT}.{_BETA}][{name}]") is not ABSENT',
        instead="return True",
        test="tests/adapter_anthropic/test_anthropic_adapter.py::test_features_in_trial_go_in_a_header",
    ),
    "media/private-hosts": Mutant(
        file="dialects/llm_mesh_dialects/addresses.py",
        guard="return _private(host)",
        instead='return ""',
        test="tests/dialects/test_media_addresses.py",
    ),
    "media/numbers-are-addresses": Mutant(
        file="dialects/llm_mesh_dialects/addresses.py",
        guard="if _NUMBER.fullmatch(labels[-1]):",
        instead="if False:",
        test="tests/dialects/test_media_addresses.py",
    ),
    "media/scheme-and-port": Mutant(
        file="dialects/llm_mesh_dialects/addresses.py",
        guard='if scheme != _HTTPS or port not in {"", _PORTS[_HTTPS]}:',
        instead="if False:",
        test="tests/dialects/test_media_addresses.py",
    ),
    "media/disguised-letters": Mutant(
        file="dialects/llm_mesh_dialects/addresses.py",
        guard='return "" if all(_plain(label) for label in labels) else',
        instead='return "" if True else',
        test="tests/dialects/test_media_addresses.py",
    ),
    "media/openai": Mutant(
        file="dialects/llm_mesh_dialects/openai/parts_writing.py",
        guard='if gate is None or medium.WhichOneof("source") != "uri" else',
        instead="if True else",
        test="tests/dialects/test_media_addresses.py",
    ),
    "media/anthropic": Mutant(
        file="dialects/llm_mesh_dialects/anthropic/blocks_writing.py",
        guard='            self._report.gate.address(medium.uri, f"{field}.uri")',
        instead="            pass",
        test="tests/dialects/test_media_addresses.py",
    ),
    "media/inside-opaque-parts": Mutant(
        file="dialects/llm_mesh_dialects/extras.py",
        guard='        _check_addresses(value, gate, f"{field}.json")',
        instead="        pass",
        test="tests/dialects/test_media_addresses.py",
    ),
    "media/former-private-range": Mutant(
        file="adapters/kit/llm_mesh_adapter_kit/addresses.py",
        guard='    IPv6Network("fec0::/10"),  # the former private range, which Python takes for public\n',
        instead="",
        test="tests/adapter_kit/test_kit_addresses.py",
    ),
    "nesting/of-requests": Mutant(
        file="runtime/llm_mesh_runtime/validation/values.py",
        guard="_is_text(text) and not deeper_than(text, most)",
        instead="_is_text(text)",
        test="tests/contract/test_every_rule_fails_once.py",
    ),
    "nesting/of-values": Mutant(
        file="catalogue/llm_mesh_catalogue/domain/values.py",
        guard="if deeper_than(text, DEEPEST):",
        instead="if False:",
        test="tests/catalogue/test_catalogue_schemas.py",
    ),
    "nesting/of-schemas": Mutant(
        file="catalogue/llm_mesh_catalogue/domain/values.py",
        guard="if deeper_than(text, schemas.DEEPEST):",
        instead="if False:",
        test="tests/catalogue/test_catalogue_schemas.py",
    ),
}
