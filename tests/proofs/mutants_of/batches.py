"""The guards of files, batches and delegations: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

_SERVICE = "batches/llm_mesh_batches"
_POLICY = "policy/llm_mesh_policy/identity/domain"
_STORE, _WORK, _LINES = (f"tests/batches/test_batches_{name}.py" for name in ("store", "work", "lines"))
_DELEGATIONS, _AT_REST = "tests/policy/test_delegations.py", "tests/runtime/test_content_at_rest.py"

BATCHES: Mapping[str, Mutant] = {
    "batches/only-lines-under-way-are-renewed": Mutant(
        file=f"{_SERVICE}/store/queue.py",
        guard="LINES.c.batch == batch, LINES.c.number.in_(numbers), LINES.c.state == WAITING",
        instead="LINES.c.state == WAITING",
        test=f"{_STORE}::test_a_line_that_its_owner_works_off_no_more_goes_to_another",
    ),
    "batches/projects-take-turns": Mutant(
        file=f"{_SERVICE}/store/queue.py",
        guard="order_by(going_on.c.turn, going_on.c.created)",
        instead="order_by(going_on.c.created)",
        test=f"{_STORE}::test_many_batches_of_one_project_hide_nobody_elses",
    ),
    "batches/tenants-apart": Mutant(
        file=f"{_SERVICE}/store/files.py",
        guard="return and_(table.c.domain == tenant.domain, table.c.project == tenant.project)",
        instead="return table.c.domain == table.c.domain",
        test=_STORE,
    ),
    "batches/one-result-per-line": Mutant(
        file=f"{_SERVICE}/store/queue.py",
        guard="update(LINES).where(_one(line), LINES.c.state == WAITING).values(**values)",
        instead="update(LINES).where(_one(line)).values(**values)",
        test=_STORE,
    ),
    "batches/one-owner-per-line": Mutant(
        file=f"{_SERVICE}/store/queue.py",
        guard="free = and_(_waiting(batch), LINES.c.owned_until <= now, LINES.c.not_before <= now)",
        instead="free = and_(_waiting(batch), LINES.c.not_before <= now)",
        test=_STORE,
    ),
    "batches/nothing-begins-after-a-cancel": Mutant(
        file=f"{_SERVICE}/store/queue.py", guard='free = and_(free, LINES.c.owner != "")', instead="pass", test=_WORK
    ),
    "batches/charged-is-not-repeated": Mutant(
        file=f"{_SERVICE}/domain/failures.py",
        guard='if error.domain not in _CARRIED_OUT or error.metadata.get("charged_nanos", "0") != "0":',
        instead="if error.domain not in _CARRIED_OUT:",
        test=_WORK,
    ),
    "batches/one-reader-per-file": Mutant(
        file=f"{_SERVICE}/store/reading.py", guard="row.state == _VALIDATING and row.reader == owner", instead="True", test=_STORE
    ),
    "batches/files-in-use-stay": Mutant(
        file=f"{_SERVICE}/store/files.py",
        guard="            if is_read(connection, tenant, identity):\n                raise file_in_use()\n",
        instead="",
        test=_STORE,
    ),
    "batches/bytes-of-a-project": Mutant(
        file=f"{_SERVICE}/store/files.py",
        guard="if int(connection.scalar(files) or 0) + int(connection.scalar(batches) or 0) > most:",
        instead="if False:",
        test=_STORE,
    ),
    "batches/bytes-of-a-file": Mutant(
        file=f"{_SERVICE}/domain/files.py", guard="if size > self._most_bytes:", instead="if False:", test=_STORE
    ),
    "batches/broken-uploads-leave-nothing": Mutant(
        file=f"{_SERVICE}/domain/files.py", guard="await shielded(self._store.discard(tenant, file.id))", instead="pass", test=_STORE
    ),
    "batches/memory-of-a-line": Mutant(
        file=f"{_SERVICE}/domain/jsonl.py", guard="if self._size <= self._most:", instead="if True:", test=_LINES
    ),
    "batches/room-for-other-projects": Mutant(
        file=f"{_SERVICE}/domain/worker.py",
        guard="free = self._project_places - self._held.get(batch.tenant, 0)",
        instead="free = 1_000",
        test=_WORK,
    ),
    "batches/content-is-sealed": Mutant(
        file="runtime/llm_mesh_runtime/content_cipher.py",
        guard="return _VERSION + nonce + self._key.encrypt(nonce, content, _packed(place))",
        instead='return _VERSION + nonce + self._key.encrypt(nonce, content, b"")',
        test=_AT_REST,
    ),
    "batches/ids-are-signed": Mutant(
        file="runtime/llm_mesh_runtime/signed_ids.py",
        guard="return hmac.compare_digest(proof, self._proof(random, prefix, tenant)) and canonical",
        instead="return canonical",
        test=_AT_REST,
    ),
    "batches/ids-have-one-spelling": Mutant(
        file="runtime/llm_mesh_runtime/signed_ids.py",
        guard="self._proof(random, prefix, tenant)) and canonical",
        instead="self._proof(random, prefix, tenant))",
        test=_AT_REST,
    ),
    "delegations/models-only": Mutant(
        file=f"{_POLICY}/authorizer.py", guard="if resource != SELF and action not in _MODEL_USES:", instead="if False:", test=_DELEGATIONS
    ),
    "delegations/one-project": Mutant(
        file=f"{_POLICY}/authorizer.py",
        guard="if request.project and within_credential(request.project, project, ()) is None:",
        instead="if False:",
        test=_DELEGATIONS,
    ),
    "delegations/of-their-service": Mutant(
        file=f"{_POLICY}/delegations.py", guard="delegation.service != service or ends <= now", instead="ends <= now", test=_DELEGATIONS
    ),
    "delegations/end-in-time": Mutant(
        file=f"{_POLICY}/delegations.py",
        guard="delegation.service != service or ends <= now",
        instead="delegation.service != service",
        test=_DELEGATIONS,
    ),
    "delegations/while-the-key-counts": Mutant(
        file=f"{_POLICY}/delegations.py",
        guard="    if key is None or not counts or owner is None or owner.disabled:\n        raise invalid_credential()\n",
        instead="    assert key is not None\n",
        test=_DELEGATIONS,
    ),
    "delegations/credentials-end": Mutant(
        file=f"{_POLICY}/delegations.py",
        guard="if micros_of(credential.expire_time) <= now:",
        instead="if False:",
        test=_DELEGATIONS,
    ),
}
