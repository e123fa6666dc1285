"""`LedgerService`: budgets, limits, entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import ledger_pb2, ledger_pb2_grpc
from llm_mesh_policy.ledger.domain.accounts import Accounts
from llm_mesh_policy.servicer.actors import actor
from llm_mesh_runtime.resources import page_of

if TYPE_CHECKING:
    from llm_mesh_policy.servicer.answers import Context


class LedgerServicer(ledger_pb2_grpc.LedgerServiceServicer):
    """Unpacks, calls, packs. Who may was decided by the pipeline, by the names in the requests."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def GetBudget(self, request: ledger_pb2.GetBudgetRequest, context: Context) -> ledger_pb2.GetBudgetResponse:
        return ledger_pb2.GetBudgetResponse(budget=await self._accounts.budget(request.name))

    async def PutBudget(self, request: ledger_pb2.PutBudgetRequest, context: Context) -> ledger_pb2.PutBudgetResponse:
        return ledger_pb2.PutBudgetResponse(budget=await self._accounts.put_budget(request.budget, actor()))

    async def DeleteBudget(self, request: ledger_pb2.DeleteBudgetRequest, context: Context) -> ledger_pb2.DeleteBudgetResponse:
        await self._accounts.delete_budget(request.name, actor())
        return ledger_pb2.DeleteBudgetResponse()

    async def ListBudgets(self, request: ledger_pb2.ListBudgetsRequest, context: Context) -> ledger_pb2.ListBudgetsResponse:
        shown, token = await self._accounts.budgets(request.parent, page_of(request, "budgets", request.parent))
        return ledger_pb2.ListBudgetsResponse(budgets=shown, next_page_token=token)

    async def PutLimit(self, request: ledger_pb2.PutLimitRequest, context: Context) -> ledger_pb2.PutLimitResponse:
        return ledger_pb2.PutLimitResponse(limit=await self._accounts.put_limit(request.limit, actor()))

    async def ListLimits(self, request: ledger_pb2.ListLimitsRequest, context: Context) -> ledger_pb2.ListLimitsResponse:
        shown, token = await self._accounts.limits(request.parent, page_of(request, "limits", request.parent))
        return ledger_pb2.ListLimitsResponse(limits=shown, next_page_token=token)

    async def DeleteLimit(self, request: ledger_pb2.DeleteLimitRequest, context: Context) -> ledger_pb2.DeleteLimitResponse:
        await self._accounts.delete_limit(request.name, actor())
        return ledger_pb2.DeleteLimitResponse()

    async def GetLedgerEntry(
        self,
        request: ledger_pb2.GetLedgerEntryRequest,
        context: Context,
    ) -> ledger_pb2.GetLedgerEntryResponse:
        return ledger_pb2.GetLedgerEntryResponse(entry=await self._accounts.entry(request.name))

    async def ListLedgerEntries(
        self,
        request: ledger_pb2.ListLedgerEntriesRequest,
        context: Context,
    ) -> ledger_pb2.ListLedgerEntriesResponse:
        page = page_of(request, "entries", request.parent, str(request.state), request.request_id)
        shown, token = await self._accounts.entries(request.parent, request.state, request.request_id, page)
        return ledger_pb2.ListLedgerEntriesResponse(entries=shown, next_page_token=token)

    async def ReconcileLedgerEntry(
        self,
        request: ledger_pb2.ReconcileLedgerEntryRequest,
        context: Context,
    ) -> ledger_pb2.ReconcileLedgerEntryResponse:
        entry = await self._accounts.reconcile(request.name, request.lines, request.note, actor())
        return ledger_pb2.ReconcileLedgerEntryResponse(entry=entry)
