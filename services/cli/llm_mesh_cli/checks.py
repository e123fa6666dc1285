"""What `doctor` looks at. Each check tells what it found, and what can be done about it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import socket
import sys
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import grpc

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_cli.files import readable_by_others
from llm_mesh_cli.findings import Finding
from llm_mesh_cli.offers import OfferState, offers_to
from llm_mesh_cli.paging import pages
from llm_mesh_cli.stores import stores
from llm_mesh_cli.trail import sources
from llm_mesh_cli.trail.verification import verify
from llm_mesh_cli.unreachable import explained
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.host import StartError
from llm_mesh_runtime.peer_errors import from_rpc_error

if TYPE_CHECKING:
    from llm_mesh_cli.installation import AllSettings
    from llm_mesh_cli.session import Session

_PRIVATE = ("admin.key", "project.key", "mesh.secret", "policy.pepper", "*.db")
_WORKER = "process/worker-"
_RECENT = 10_000
"""How many records of the audit trail are verified."""
_MOST_OFFERS = 20


def installation(effective: AllSettings) -> Iterator[Finding]:
    """What is installed, and whether its settings can be read."""
    yield Finding("ok", "python", f"{platform.python_version()} in {sys.prefix}")
    yield Finding(
        "ok" if effective.services else "fail",
        "services",
        ", ".join(effective.services) or "none",
        "" if effective.services else "install llm-mesh",
    )
    for broken in effective.broken:
        yield Finding("warn", "services", broken, "install it whole, or remove it")
    for problem in effective.problems:
        yield Finding("fail" if "is read by nobody" not in problem else "warn", "settings", problem, "correct the setting")
    changed = [f"{name}.{row.name} from {row.origin}" for name, rows in effective.rows for row in rows if row.origin != "default"]
    yield Finding("ok", "settings", "; ".join(changed) or "all at their defaults")


def data_directory(session: Session) -> Iterator[Finding]:
    """Whether the data directory can be used, and its secrets are secret."""
    folder = session.files.folder
    if not folder.exists():
        yield Finding("ok", "data", f"{folder} does not exist yet; the first `llm-mesh up` makes it")
        return
    if not os.access(folder, os.W_OK):
        yield Finding("fail", "data", f"{folder} cannot be written", f"chown or chmod {folder}")
    if readable_by_others(folder):
        yield Finding("warn", "data", f"others may look into {folder}", f"chmod 700 {folder}")
    for path in sorted(path for pattern in _PRIVATE for path in folder.glob(pattern)):
        if readable_by_others(path):
            yield Finding("fail", "data", f"others may read {path}", f"chmod 600 {path}")
    yield Finding("ok", "data", f"{folder}, {'in use by a running mesh' if in_use(session) else 'not in use'}")


def in_use(session: Session) -> bool:
    """Whether a mesh holds the data directory."""
    lock = session.files.folder / "lock"
    if not lock.exists():
        return False
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def ports(session: Session) -> Iterator[Finding]:
    """Whether a mesh could listen; only looked at while none runs."""
    for name, address in (("HTTP", session.mesh.http), ("gRPC", session.mesh.grpc)):
        host, _, port = address.rpartition(":")
        with contextlib.closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, int(port)))
            except (OSError, ValueError, OverflowError) as error:
                yield Finding("fail", "ports", f"{name} {address}: {error}", f"end the other program, or set LLM_MESH_{name.upper()}")
            else:
                yield Finding("ok", "ports", f"{name} {address} is free")


async def schemas(session: Session) -> list[Finding]:
    """Whether stores are at this build's revision."""
    findings = []
    for store in stores(data_dir=session.files.folder if session.files.folder.exists() else None):
        file = session.files.folder / f"{store.service}.db"
        if not store.settings.database_url and not file.exists():
            continue
        try:
            async with store.opened() as schema:
                current = await schema.current()
                fine = current >= schema.last
                remedy = "" if fine else f"llm-mesh migrate {store.service}, or start `llm-mesh up`"
                findings.append(Finding("ok" if fine else "warn", "schema", f"{store.service} at {current or 'none'}", remedy))
        except (MeshError, StartError) as error:
            findings.append(Finding("fail", "schema", f"{store.service}: {error}", "look at the database"))
    return findings


