"""`llm-mesh doctor`: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

import typer

from llm_mesh_cli import checks, unbudgeted
from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.installation import all_settings
from llm_mesh_cli.session import Session

app = typer.Typer()


@asks(app)
async def doctor(session: Session) -> None:
    """Look at settings, files, ports, schemas, clocks and providers; exit code 1 where something is wrong."""
    findings = [*checks.installation(all_settings()), *checks.data_directory(session)]
    findings += await checks.schemas(session)
    remote = bool(session.access.address or session.settings.address or session.settings.addresses)
    if remote or checks.in_use(session):
        findings += await session.output.waiting(checks.running(session), "asking the mesh")
        if all(finding.state != "fail" for finding in findings if finding.what == "mesh"):
            findings += await session.output.waiting(checks.workers(session), "asking for workers")
            findings += await session.output.waiting(checks.providers(session), "asking the adapters")
            findings += await session.output.waiting(checks.claims(session), "looking at models")
            findings += await session.output.waiting(checks.sharing(session), "looking at offers")
            findings += await session.output.waiting(unbudgeted.budgets(session), "looking at budgets")
            findings += await session.output.waiting(checks.audit(session), "verifying the audit trail")
    else:
        findings += checks.ports(session)
    if session.output.as_json:
        session.output.data([finding._asdict() for finding in findings])
    else:
        rows = [(finding.state, finding.what, finding.found + (f" → {finding.remedy}" if finding.remedy else "")) for finding in findings]
        session.output.table(("", "WHAT", "FOUND"), rows)
    wrong = sum(finding.state == "fail" for finding in findings)
    if wrong:
        raise CommandError(f"{wrong} of {len(findings)} checks failed", Exit.FAILED)
