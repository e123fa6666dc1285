"""Generated from services/**/service.toml and the contracts by `make services`: what a running mesh knows of its services."""

from __future__ import annotations

from typing import NamedTuple


class Declaration(NamedTuple):
    """One service, or what calls services by names of its own."""

    name: str
    """Of its link, such as `adapter/openai`."""
    identities: tuple[str, ...]
    """By which names it calls others; a trailing `*` stands for any rest."""
    contracts: tuple[str, ...] = ()
    registrations: tuple[tuple[str, str], ...] = ()
    """The generated module of each contract, and its `add_..._to_server`."""
    port: int = 0
    """Of its gRPC listener when it runs alone, or of HTTP where it has no contract."""
    calls: tuple[str, ...] = ()
    """Names or, with a trailing `*`, beginnings of names."""
    relays: tuple[str, ...] = ()
    """Whose public methods it passes on, with the credential of who called."""
    http_prefix: str = ""
    """Where its HTTP application is mounted at the mesh's listener."""
    database: bool = False
    """It owns data in a database of its own, with migrations."""
    records_changes: bool = False
    """Policy's audit trail records the changes of its resources."""
    acts_for_callers: bool = False
    """Policy lets it use models later in the name of callers."""
    in_workers: bool = False
    """Hosted by the processes that accept requests."""
    in_mesh: bool = True
    """Whether it is a part of the mesh, and no provider."""


SERVICES: tuple[Declaration, ...] = (
    Declaration(
        name="policy",
        identities=("policy",),
        contracts=("llm_mesh.policy.v1.PolicyService", "llm_mesh.policy.v1.IdentityService", "llm_mesh.policy.v1.RuleService", "llm_mesh.policy.v1.LedgerService"),
        calls=("registry", "observability"),
        registrations=(("llm_mesh.policy.v1.policy_pb2_grpc", "add_PolicyServiceServicer_to_server"), ("llm_mesh.policy.v1.identity_pb2_grpc", "add_IdentityServiceServicer_to_server"), ("llm_mesh.policy.v1.rules_pb2_grpc", "add_RuleServiceServicer_to_server"), ("llm_mesh.policy.v1.ledger_pb2_grpc", "add_LedgerServiceServicer_to_server"),),
        port=50054,
        database=True,
    ),
    Declaration(
        name="catalogue",
        identities=("catalogue",),
        contracts=("llm_mesh.catalogue.v1.CatalogueService",),
        calls=("policy",),
        registrations=(("llm_mesh.catalogue.v1.catalogue_pb2_grpc", "add_CatalogueServiceServicer_to_server"),),
        port=50053,
        database=True,
        records_changes=True,
    ),
    Declaration(
        name="observability",
        identities=("observability",),
        contracts=("llm_mesh.observability.v1.ObservabilityService",),
        calls=("policy",),
        registrations=(("llm_mesh.observability.v1.observability_pb2_grpc", "add_ObservabilityServiceServicer_to_server"),),
        port=50055,
        database=True,
    ),
    Declaration(
        name="registry",
        identities=("registry",),
        contracts=("llm_mesh.registry.v1.RegistryService",),
        calls=("policy",),
        registrations=(("llm_mesh.registry.v1.registry_pb2_grpc", "add_RegistryServiceServicer_to_server"),),
        port=50056,
        database=True,
        records_changes=True,
    ),
    Declaration(
        name="adapter/anthropic",
        identities=("adapter/anthropic",),
        contracts=("llm_mesh.adapter.v1.AdapterService",),
        calls=("policy", "registry", "process/*"),
        registrations=(("llm_mesh.adapter.v1.adapter_pb2_grpc", "add_AdapterServiceServicer_to_server"),),
        port=50062,
        in_workers=True,
    ),
    Declaration(
        name="adapter/bedrock",
        identities=("adapter/bedrock",),
        contracts=("llm_mesh.adapter.v1.AdapterService",),
        calls=("policy", "registry", "process/*"),
        registrations=(("llm_mesh.adapter.v1.adapter_pb2_grpc", "add_AdapterServiceServicer_to_server"),),
        port=50064,
        in_workers=True,
    ),
    Declaration(
        name="adapter/cohere",
        identities=("adapter/cohere",),
        contracts=("llm_mesh.adapter.v1.AdapterService",),
        calls=("policy", "registry", "process/*"),
        registrations=(("llm_mesh.adapter.v1.adapter_pb2_grpc", "add_AdapterServiceServicer_to_server"),),
        port=50065,
        in_workers=True,
    ),
    Declaration(
        name="adapter/gemini",
        identities=("adapter/gemini",),
        contracts=("llm_mesh.adapter.v1.AdapterService",),
        calls=("policy", "registry", "process/*"),
        registrations=(("llm_mesh.adapter.v1.adapter_pb2_grpc", "add_AdapterServiceServicer_to_server"),),
        port=50063,
        in_workers=True,
    ),
    Declaration(
        name="adapter/mesh",
        identities=("adapter/mesh",),
        contracts=("llm_mesh.adapter.v1.AdapterService",),
        calls=("policy", "registry", "process/*"),
        registrations=(("llm_mesh.adapter.v1.adapter_pb2_grpc", "add_AdapterServiceServicer_to_server"),),
        port=50069,
        in_workers=True,
    ),
    Declaration(
        name="adapter/oip",
        identities=("adapter/oip",),
        contracts=("llm_mesh.adapter.v1.AdapterService",),
        calls=("policy", "registry", "process/*"),
        registrations=(("llm_mesh.adapter.v1.adapter_pb2_grpc", "add_AdapterServiceServicer_to_server"),),
        port=50068,
        in_workers=True,
    ),
    Declaration(
        name="adapter/ollama",
        identities=("adapter/ollama",),
        contracts=("llm_mesh.adapter.v1.AdapterService",),
        calls=("policy", "registry", "process/*"),
        registrations=(("llm_mesh.adapter.v1.adapter_pb2_grpc", "add_AdapterServiceServicer_to_server"),),
        port=50066,
        in_workers=True,
    ),
    Declaration(
        name="adapter/openai",
        identities=("adapter/openai",),
        contracts=("llm_mesh.adapter.v1.AdapterService",),
        calls=("policy", "registry", "process/*"),
        registrations=(("llm_mesh.adapter.v1.adapter_pb2_grpc", "add_AdapterServiceServicer_to_server"),),
        port=50061,
        in_workers=True,
    ),
    Declaration(
        name="router",
        identities=("router",),
        contracts=("llm_mesh.router.v1.RouterService",),
        calls=("policy", "registry"),
        registrations=(("llm_mesh.router.v1.router_pb2_grpc", "add_RouterServiceServicer_to_server"),),
        port=50052,
        database=True,
        records_changes=True,
    ),
    Declaration(
        name="adapter/engine",
        identities=("adapter/engine",),
        contracts=("llm_mesh.adapter.v1.AdapterService",),
        calls=("policy", "registry", "router", "process/*"),
        registrations=(("llm_mesh.adapter.v1.adapter_pb2_grpc", "add_AdapterServiceServicer_to_server"),),
        port=50067,
        in_workers=True,
    ),
    Declaration(
        name="gateway",
        identities=("gateway",),
        contracts=("llm_mesh.gateway.v1.GatewayService",),
        calls=("policy", "router", "catalogue", "adapter/*"),
        relays=("*",),
        registrations=(("llm_mesh.gateway.v1.gateway_pb2_grpc", "add_GatewayServiceServicer_to_server"),),
        port=50051,
        in_workers=True,
    ),
    Declaration(
        name="batches",
        identities=("batches",),
        contracts=("llm_mesh.batches.v1.BatchService", "llm_mesh.batches.v1.FileService"),
        calls=("policy", "gateway"),
        registrations=(("llm_mesh.batches.v1.batches_pb2_grpc", "add_BatchServiceServicer_to_server"), ("llm_mesh.batches.v1.files_pb2_grpc", "add_FileServiceServicer_to_server"),),
        port=50082,
        database=True,
        records_changes=True,
        acts_for_callers=True,
    ),
    Declaration(
        name="conversations",
        identities=("conversations",),
        contracts=("llm_mesh.conversations.v1.ResponseService", "llm_mesh.conversations.v1.ConversationService", "llm_mesh.conversations.v1.RetentionService"),
        calls=("gateway", "policy"),
        registrations=(("llm_mesh.conversations.v1.responses_pb2_grpc", "add_ResponseServiceServicer_to_server"), ("llm_mesh.conversations.v1.conversations_pb2_grpc", "add_ConversationServiceServicer_to_server"), ("llm_mesh.conversations.v1.retention_pb2_grpc", "add_RetentionServiceServicer_to_server"),),
        port=50081,
        database=True,
        records_changes=True,
    ),
    Declaration(
        name="edge",
        identities=("edge",),
        calls=("gateway", "batches", "policy", "process/*"),
        port=8080,
        in_workers=True,
    ),
    Declaration(
        name="simulator",
        identities=("simulator",),
        port=8099,
        in_mesh=False,
    ),
)
"""In the order in which they start: who is called before who calls."""

