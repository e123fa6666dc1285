"""No administrative change of registry, router or catalogue is without its record, whatever happens to policy or to its database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.catalogue.v1 import catalogue_pb2
from llm_mesh.policy.v1 import identity_pb2, rules_pb2, rules_pb2_grpc
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh.router.v1 import router_pb2
from tests.e2e.running import running
from tests.proofs.attacks.audited_changes import DEFAULT, OTHER, REQUESTS, STEPS, Changes, etag, mutating, route, version
from tests.proofs.refusals import refused
from tests.proofs.stand import Stand, bearer, model, provider, stand, until


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder: Path = tmp_path_factory.mktemp("changes")
    with provider(folder) as simulator, stand(folder, simulator) as made:
        owner = f"{OTHER}/principals/owner"
        made.apply_policy(
            domains=[identity_pb2.Domain(name=OTHER)],
            projects=[identity_pb2.Project(name=f"{OTHER}/projects/main")],
            principals=[identity_pb2.Principal(name=owner)],
            bindings=[rules_pb2.Binding(name=f"{OTHER}/bindings/owner", principal=owner, role="roles/domain-admin")],
        )
        yield made


@pytest.fixture(scope="module")
def changes(mesh: Stand) -> Changes:
    return Changes(mesh)


def test_the_steps_are_all_methods_that_change_something() -> None:
    assert {step[0] for step in STEPS} == mutating()


def test_each_change_is_recorded_with_who_why_and_what(mesh: Stand, changes: Changes) -> None:
    digests: dict[str, bytes] = {}
    for method, request, wanted in STEPS:
        _, records = changes.call(method, request(changes))
        found: dict[str, str] = {}
        for record in records:
            if record.detail.startswith("accepts "):
                continue
            assert record.allowed
            assert record.source == method.split(".")[0], method
            assert (record.principal, record.reason) == ("domains/platform/principals/admin", "ticket 4711: größer"), method
            assert record.key.startswith("domains/platform/projects/admin/keys/")
            assert record.event_id
            found[record.resource] = "~" if record.before_digest and record.after_digest else "+" if record.after_digest else "-"
            assert record.before_digest == digests.get(record.resource, b""), (method, record.resource)
            digests[record.resource] = record.after_digest
        assert found == wanted, method


def test_a_dry_run_a_repetition_and_a_refusal_leave_no_record_of_a_change(mesh: Stand, changes: Changes) -> None:
    applies: list[tuple[str, Any]] = [
        (
            "registry.ApplyModels",
            registry_pb2.ApplyModelsRequest(parent="domains/platform", models=[model("dry", "sim-echo", domain=DEFAULT)]),
        ),
        (
            "router.ApplyRoutes",
            router_pb2.ApplyRoutesRequest(parent=DEFAULT, routes=[route(f"{DEFAULT}/routes/dry", "dry-route", f"{DEFAULT}/models/dry")]),
        ),
        (
            "catalogue.ApplyPrompts",
            catalogue_pb2.ApplyPromptsRequest(
                parent=DEFAULT, prompts=[catalogue_pb2.WantedPrompt(name=f"{DEFAULT}/prompts/dry", version=version())]
            ),
        ),
    ]
    for method, request in applies:
        for dry_run, recorded in ((True, False), (False, True), (False, False)):
            request.dry_run = dry_run
            assert bool(changes.call(method, request)[1]) == recorded, (method, dry_run)
    present = etag(changes, f"{DEFAULT}/models/dry")
    same = registry_pb2.Model(name=f"{DEFAULT}/models/dry", etag=present, alias="dry")
    update = registry_pb2.UpdateModelRequest(model=same, update_mask=FieldMask(paths=["alias"]))
    assert changes.call("registry.UpdateModel", update)[1] == []
    before = f"change-{next(REQUESTS)}"
    stub: Any = registry_pb2_grpc.RegistryServiceStub(mesh.channel)
    create = registry_pb2.CreateModelRequest(parent=DEFAULT, model_id="dry", model=model("dry", "sim-echo", domain=DEFAULT))
    told = refused(lambda: stub.CreateModel(create, metadata=(*mesh.admin, ("x-request-id", before))))
    assert told.reason == "ALREADY_EXISTS"
    assert changes.recorded(before) == []


@pytest.mark.parametrize("why", ["x" * 513, "%FF", "a%00b", "a%0Ab", "%E2%80%A8"])
def test_a_reason_that_cannot_be_kept_refuses_the_change(mesh: Stand, changes: Changes, why: str) -> None:
    stub: Any = registry_pb2_grpc.RegistryServiceStub(mesh.channel)
    adapter = registry_pb2.Adapter(name="adapters/unheard-of", dialect="openai")
    metadata = (*mesh.admin, ("x-llm-mesh-reason", why))
    told = refused(lambda: stub.PutAdapter(registry_pb2.PutAdapterRequest(adapter=adapter), metadata=metadata))
    assert (told.code, told.reason, told.field) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", "x-llm-mesh-reason")
    assert "adapters/unheard-of" not in {
        each.name for each in stub.ListAdapters(registry_pb2.ListAdaptersRequest(), metadata=mesh.admin).adapters
    }


def put_adapter(mesh: Stand, name: str) -> None:
    stub: Any = registry_pb2_grpc.RegistryServiceStub(mesh.channel)
    adapter = registry_pb2.Adapter(name=f"adapters/{name}", dialect="openai")
    stub.PutAdapter(registry_pb2.PutAdapterRequest(adapter=adapter), metadata=mesh.admin, timeout=20)


def adapters(mesh: Stand) -> set[str]:
    stub: Any = registry_pb2_grpc.RegistryServiceStub(mesh.channel)
    return {
        each.name.rpartition("/")[2]
        for each in stub.ListAdapters(registry_pb2.ListAdaptersRequest(page_size=1000), metadata=mesh.admin).adapters
    }


def recorded(mesh: Stand, name: str) -> list[rules_pb2.AuditRecord]:
    stub: Any = rules_pb2_grpc.RuleServiceStub(mesh.channel)
    request = rules_pb2.ListAuditRecordsRequest(parent="domains/platform", page_size=1000)
    return [each for each in stub.ListAuditRecords(request, metadata=mesh.admin).records if each.resource == f"adapters/{name}"]


def database(mesh: Stand) -> str:
    """Where policy's store is: a URL of PostgreSQL, or a file of SQLite."""
    return mesh.mesh.env.get("LLM_MESH_POLICY_DATABASE_URL") or str(mesh.mesh.data_dir / "policy.db")


