"""One provider that accepts and never answers: others go on, and a route around it is taken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import grpc

from bench.compared import row
from bench.load.spec import Expected, Spec, write_requests
from bench.prompts import body, framed, texts
from bench.runs import run, together
from bench.scenarios.scenario import Outcome, Scenario, Settings, spec_for
from bench.stand import EMBEDDED, Stand, stand
from bench.topologies.embedded import embedded
from bench.topologies.target import Target
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh.router.v1 import router_pb2, router_pb2_grpc
from llm_mesh_cli.set_up.simulated import simulator_models

_HUNG, _GOOD, _ROUTED = "bench-hung", "sim-echo", "bench-routed"
_FIRST_TOKEN_MS = 500
_WAITING, _OTHERS = 32, 8


def run_hung(settings: Settings) -> Outcome:
    """Others alone, and while 32 requests wait on the hung one; then an alias whose first target hangs."""
    outcome = Outcome(
        notes=[f"the hung model's route gives up after {_FIRST_TOKEN_MS} ms without a first token; it is answered by the second target"]
    )
    seconds = max(settings.seconds, 4.0)
    with stand([]) as made:
        own = made.folder / "mesh"
        own.mkdir()
        port = made.upstream.port
        # Another endpoint: a credential and an address of its own, as another provider has.
        environ = {"LLM_MESH_ADAPTER_OPENAI_ENDPOINT_HUNG": f'{{"base_url": "http://127.0.0.1:{port}/hung/v1", "local": true}}'}
        with embedded(own, port, environ=environ) as target:
            _register(target)
            others = replace(spec_for(target, made.folder / "others", settings, connections=_OTHERS), seconds=seconds)
            routed = _to_the_hung(target, made, others)
            outcome.rows.append(row(EMBEDDED, [run(others, made.folder)]) | {"kind": "others alone", "in_flight": _OTHERS})
            both = together({"others": others, "routed": routed}, made.folder)
            outcome.rows.append(row(EMBEDDED, [both["others"]]) | {"kind": "others beside", "in_flight": _OTHERS})
            outcome.rows.append(row(EMBEDDED, [both["routed"]]) | {"kind": "route around the hung one", "in_flight": _WAITING})
            for each in outcome.rows[1:]:
                each.pop("cpu_us", None)  # it would be both generators' requests by one's
            later = run(routed, made.folder)
            outcome.rows.append(row(EMBEDDED, [later]) | {"kind": "the same, later", "in_flight": _WAITING})
    return outcome


def _to_the_hung(target: Target, made: Stand, like: Spec) -> Spec:
    requests = [framed(body(text, model=_ROUTED), target.keys[number % len(target.keys)]) for number, text in enumerate(texts())]
    return replace(like, requests=str(write_requests(made.folder / "routed", requests)), expected=Expected(), connections=_WAITING)


def _register(target: Target) -> None:
    admin = (("authorization", f"Bearer {target.admin}"),)
    (hung,) = (model for model in simulator_models((("openai", "hung"),)) if model.alias == _GOOD)
    hung.name, hung.alias = f"domains/shared/models/{_HUNG}", _HUNG
    route = router_pb2.Route(name=f"domains/shared/routes/{_ROUTED}", alias=_ROUTED, max_attempts=2, shared_with=["*"])
    for priority, model in enumerate((_HUNG, _GOOD)):
        route.targets.add(model=f"domains/shared/models/{model}", priority=priority)
    route.limits.first_token.FromMilliseconds(_FIRST_TOKEN_MS)
    with grpc.insecure_channel(target.grpc) as channel:
        registry: Any = registry_pb2_grpc.RegistryServiceStub(channel)  # type: ignore[arg-type]  # stubs know only channels of asyncio
        registry.ApplyModels(registry_pb2.ApplyModelsRequest(parent="domains/platform", models=[hung]), metadata=admin)
        router: Any = router_pb2_grpc.RouterServiceStub(channel)  # type: ignore[arg-type]  # stubs know only channels of asyncio
        router.ApplyRoutes(router_pb2.ApplyRoutesRequest(parent="domains/platform", routes=[route]), metadata=admin)


SCENARIO = Scenario("hung-provider", "one provider accepts and never answers", run_hung)
