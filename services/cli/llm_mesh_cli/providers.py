"""What `doctor` finds about providers: whether they answer and take the credential, and which breakers stand open in which process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

import grpc

from llm_mesh.adapter.v1 import adapter_pb2, adapter_pb2_grpc
from llm_mesh_cli.discovery import adapters
from llm_mesh_cli.findings import Finding
from llm_mesh_cli.instances import instances
from llm_mesh_cli.set_up.endpoints import ADAPTER
from llm_mesh_runtime.peer_errors import from_rpc_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_mesh_cli.session import Session

USUAL_PATIENCE = 5.0
LONGEST_PATIENCE = 30.0
_ROOM = 5.0
"""Seconds that a call may take beyond what the provider may."""
_AT_ONCE = 8
_MOST_BREAKERS = 20
_CREDENTIAL: Final = "check its credential and account"
_BREAKERS: Final = "the provider fails there; the breaker tries again by itself"


class AdapterAddress(NamedTuple):
    """One adapter at one address."""

    adapter: str
    address: str
    stub: adapter_pb2_grpc.AdapterServiceStub

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What says at a listener of all services which adapter is meant."""
        return ((ADAPTER, self.adapter),)


async def providers(session: Session, seconds: float | None) -> list[Finding]:
    """How the endpoints of all adapters stand. `seconds`: how long each provider is waited for; None: none is asked."""
    try:
        places = await _places(session)
    except grpc.aio.AioRpcError as error:
        failure = from_rpc_error(error, peer="the mesh")
        return [Finding("warn", "providers", failure.message, failure.remedy)]
    findings: list[Finding] = []
    checks: dict[tuple[str, str], tuple[AdapterAddress, adapter_pb2.Endpoint]] = {}
    for place in places:
        try:
            answer = await place.stub.ListEndpoints(
                adapter_pb2.ListEndpointsRequest(page_size=1000), metadata=place.metadata, timeout=_ROOM
            )
        except grpc.aio.AioRpcError as error:
            failure = from_rpc_error(error, peer=f"adapter/{place.adapter} at {place.address}")
            findings.append(Finding("warn", "providers", failure.message, failure.remedy))
            continue
        findings += _breakers(place, answer, several=len(places) > len({each.adapter for each in places}))
        findings += _refusals(answer)
        for endpoint in answer.endpoints:
            if endpoint.has_credential:
                checks.setdefault((place.adapter, endpoint.name), (place, endpoint))
    if not any(not endpoint.local for _, endpoint in checks.values()):
        findings.append(Finding("ok", "providers", "no credential of a provider, such as OPENAI_API_KEY"))
    if seconds is None:
        return [*findings, Finding("ok", "providers", f"{len(checks)} endpoints were not asked: --no-ask-providers")]
    return findings + await _checked(list(checks.values()), seconds)


async def _places(session: Session) -> list[AdapterAddress]:
    """Every instance of every adapter, as far as addresses lead to them."""
    findings = []
    for adapter in await adapters(session):
        name = f"adapter/{adapter}"
        for address in await instances(session.address(name)):
            stub = adapter_pb2_grpc.AdapterServiceStub(session.channel_to(address, session.owner(name)))
            findings.append(AdapterAddress(adapter, address, stub))
    return findings


def _breakers(place: AdapterAddress, answer: adapter_pb2.ListEndpointsResponse, *, several: bool) -> Iterator[Finding]:
    tripped = [(endpoint.name, breaker) for endpoint in answer.endpoints for breaker in endpoint.breakers]
    for name, breaker in tripped[:_MOST_BREAKERS]:
        where = " ".join(part for part in (breaker.process, f"at {place.address}" if several else "") if part)
        how = "open" if breaker.state == adapter_pb2.BREAKER_STATE_OPEN else "half open"
        yield Finding("warn", "breakers", f"{name}: {breaker.model} is {how}" + (f" in {where}" if where else ""), _BREAKERS)
    if len(tripped) > _MOST_BREAKERS:
        yield Finding("warn", "breakers", f"{len(tripped) - _MOST_BREAKERS} more", _BREAKERS)
    if answer.silent_processes:
        silent = ", ".join(answer.silent_processes)
        yield Finding("warn", "breakers", f"adapter/{place.adapter}: {silent} did not say how its breakers stand", "llm-mesh health")
    if not tripped and not answer.silent_processes:
        yield Finding("ok", "breakers", f"adapter/{place.adapter}: all closed" + (f" at {place.address}" if several else ""))


def _refusals(answer: adapter_pb2.ListEndpointsResponse) -> Iterator[Finding]:
    for endpoint in answer.endpoints:
        if endpoint.refusal:
            yield Finding("warn", "providers", f"{endpoint.name} does not admit the mesh: {endpoint.refusal}", _CREDENTIAL)


async def _checked(checks: list[tuple[AdapterAddress, adapter_pb2.Endpoint]], seconds: float) -> list[Finding]:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(place: AdapterAddress, endpoint: adapter_pb2.Endpoint) -> Finding | None:
        request = adapter_pb2.CheckEndpointRequest(endpoint=endpoint.name)
        request.timeout.FromMicroseconds(int(seconds * 1e6))
        async with turns:
            try:
                answer = await place.stub.CheckEndpoint(request, metadata=place.metadata, timeout=seconds + _ROOM)
            except grpc.aio.AioRpcError as error:
                failure = from_rpc_error(error, peer=f"adapter/{place.adapter}")
                return Finding("warn", "providers", f"{endpoint.name} was not asked: {failure.message}", failure.remedy)
        return _answered(endpoint, answer)

    findings = await asyncio.gather(*(one(place, endpoint) for place, endpoint in checks))
    silent = [endpoint.name for (_, endpoint), finding in zip(checks, findings, strict=True) if finding is None]
    rest = [Finding("ok", "providers", f"local, and not running: {', '.join(silent)}")] if silent else []
    return [finding for finding in findings if finding is not None] + rest


def _answered(endpoint: adapter_pb2.Endpoint, answer: adapter_pb2.CheckEndpointResponse) -> Finding | None:
    """What a check found; None for a local server that does not run."""
    where = f"{endpoint.name} at {endpoint.base_url}"
    if answer.result == adapter_pb2.CHECK_RESULT_ADMITTED:
        takes = "" if endpoint.local else " and takes the credential"
        return Finding("ok", "providers", f"{where} answers in {answer.duration.ToMilliseconds()} ms{takes}")
    if answer.result == adapter_pb2.CHECK_RESULT_ANSWERED:
        return Finding("ok", "providers", f"{where} answers {answer.status}; whether it takes the credential cannot be told so")
    if answer.result == adapter_pb2.CHECK_RESULT_REFUSED:
        return Finding("fail", "providers", f"{where} refuses the credential: {answer.message}", _CREDENTIAL)
    if endpoint.local and answer.reason == "PROVIDER_UNREACHABLE":
        return None
    remedy = "look at its status page, and at the network between"
    return Finding("fail", "providers", f"{where} does not answer well: {answer.message} ({answer.reason})", remedy)