@contextmanager
def held(place: str) -> Iterator[Callable[[], object]]:
    """Nobody can write into the audit trail until the given function is called."""
    if "://" in place:
        with psycopg.connect(place) as connection:
            connection.execute("LOCK TABLE audit_heads IN SHARE MODE")
            yield connection.rollback
        return
    with closing(sqlite3.connect(place, isolation_level=None, timeout=20)) as file:
        file.execute("BEGIN IMMEDIATE")
        yield file.rollback


def test_while_policy_cannot_record_a_change_no_further_one_is_made_and_none_is_lost(mesh: Stand) -> None:
    with held(database(mesh)) as let_go:
        put_adapter(mesh, "durable")
        told = refused(lambda: put_adapter(mesh, "unrecorded"))
        assert (told.code, told.reason) == (grpc.StatusCode.UNAVAILABLE, "AUDIT_UNAVAILABLE"), told
        assert "durable" in adapters(mesh)
        assert "unrecorded" not in adapters(mesh)
        assert recorded(mesh, "durable") == []
        let_go()
    until(lambda: len(recorded(mesh, "durable")) == 1, "the change is recorded once policy can", pause=0.05)
    put_adapter(mesh, "afterwards")
    assert len(recorded(mesh, "afterwards")) == 1
    assert recorded(mesh, "unrecorded") == []


def test_a_tampered_database_is_found_by_the_command_line(mesh: Stand, tmp_path: Path) -> None:
    place, copy, saved = database(mesh), tmp_path / "policy.db", tmp_path / "heads.json"
    assert mesh.mesh.cli("audit", "verify", "--save", str(saved)).returncode == 0
    if "://" in place:
        tamper_in_place(mesh, place)
        return
    with closing(sqlite3.connect(place)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    assert mesh.mesh.cli("audit", "verify", "--database", str(copy), "--against", str(saved)).returncode == 0
    with closing(sqlite3.connect(copy, isolation_level=None)) as forger:
        forger.execute("UPDATE audit_records SET principal = 'domains/other/principals/owner' WHERE source = 'registry'")
    found = mesh.mesh.cli("audit", "verify", "--database", str(copy))
    assert (found.returncode, "broken" in found.stdout) == (1, True), found.stderr


def tamper_in_place(mesh: Stand, url: str) -> None:
    """Changes one record of a running mesh, and puts it back."""
    with psycopg.connect(url, autocommit=True) as forger:
        row = forger.execute("SELECT sequence, principal FROM audit_records WHERE source = 'registry' LIMIT 1").fetchone()
        assert row is not None
        forger.execute("UPDATE audit_records SET principal = 'forged' WHERE sequence = %s", (row[0],))
        for words in ((), ("--database", url)):
            found = mesh.mesh.cli("audit", "verify", *words)
            assert (found.returncode, "broken" in found.stdout) == (1, True), found.stderr
        forger.execute("UPDATE audit_records SET principal = %s WHERE sequence = %s", (row[1], row[0]))
    assert mesh.mesh.cli("audit", "verify", "--database", url).returncode == 0


def test_no_key_records_changes_or_exports_the_trail_of_all(mesh: Stand) -> None:
    owner = mesh.new_key(f"{OTHER}/projects/main", f"{OTHER}/principals/owner").secret
    rules: Any = rules_pb2_grpc.RuleServiceStub(mesh.channel)
    for parent in ("domains/-", DEFAULT):
        request = rules_pb2.ExportAuditRecordsRequest(parent=parent)
        told = refused(partial(rules.ExportAuditRecords, request, metadata=bearer(owner)))
        assert told.code is grpc.StatusCode.PERMISSION_DENIED, told


def test_a_change_whose_process_was_killed_before_its_record_is_recorded_after_the_next_start(tmp_path: Path) -> None:
    with running(tmp_path) as first, grpc.insecure_channel(first.grpc) as channel:
        killed: Any = Stand(first, None, channel)  # type: ignore[arg-type] # no provider is asked
        with held(str(first.data_dir / "policy.db")):
            put_adapter(killed, "survivor")
            first.kill()
    folder = tmp_path / "again"
    folder.mkdir()
    with running(folder, data_dir=first.data_dir) as second, grpc.insecure_channel(second.grpc) as channel:
        again: Any = Stand(second, None, channel)  # type: ignore[arg-type] # likewise
        assert "survivor" in adapters(again)
        until(lambda: len(recorded(again, "survivor")) == 1, "the change is recorded after the start", pause=0.05)