OPTIONAL: tuple[Declaration, ...] = (
    Declaration(
        name="adapter/anyllm",
        identities=("adapter/anyllm",),
        contracts=("llm_mesh.adapter.v1.AdapterService",),
        calls=("policy", "registry", "process/*"),
        registrations=(("llm_mesh.adapter.v1.adapter_pb2_grpc", "add_AdapterServiceServicer_to_server"),),
        port=50071,
        in_workers=True,
    ),
    Declaration(
        name="adapter/litellm",
        identities=("adapter/litellm",),
        contracts=("llm_mesh.adapter.v1.AdapterService",),
        calls=("policy", "registry", "process/*"),
        registrations=(("llm_mesh.adapter.v1.adapter_pb2_grpc", "add_AdapterServiceServicer_to_server"),),
        port=50070,
        in_workers=True,
    ),
)
"""No part of the default installation: each has an environment of its own."""

CLIENTS: tuple[Declaration, ...] = (
    Declaration(
        name="adapters",
        identities=("adapter/*",),
        calls=("policy", "registry", "process/*"),
    ),
    Declaration(
        name="cli",
        identities=("console", "up"),
        calls=("*",),
    ),
)
"""What calls services, and is hosted by other names or not at all."""

MESH_ACTIONS: frozenset[str] = frozenset(
    {
        "adapter.assess",
        "adapter.count",
        "adapter.embed",
        "adapter.generate",
        "adapter.generateImage",
        "adapter.moderate",
        "adapter.rerank",
        "adapter.speak",
        "adapter.transcribe",
        "gateway.checkReadiness",
        "links.connect",
        "observability.ingest",
        "policy.admit",
        "policy.authorize",
        "policy.checkReadiness",
        "policy.createDelegation",
        "policy.extend",
        "policy.getKeptAnswer",
        "policy.heartbeat",
        "policy.recordChanges",
        "policy.redeemDelegation",
        "policy.release",
        "policy.replay",
        "policy.reserve",
        "policy.screen",
        "policy.settle",
        "policy.watch",
        "processes.report",
        "registry.accepted",
        "registry.offer",
        "registry.watch",
        "router.aliases",
        "router.checkReadiness",
        "router.plan",
        "router.report",
        "router.reportLoads",
    }
)
"""Actions of methods that serve services only. No key has them, whatever its role."""
