"""Which projects no budget binds: neither one of their own, nor one of the platform for them or their domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc, ledger_pb2, ledger_pb2_grpc
from llm_mesh_cli.findings import Finding
from llm_mesh_cli.paging import pages
from llm_mesh_runtime.peer_errors import from_rpc_error

if TYPE_CHECKING:
    from llm_mesh_cli.session import Session

_MOST_NAMED = 10
_OPERATORS = "domains/platform"


async def binding(session: Session, project: str) -> list[ledger_pb2.Budget]:
    """The budgets that bind a project."""
    domain = project.partition("/projects/")[0]
    return [budget for budget in await _budgets(session, domain) if _subject(budget) in {project, domain}]


async def unbudgeted(session: Session) -> list[str]:
    """Projects, of all domains that the caller may see, that no budget binds."""
    stub = identity_pb2_grpc.IdentityServiceStub(session.channel("policy"))
    domains = [each.name async for answer in pages(stub.ListDomains, identity_pb2.ListDomainsRequest()) for each in answer.domains]
    unbound = []
    for domain in domains:
        if domain == _OPERATORS:
            continue
        bound = {_subject(budget) for budget in await _budgets(session, domain)}
        request = identity_pb2.ListProjectsRequest(parent=domain)
        projects = [each.name async for answer in pages(stub.ListProjects, request) for each in answer.projects]
        unbound += [project for project in projects if not {project, domain} & bound]
    return unbound


async def budgets(session: Session) -> list[Finding]:
    """What `doctor` says of them."""
    try:
        projects = await unbudgeted(session)
    except grpc.aio.AioRpcError as error:
        failure = from_rpc_error(error, peer="policy")
        return [Finding("warn", "budgets", failure.message, failure.remedy)]
    if not projects:
        return [Finding("ok", "budgets", "every project has a budget")]
    more = f" and {len(projects) - _MOST_NAMED} more" if len(projects) > _MOST_NAMED else ""
    text = f"without a budget: {', '.join(projects[:_MOST_NAMED])}{more}"
    remedy = "`llm-mesh budgets set AMOUNT --project NAME`, or LLM_MESH_POLICY_PROJECTS_WITHOUT_BUDGET=refused"
    return [Finding("warn", "budgets", text, remedy)]


async def _budgets(session: Session, domain: str) -> list[ledger_pb2.Budget]:
    stub = ledger_pb2_grpc.LedgerServiceStub(session.channel("policy"))
    request = ledger_pb2.ListBudgetsRequest(parent=domain)
    return [budget async for answer in pages(stub.ListBudgets, request) for budget in answer.budgets]


def _subject(budget: ledger_pb2.Budget) -> str:
    return budget.subject or budget.name.removesuffix("/budget")
