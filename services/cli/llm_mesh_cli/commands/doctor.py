"""`llm-mesh doctor`: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

from typing import Annotated

import typer

from llm_mesh_cli import checks, surroundings, unbudgeted
from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.installation import all_settings
from llm_mesh_cli.providers import LONGEST_PATIENCE, USUAL_PATIENCE, providers
from llm_mesh_cli.session import Session

app = typer.Typer()


_Ask = Annotated[bool, typer.Option("--ask-providers/--no-ask-providers", help="Ask each provider whether it takes the credential.")]
_ProviderTimeout = Annotated[float, typer.Option(min=0.1, max=LONGEST_PATIENCE, help="Seconds that each provider may take to answer.")]


@asks(app)
async def doctor(session: Session, ask_providers: _Ask = True, time_limit: _ProviderTimeout = USUAL_PATIENCE) -> None:
    """Look at settings, files, disk, ports, schemas, certificates, clocks and providers; exit code 1 where something is wrong."""
    findings = [*checks.installation(all_settings()), *checks.data_directory(session), *surroundings.disk(session.files.folder)]
    findings += await checks.schemas(session)
    remote = bool(session.access.address or session.settings.address or session.settings.addresses)
    if remote or checks.in_use(session):
        findings += await session.output.waiting(surroundings.certificates(session), "looking at certificates")
        findings += await session.output.waiting(surroundings.clocks(session), "comparing clocks")
        findings += await session.output.waiting(checks.running(session), "asking the mesh")
        if all(finding.state != "fail" for finding in findings if finding.what == "mesh"):
            findings += await session.output.waiting(checks.workers(session), "asking for workers")
            findings += await session.output.waiting(providers(session, time_limit if ask_providers else None), "asking the providers")
            findings += await session.output.waiting(checks.claims(session), "looking at models")
            findings += await session.output.waiting(checks.sharing(session), "looking at offers")
            findings += await session.output.waiting(unbudgeted.budgets(session), "looking at budgets")
            findings += await session.output.waiting(checks.audit(session), "verifying the audit trail")
    else:
        findings += checks.ports(session)
    if session.output.as_json:
        session.output.data([finding._asdict() for finding in findings])
    else:
        rows = [(finding.state, finding.what, finding.value + (f" → {finding.remedy}" if finding.remedy else "")) for finding in findings]
        session.output.table(("", "WHAT", "FOUND"), rows)
    wrong = sum(finding.state == "fail" for finding in findings)
    if wrong:
        raise CommandError(f"{wrong} of {len(findings)} checks failed", Exit.FAILED)
