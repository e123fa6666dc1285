"""`llm-mesh routes`: which models an alias may go to, and in which order."""

from __future__ import annotations

from llm_mesh.router.v1 import router_pb2, router_pb2_grpc
from llm_mesh_cli.nouns.noun import Noun, Option
from llm_mesh_cli.nouns.verbs import application

ROUTES = Noun(
    "route",
    "routes",
    "Route",
    service="router",
    stub=router_pb2_grpc.RouterServiceStub,
    messages=router_pb2,
    columns=(
        ("ROUTE", lambda one: str(one.name.rpartition("/")[2])),
        ("ALIAS", lambda one: str(one.alias)),
        ("TARGETS", lambda one: ", ".join(f"{each.model} ({each.priority})" for each in one.targets)),
        ("ATTEMPTS", lambda one: str(one.max_attempts or 3)),
        ("OFFERED TO", lambda one: ", ".join(one.shared_with)),
    ),
    options=(
        Option("alias", "--alias", "The alias that applications ask for. Default: the route's id."),
        Option(
            "targets",
            "--target",
            "A model such as `shared/sim-echo`, or `{model: shared/sim-echo, priority: 1, weight: 2}`.",
            plain="model",
        ),
        Option("max_attempts", "--max-attempts", "Most targets to try, 1 to 8. 0: 3."),
        Option("shared_with", "--share-with", "A domain to which the route is offered, or `*`."),
        Option("limits", "--limits", "How long the phases of an attempt may take, such as `{idle: 30s}`."),
    ),
)
app = application(ROUTES, "Show, create, change and delete routes.")
