"""`llm-mesh health`: whether every service serves."""

from __future__ import annotations

import typer
from grpc_health.v1 import health_pb2, health_pb2_grpc

from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.session import Session

app = typer.Typer()
_SERVING = health_pb2.HealthCheckResponse.SERVING


@asks(app, who="nobody")
async def health(session: Session) -> None:
    """Show whether every service serves; exit code 3 where one does not."""
    states: dict[str, bool] = {}
    for service in ("", *session.settings.addresses):
        stub = health_pb2_grpc.HealthStub(session.channel(service))
        answer = await session.output.waiting(stub.List(health_pb2.HealthListRequest(), timeout=5), f"asking {session.address(service)}")
        states |= {name: state.status == _SERVING for name, state in answer.statuses.items() if name}
    if session.output.as_json:
        session.output.data(states)
    else:
        session.output.table(
            ("SERVICE", "STATE"), [(name, "serving" if state else "NOT SERVING") for name, state in sorted(states.items())]
        )
    silent = [name for name, state in sorted(states.items()) if not state]
    if silent or not states:
        raise CommandError(f"not serving: {', '.join(silent) or 'everything'}", Exit.UNAVAILABLE)
