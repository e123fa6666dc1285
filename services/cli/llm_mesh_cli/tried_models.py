"""`models discover --try`: what the new models can do, found out and registered, and what that cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_cli.session import Session
from llm_mesh_cli.trying import TRIED, Trying

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_mesh.mesh.v1 import resources_pb2

MOST_TRIED: Final = 25
"""Models of one run: each is a handful of calls."""
_NANOS: Final = 10**9


async def try_models(session: Session, models: Iterable[registry_pb2.Model]) -> None:
    """Tries each model with the project's key, and registers what it showed. What cannot be tried stays as it is."""
    registry = registry_pb2_grpc.RegistryServiceStub(session.channel("registry"))
    trying = Trying(Session(session.access, session.output, "project"), session.output.note)
    costs: Counter[str] = Counter()
    calls = 0
    for model in models:
        present = await _changed(registry, model.name, _candidates(model))
        tried = None
        try:
            tried = await trying.model(model.alias)
        finally:  # whoever interrupts leaves what stood there before, and no claim that was only tried
            untried = [each for each in model.capabilities if each not in TRIED]
            await _changed(registry, present.name, [*tried.capabilities, *untried] if tried is not None else model.capabilities)
        for failure in tried.failures:
            session.output.note(f"{model.alias}: {failure}")
        calls += len(tried.costs)
        _add(costs, tried.costs)
    cost = ", ".join(f"{nanos / _NANOS:.6f} {currency}" for currency, nanos in costs.items() if nanos) or "nothing"
    session.output.note(f"tried by {calls} calls, which cost {cost}")


def _candidates(model: registry_pb2.Model) -> Sequence[str]:
    return [*dict.fromkeys((*model.capabilities, *TRIED))]


async def _changed(registry: registry_pb2_grpc.RegistryServiceStub, name: str, capabilities: Iterable[str]) -> registry_pb2.Model:
    present = (await registry.GetModel(registry_pb2.GetModelRequest(name=name))).model
    changed = registry_pb2.Model(name=name, etag=present.etag, capabilities=capabilities)
    request = registry_pb2.UpdateModelRequest(model=changed, update_mask=FieldMask(paths=["capabilities"]))
    return (await registry.UpdateModel(request)).model


def _add(costs: Counter[str], charged: Iterable[resources_pb2.Money]) -> None:
    for money in charged:
        costs[money.currency] += money.nanos
