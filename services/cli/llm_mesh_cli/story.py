"""One request's story, from what router, policy and observability keep of it: as far as the caller may see each part."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import grpc

from llm_mesh.observability.v1 import observability_pb2, observability_pb2_grpc
from llm_mesh.policy.v1 import ledger_pb2, ledger_pb2_grpc, rules_pb2, rules_pb2_grpc, usage_pb2
from llm_mesh.router.v1 import router_pb2, router_pb2_grpc
from llm_mesh_cli import decisions
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.output import as_dict
from llm_mesh_cli.paging import pages
from llm_mesh_cli.shown import lines as shown_lines
from llm_mesh_cli.texts import amount, time_text
from llm_mesh_cli.visible import on_one_line
from llm_mesh_runtime.peer_errors import from_rpc_error

if TYPE_CHECKING:
    from llm_mesh_cli.session import Session

T = TypeVar("T")
_OWN_TABLE = ("lines",)


class Story:
    """What is known of a request. A part that the caller may not see, or that is gone, is named as not shown."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._entries: list[usage_pb2.LedgerEntry] = []
        self._decisions: list[router_pb2.ExplainDecisionResponse] = []
        self._audit: list[rules_pb2.AuditRecord] = []
        self._feedback: list[observability_pb2.Feedback] = []
        self._projected: list[str] = []
        self._absent: list[str] = []
        self._denied: list[str] = []

    async def of_reservation(self, name: str) -> None:
        """The story of the request that a reservation was made for."""
        ledger = ledger_pb2_grpc.LedgerServiceStub(self._session.channel("policy"))
        entry = (await ledger.GetLedgerEntry(ledger_pb2.GetLedgerEntryRequest(name=name), timeout=30)).entry
        await self._tell(name.partition("/projects/")[0], entry.request_id, [entry])

    async def of_request(self, domain: str, request_id: str) -> None:
        """The story of a request id; NOT_FOUND where nothing is kept of it."""
        ledger = ledger_pb2_grpc.LedgerServiceStub(self._session.channel("policy"))
        request = ledger_pb2.ListLedgerEntriesRequest(parent=f"{domain}/projects/-", request_id=request_id)
        entries = await self._part("ledger entries", _all(ledger.ListLedgerEntries, request, "entries"))
        await self._tell(domain, request_id, entries or [])
        if not (self._entries or self._decisions or self._audit):
            head = f"nothing is kept of a request {request_id} of {domain}; --domain names another domain"
            raise CommandError("; ".join((head, *self._denied)), Exit.NOT_FOUND)

    async def _tell(self, domain: str, request_id: str, entries: list[usage_pb2.LedgerEntry]) -> None:
        self._entries = entries
        router = router_pb2_grpc.RouterServiceStub(self._session.channel("router"))
        rules = rules_pb2_grpc.RuleServiceStub(self._session.channel("policy"))
        ids = dict.fromkeys(entry.decision_id for entry in entries if entry.decision_id)
        for question in [router_pb2.ExplainDecisionRequest(name=f"{domain}/routeDecisions/{each}") for each in ids] or [
            router_pb2.ExplainDecisionRequest(name=f"{domain}/routeDecisions/-", request_id=request_id)
        ]:
            decision = await self._part("decision", router.ExplainDecision(question, timeout=30))
            self._decisions += [decision] if decision is not None else []
        audit = rules_pb2.ListAuditRecordsRequest(parent=domain, request_id=request_id)
        self._audit = await self._part("audit records", _all(rules.ListAuditRecords, audit, "records")) or []
        for entry in entries:
            await self._observed(entry.name)

    async def _observed(self, name: str) -> None:
        stub = observability_pb2_grpc.ObservabilityServiceStub(self._session.channel("observability"))
        seen = await self._part("projection", stub.GetRequest(observability_pb2.GetRequestRequest(name=name), timeout=30))
        self._projected += [name] if seen is not None else []
        request = observability_pb2.ListFeedbackRequest(parent=name)
        self._feedback += await self._part("feedback", _all(stub.ListFeedback, request, "feedback")) or []

    async def _part(self, what: str, work: Awaitable[T]) -> T | None:
        try:
            return await work
        except grpc.aio.AioRpcError as error:
            if error.code() not in {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED}:
                raise
            text = f"no {what}: {from_rpc_error(error).message}"
            self._absent.append(text)
            self._denied += [text] if error.code() is grpc.StatusCode.PERMISSION_DENIED else []
            return None

    def show(self) -> None:
        """The story, part by part."""
        output = self._session.output
        if output.as_json:
            output.data(
                {
                    "entries": [as_dict(each) for each in self._entries],
                    "decisions": [as_dict(each) for each in self._decisions],
                    "auditRecords": [as_dict(each) for each in self._audit],
                    "feedback": [as_dict(each) for each in self._feedback],
                    "projected": self._projected,
                    "notShown": self._absent,
                }
            )
            return
        for entry in self._entries:
            self._entry(entry)
        for decision in self._decisions:
            output.line(f"\ndecision {decisions.heading(decision)}")
            if decision.candidates:
                output.table(decisions.CANDIDATE_TITLES, decisions.candidates(decision))
            else:
                output.line(decisions.nothing(decision))
        if self._audit:
            output.line("\naudit records, newest first")
            rows = [(time_text(one.time), "" if one.allowed else "refused", one.action, one.detail) for one in self._audit]
            output.table(("TIME", "", "ACTION", "DETAIL"), rows)
        for one in self._feedback:
            comment = on_one_line(one.comment)
            output.line(f"\nfeedback {one.score:+g} {one.aspect}, {one.principal}, {time_text(one.create_time)}  {comment}".rstrip())
        for text in self._absent:
            output.line(f"\n{text}")

    def _entry(self, entry: usage_pb2.LedgerEntry) -> None:
        output = self._session.output
        whole = usage_pb2.LedgerEntry()
        whole.CopyFrom(entry)
        for field in _OWN_TABLE:
            whole.ClearField(field)
        for line in shown_lines(whole):
            output.line(line)
        output.line(f"{'in spend and tail':<24} {'yes' if entry.name in self._projected else 'not yet'}")
        output.table(
            (*decisions.ATTEMPT_TITLES, "TOKENS", "PRICE"), [(*decisions.attempt(line), _tokens(line), line.price) for line in entry.lines]
        )
        output.line(f"charged {amount(entry.charged)} of {amount(entry.reserved)} reserved")
        for text in filter(None, map(decisions.upstream, entry.lines)):
            output.line(text)


def _tokens(line: usage_pb2.ChargeLine) -> str:
    usage = line.usage.usage
    return f"{usage.input_tokens} in, {usage.output_tokens} out"


async def _all(method: Callable[..., Awaitable[Any]], request: Any, field: str) -> list[Any]:  # noqa: ANN401 (any list)
    return [one async for page in pages(method, request) for one in getattr(page, field)]
