"""`llm-mesh projects`: what money is charged to."""

from __future__ import annotations

from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc
from llm_mesh_cli.nouns.noun import Noun, Option
from llm_mesh_cli.nouns.verbs import application

PROJECTS = Noun(
    "project",
    "projects",
    "Project",
    service="policy",
    stub=identity_pb2_grpc.IdentityServiceStub,
    messages=identity_pb2,
    columns=(
        ("PROJECT", lambda one: str(one.name.rpartition("/")[2])),
        ("NAME", lambda one: str(one.display_name)),
        ("MODELS", lambda one: ", ".join(one.allowed_models) or "all of the domain"),
        ("MOST OUTPUT TOKENS", lambda one: f"{one.max_output_tokens:,}" if one.max_output_tokens else ""),
        ("ANSWERS", lambda one: "kept 24 h" if one.keep_answers else "not kept"),
        ("CHARGING", lambda one: "strict" if one.strict_charging else "estimated"),
    ),
    options=(
        Option("display_name", "--display-name", "A name for people."),
        Option("allowed_models", "--model", "A model that the project may use: an alias or resource name, whole or a prefix with `*`."),
        Option("max_output_tokens", "--max-output-tokens", "Most output tokens per choice. 0: the mesh's default."),
        Option(
            "keep_answers", "--keep-answers", "Answers to requests with an idempotency key are kept for 24 h, encrypted, to be repeated."
        ),
        Option("strict_charging", "--strict-charging", "Unfinished attempts are charged what was reserved for them."),
    ),
)
app = application(PROJECTS, "Show, create and change projects.")
