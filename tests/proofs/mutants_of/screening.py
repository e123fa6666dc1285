"""The guards of screening, and of what large requests cost."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

SCREENING: Mapping[str, Mutant] = {
    "screening/across-texts": Mutant(
        file="policy/llm_mesh_policy/screening/domain/reading.py",
        guard="        self._add(JOINT, number, whole)",
        instead="        self._add(WALL, number, whole)",
        test="tests/policy/test_screening_requests.py",
    ),
    "screening/keys-and-numbers": Mutant(
        file="policy/llm_mesh_policy/screening/domain/reading.py",
        guard="                self._add(WALL, number, token)",
        instead="                pass",
        test="tests/policy/test_screening_requests.py",
    ),
    "screening/invisible-characters": Mutant(
        file="policy/llm_mesh_policy/screening/domain/characters.py",
        guard="if category in _INVISIBLE or character in _INVISIBLE_LETTERS:",
        instead="if False:",
        test="tests/policy/test_screening_reading.py",
    ),
    "screening/compatibility-forms": Mutant(
        file="policy/llm_mesh_policy/screening/domain/characters.py",
        guard='unicodedata.normalize("NFKC", character)',
        instead="str(character)",
        test="tests/policy/test_screening_reading.py",
    ),
    "screening/controls": Mutant(
        file="policy/llm_mesh_policy/screening/domain/scan.py",
        guard="if not self._borders and (WALL in marked or JOINT in marked):",
        instead="if False:",
        test="tests/policy/test_screening_reading.py",
    ),
    "screening/escapes": Mutant(
        file="policy/llm_mesh_policy/screening/domain/scan.py",
        guard="decoded = decoded_view_of(marked)",
        instead="decoded = None",
        test="tests/policy/test_screening_reading.py",
    ),
    "screening/escapes-beside-what-stands": Mutant(
        file="policy/llm_mesh_policy/screening/domain/scan.py",
        guard="self._windows = [_Window(base, self._before[1], self._watchlist)]",
        instead="self._windows = [] if decoded is not None else [_Window(base, self._before[1], self._watchlist)]",
        test="tests/policy/test_screening_reading.py",
    ),
    "screening/unfinished-escapes-wait": Mutant(
        file="policy/llm_mesh_policy/screening/domain/scan.py",
        guard="            marked = marked[: self._readable(marked)]",
        instead="            pass",
        test="tests/policy/test_screening_reading.py",
    ),
    "screening/escapes-stay-whole": Mutant(
        file="policy/llm_mesh_policy/screening/domain/scan.py",
        guard="return self._between(limit) if limit < length else length",
        instead="return min(limit, length)",
        test="tests/policy/test_screening_reading.py",
    ),
    "screening/the-byte-before": Mutant(
        file="policy/llm_mesh_policy/screening/domain/scan.py",
        guard="self._before = [self._windows[0].byte_before(self._at), self._windows[-1].byte_before(self._at)]",
        instead='self._before = [b""] * 2',
        test="tests/policy/test_screening_scan.py",
    ),
    "screening/inside-longer-runs": Mutant(
        file="policy/llm_mesh_policy/screening/domain/numbers.py",
        guard="    for length in lengths:",
        instead="    for length in lengths if len(digits) in lengths else ():",
        test="tests/policy/test_screening_reading.py",
    ),
    "screening/numbers-of-json": Mutant(
        file="policy/llm_mesh_policy/screening/domain/scan.py",
        guard="            start, end, quoted = self._whole_number(start, end)",
        instead="            pass",
        test="tests/policy/test_screening_reading.py",
    ),
    "screening/what-is-no-number-does-not-go-on": Mutant(
        file="policy/llm_mesh_policy/screening/domain/scan.py",
        guard="while start > self._at and self._number_goes_on(start):",
        instead="while start > self._at and self._marked[start - 1] in _NUMBER:",
        test="tests/policy/test_screening_reading.py",
    ),
    "screening/characters-of-urls-stay-whole": Mutant(
        file="policy/llm_mesh_policy/screening/domain/characters.py",
        guard='return match.start() if match[0][0] == "\\\\" else _begin_of_last(match)',
        instead="return match.start()",
        test="tests/policy/test_screening_reading.py",
    ),
    "screening/strings-of-json": Mutant(
        file="policy/llm_mesh_policy/screening/domain/scan.py",
        guard="            marked = _QUOTE.sub(_marked_quote, marked)",
        instead="            pass",
        test="tests/policy/test_screening_reading.py",
    ),
    "screening/tails-across-texts": Mutant(
        file="policy/llm_mesh_policy/screening/domain/scan.py",
        guard="        if _SECRET_GOES_ON.match(text, at) is None:",
        instead="        if True:",
        test="tests/policy/test_screening_requests.py",
    ),
    "screening/first-look": Mutant(
        file="policy/llm_mesh_policy/screening/domain/detectors.py",
        guard="if any(each in raw for each in _ESCAPED):",
        instead="if False:",
        test="tests/policy/test_screening_requests.py",
    ),
    "screening/undecodable": Mutant(
        file="policy/llm_mesh_policy/screening/domain/requests.py",
        guard="    if action is None or not opaque:",
        instead="    if True:",
        test="tests/policy/test_screening_requests.py",
    ),
    "screening/schema-numbers": Mutant(
        file="policy/llm_mesh_policy/screening/domain/masking.py",
        guard="    if of_number and form is TextForm.SCHEMA:",
        instead="    if False:",
        test="tests/policy/test_screening_requests.py",
    ),
    "screening/names-stay-names": Mutant(
        file="policy/llm_mesh_policy/screening/domain/masking.py",
        guard="        if slot.form is TextForm.NAME:",
        instead="        if False:",
        test="tests/policy/test_screening_requests.py",
    ),
    "screening/most-masked": Mutant(
        file="policy/llm_mesh_policy/screening/domain/reading.py",
        guard="if action == MASKED and self._masked >= MOST_MASKED:",
        instead="if False:",
        test="tests/policy/test_screening_requests.py",
    ),
    "screening/most-json-values": Mutant(
        file="policy/llm_mesh_policy/screening/domain/reading.py",
        guard="            if self._left < 0:",
        instead="            if False:",
        test="tests/policy/test_screening_requests.py",
    ),
    "screening/refusals-audited": Mutant(
        file="policy/llm_mesh_policy/admission/domain/admitting.py",
        guard="await self._trail.refuse(unfunded, audit)",
        instead="pass",
        test="tests/policy/test_admission.py",
    ),
    "screening/masks-audited": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/decisions.py",
        guard="    if made.screened:",
        instead="    if False:",
        test="tests/policy/test_ledger_reserve_and_settle.py",
    ),
    "screening/answers-audited": Mutant(
        file="policy/llm_mesh_policy/screening/domain/streams.py",
        guard="                self._trail.write_soon(channels.record())",
        instead="                pass",
        test="tests/policy/test_screening_streams.py",
    ),
    "screening/flood-in-answers": Mutant(
        file="policy/llm_mesh_policy/screening/domain/streams.py",
        guard="        if scan.held > _MOST_HELD:",
        instead="        if False:",
        test="tests/policy/test_screening_streams.py",
    ),
    "screening/parts-in-all": Mutant(
        file="runtime/llm_mesh_runtime/validation/counts.py",
        guard="        if self._count(request) > self.most:",
        instead="        if False:",
        test="tests/runtime/test_field_rules.py",
    ),
    "screening/parts-in-all-dialects": Mutant(
        file="dialects/llm_mesh_dialects/counting.py",
        guard="    if _counted(messages, 0, 0) > MOST_PARTS:",
        instead="    if False:",
        test="tests/dialects/test_dialect_counts.py",
    ),
    "screening/tools-before-they-are-made": Mutant(
        file="dialects/llm_mesh_dialects/counting.py",
        guard="    if isinstance(tools, list) and len(tools) > MOST_TOOLS:",
        instead="    if False:",
        test="tests/dialects/test_dialect_counts.py",
    ),
    "screening/values-before-they-are-made": Mutant(
        file="edge/llm_mesh_edge/http/bodies.py",
        guard="if len(raw) > LARGE and has_more_values(raw, most):",
        instead="if False:",
        test="tests/edge/test_edge_bodies.py",
    ),
    "screening/fields-before-they-are-made": Mutant(
        file="runtime/llm_mesh_runtime/pipeline/bodies.py",
        guard="if len(raw) > _LARGE and self._method.public and has_more_fields(raw, self._method.request, MOST_FIELDS):",
        instead="if False:",
        test="tests/runtime/test_wire_fields.py",
    ),
    "screening/heavy-work-bounded": Mutant(
        file="runtime/llm_mesh_runtime/heavy.py",
        guard="        if too_much:",
        instead="        if False:",
        test="tests/runtime/test_heavy.py",
    ),
    "screening/heavy-work-in-turns": Mutant(
        file="runtime/llm_mesh_runtime/turns.py",
        guard="owner, places = next(iter(self._waiting.items()))",
        instead="owner, places = next(reversed(self._waiting.items()))",
        test="tests/runtime/test_heavy.py",
    ),
    "screening/sound-streamed": Mutant(
        file="gateway/llm_mesh_gateway/domain/transforms/order.py",
        guard='            raise self._unreadable("sound")',
        instead="            self._last.extend([event])",
        test="tests/gateway/test_gateway_screening_guards.py",
    ),
    "screening/sound-whole": Mutant(
        file="gateway/llm_mesh_gateway/domain/transforms/texts.py",
        guard="        if unreadable is not None:",
        instead="        if False:",
        test="tests/gateway/test_gateway_screening_guards.py",
    ),
    "screening/log-probabilities-asked": Mutant(
        file="gateway/llm_mesh_gateway/domain/operation.py",
        guard='        self.input.ClearField("logprobs")',
        instead="        pass",
        test="tests/gateway/test_gateway_screening.py",
    ),
    "screening/log-probabilities-whole": Mutant(
        file="gateway/llm_mesh_gateway/domain/transforms/texts.py",
        guard='for field in ("logprobs", "refusal_logprobs", "extras"):',
        instead='for field in ("extras",):',
        test="tests/gateway/test_gateway_screening_guards.py",
    ),
    "screening/log-probabilities-streamed": Mutant(
        file="gateway/llm_mesh_gateway/domain/transforms/order.py",
        guard="            self._text(delta.choice, (kind, 0), delta.text, _text_event(kind, delta.choice))",
        instead="""            self._text(delta.choice, (kind, 0), delta.text, _text_event(kind, delta.choice))
            if delta.logprobs:
                self._first.append(event)""",
        test="tests/gateway/test_gateway_screening_guards.py",
    ),
    "screening/names-of-tools-in-answers": Mutant(
        file="gateway/llm_mesh_gateway/domain/transforms/order.py",
        guard="            self._tool_name(event)",
        instead="            self._barrier(event.tool_call_started.choice, event)",
        test="tests/gateway/test_gateway_screening_guards.py",
    ),
}