async def running(session: Session) -> list[Finding]:
    """Whether the mesh answers, to the keys that are kept."""
    try:
        caller = await session.caller()
    except grpc.aio.AioRpcError as error:
        failure = explained(from_rpc_error(error, peer=session.peer), session)
        return [Finding("fail", "mesh", failure.message, failure.remedy)]
    return [Finding("ok", "mesh", f"{session.address('policy')} knows the key of {caller.principal}")]


async def workers(session: Session) -> list[Finding]:
    """Whether all processes that accept HTTP do, where there are several."""
    from grpc_health.v1 import health_pb2, health_pb2_grpc  # noqa: PLC0415 (only here)

    try:
        answer = await health_pb2_grpc.HealthStub(session.channel()).List(health_pb2.HealthListRequest(), timeout=10)
    except grpc.aio.AioRpcError as error:
        failure = from_rpc_error(error, peer="the mesh")
        return [Finding("warn", "workers", failure.message, failure.remedy)]
    states = {name: state.status for name, state in answer.statuses.items() if name.startswith(_WORKER)}
    silent = sorted(name for name, state in states.items() if state != health_pb2.HealthCheckResponse.SERVING)
    if silent:
        return [
            Finding("warn", "workers", f"{', '.join(silent)} of {len(states)} not serving", "the log tells why; they are started again")
        ]
    return [Finding("ok", "workers", f"{len(states)} accept HTTP")] if states else []


async def claims(session: Session) -> list[Finding]:
    """Models that claim more than their endpoint's operator declares, so that the operator's word holds."""
    stub = registry_pb2_grpc.RegistryServiceStub(session.channel("registry"))
    request = registry_pb2.ListModelsRequest(parent=await session.whole())
    try:
        in_conflict = [model async for answer in pages(stub.ListModels, request) for model in answer.models if model.conflicts]
    except grpc.aio.AioRpcError as error:
        failure = from_rpc_error(error, peer="the registry")
        return [Finding("warn", "endpoints", failure.message, failure.remedy)]
    remedy = "declare the endpoint: `llm-mesh endpoints set`; or let the model claim less"
    return [
        Finding(
            "warn", "endpoints", f"{model.name} claims more than {model.adapter}/{model.endpoint}: {', '.join(model.conflicts)}", remedy
        )
        for model in in_conflict
    ] or [Finding("ok", "endpoints", "no model claims more than its endpoint's operator declares")]


async def sharing(session: Session) -> list[Finding]:
    """What domains offer to each other and nobody accepted, and what changed since it was accepted."""
    parent = await session.whole()
    try:
        waiting = await offers_to(session, parent, state=OfferState.NOT_ACCEPTED)
        changed = await offers_to(session, parent, state=OfferState.PROPOSED)
    except grpc.aio.AioRpcError as error:
        failure = from_rpc_error(error, peer="the registry")
        return [Finding("warn", "sharing", failure.message, failure.remedy)]
    groups = (
        ("is offered and not accepted, so that it serves its own domain only", waiting, "llm-mesh subscriptions accept"),
        ("has changed terms, which serve once they are accepted", changed, "llm-mesh subscriptions update --accept"),
    )
    findings = [
        Finding("warn", "sharing", f"{offer.product} {what}", remedy) for what, offers, remedy in groups for offer in offers[:_MOST_OFFERS]
    ]
    for what, offers, _ in groups:
        if len(offers) > _MOST_OFFERS:
            findings.append(Finding("warn", "sharing", f"{len(offers) - _MOST_OFFERS} more {what}", "llm-mesh subscriptions offers"))
    return findings or [Finding("ok", "sharing", "no offer of another domain waits")]


async def audit(session: Session) -> list[Finding]:
    """Whether the newest part of the audit trail is whole."""
    try:
        verdict = await verify(partial(sources.running, session, _RECENT), whole=False, grows=True)
    except grpc.aio.AioRpcError as error:
        failure = from_rpc_error(error, peer="policy")
        return [Finding("warn", "audit", failure.message, failure.remedy)]
    if verdict.problems:
        first = verdict.problems[0]
        text = f"{len(verdict.problems)} problems in the newest {verdict.records} records; the first: record {first.sequence} {first.text}"
        return [Finding("fail", "audit", text, "look into it with `llm-mesh audit verify`")]
    return [Finding("ok", "audit", f"the newest {verdict.records} records are whole")]
