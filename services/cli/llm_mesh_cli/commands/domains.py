"""`llm-mesh domains`: business units, each with its projects, rules and products."""

from __future__ import annotations

from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc
from llm_mesh_cli.nouns.noun import Noun, Option
from llm_mesh_cli.nouns.verbs import application

DOMAINS = Noun(
    "domain",
    "domains",
    "Domain",
    service="policy",
    stub=identity_pb2_grpc.IdentityServiceStub,
    messages=identity_pb2,
    columns=(
        ("DOMAIN", lambda one: str(one.name.partition("/")[2])),
        ("NAME", lambda one: str(one.display_name)),
        ("REGIONS", lambda one: ", ".join(one.regions)),
        ("DEFAULT CLASS", lambda one: one.default_data_class or "internal"),
        ("ADAPTERS", lambda one: ", ".join(one.allowed_adapters) or "all"),
        ("CONFLICTS WITH FLOOR", lambda one: ", ".join(one.conflicts)),
    ),
    options=(
        Option("display_name", "--display-name", "A name for people."),
        Option("regions", "--region", "A region where the domain's data may be processed, within those of its floor."),
        Option("default_data_class", "--default-data-class", "Data class of requests that name none, such as `confidential`."),
        Option("allowed_adapters", "--adapter", "An adapter that the domain's requests may use."),
        Option("zero_retention", "--zero-retention", "Providers must not keep data."),
    ),
    parent="",
)
app = application(DOMAINS, "Show, create and change domains.")
