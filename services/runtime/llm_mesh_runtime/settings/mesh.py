"""The settings that all services of a process share."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings.fields import setting

_CURRENCY_LETTERS = 3
_MESH_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SECRET_BYTES = 32
_PUBLIC_OFFSET = 100


def _mesh_id(text: str) -> str:
    return "" if not text or _MESH_ID.fullmatch(text) else "expected 1 to 63 of a-z, 0-9 and -, such as claims-eu"


def _currency(code: str) -> str:
    good = len(code) == _CURRENCY_LETTERS and code.isascii() and code.isalpha() and code.isupper()
    return "" if good else "expected an ISO 4217 code, such as USD"


def _secret(secret: Secret) -> str:
    weak = secret and len(secret.reveal().encode()) < _SECRET_BYTES
    return f"expected at least {_SECRET_BYTES} bytes, such as the output of `openssl rand -base64 32`" if weak else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshSettings:
    """What belongs to the process and not to one of its services."""

    id: str = setting(
        default="",
        help="Name of this mesh among others that it sends requests to or has them from, 1 to 63 of a-z, 0-9 and -. The same in all "
        "services. Empty: derived from the secret.",
        check=_mesh_id,
    )
    embedded: bool = setting(default=False, help="Whether services store in the data directory; `llm-mesh up` sets it.")
    data_dir: Path = setting(default=Path(".llm-mesh"), help="Where embedded services keep their databases and keys.")
    http: str = setting(default="127.0.0.1:8080", help="Address of the HTTP listener.")
    grpc: str = setting(default="127.0.0.1:50051", help="Address of the gRPC listener of `up`.")
    workers: int = setting(
        default=1,
        help="Processes that accept HTTP in `up`, each with edge, gateway and adapters; 1: everything in one process.",
        minimum=1,
        maximum=64,
    )
    process: str = setting(default="", help="Name of this process among those of an `up` with workers; `up` sets it.")
    sockets: str = setting(default="", help="Folder of the private sockets of those processes; `up` sets it.")
    listen_host: str = setting(default="127.0.0.1", help="Host that a service alone listens on, at its port.")
    public_listener: bool = setting(default=False, help="Whether a service alone also serves its public methods, at its public port.")
    ports: Mapping[str, int] = setting(
        default={},
        help="The port of a service alone, where it is not that of its contract, such as LLM_MESH_PORT_POLICY=60054.",
        prefix="LLM_MESH_PORT_",
        minimum=1,
        maximum=65535,
    )
    public_ports: Mapping[str, int] = setting(
        default={},
        help="The port of a service's public listener, where it is not its port + 100, such as LLM_MESH_PUBLIC_PORT_GATEWAY=443.",
        prefix="LLM_MESH_PUBLIC_PORT_",
        minimum=1,
        maximum=65535,
    )
    currency: str = setting(default="USD", help="ISO 4217 code of the currency that all amounts are in.", check=_currency)
    secret: Secret = setting(
        default=Secret(""),
        help="Shared by all services; the keys that seal admissions and grants derive from it. Empty: embedded makes its own.",
        check=_secret,
    )
    seal_keys: Mapping[str, Secret] = setting(
        default={},
        help="The sealing key of one audience, where services must not share the secret.",
        prefix="LLM_MESH_SEAL_KEY_",
    )
    links: Mapping[str, str] = setting(
        default={},
        help="Where a peer listens: `dns:///policy:50054`, or `mux+dns:///policy:50054` for the batched link. None, or an "
        "empty one, for a peer here.",
        prefix="LLM_MESH_LINK_",
    )
    allow_calls: tuple[str, ...] = setting(default=(), help="Additions to the who-may-call-whom table, such as `console>gateway`.")
    tls_certificate: str = setting(default="", help="Path of the certificate chain of the listeners and of calls to peers, PEM.")
    tls_key: str = setting(default="", help="Path of the certificate's private key, PEM.")
    tls_ca: str = setting(default="", help="Path of the authorities that peers' certificates are checked against, PEM.")
    http_tls_certificate: str = setting(
        default="", help="Path of the certificate chain of the HTTP listener, PEM: it speaks HTTPS then. Empty: plain HTTP."
    )
    http_tls_key: str = setting(default="", help="Path of that certificate's private key, PEM.")
    http_tls_client_ca: str = setting(
        default="", help="Path of the authorities of clients' certificates, PEM: HTTPS clients must show one. Empty: they need none."
    )
    reflection: bool | None = setting(default=None, help="Whether gRPC reflection answers. Empty: on in `up`, off in `serve`.")
    concurrency: int = setting(default=1536, help="Calls that a service works on at once; more wait.", minimum=1)
    queue: int = setting(default=1536, help="Calls that wait for their turn; more are refused as OVERLOADED.", minimum=0)
    share_reserve: float = setting(
        default=0.25,
        help="Of what others leave free of a shared bound (calls, a model's places, tails, connections), the part that a domain may not "
        "take; a principal leaves half of it to others of its domain. 0: one domain may fill every bound.",
        minimum=0,
        maximum=0.9,
    )
    http_header_lines: int = setting(default=100, help="Headers that an HTTP request may have; more are 431.", minimum=16, maximum=1000)
    http_header_line_bytes: int = setting(
        default=16 * 1024, help="Bytes of the request line, of a header or of a trailer; more are 431.", minimum=5120, maximum=1024 * 1024
    )
    http_head_bytes: int = setting(
        default=64 * 1024, help="Bytes that the head of an HTTP request may have in all; more are 431.", minimum=8192, maximum=1024 * 1024
    )
    http_connections: int = setting(
        default=8192,
        help="Connections of an HTTP process whose callers have shown valid credentials, shared fairly among them; at most half of the "
        "files that the process may open.",
        minimum=16,
    )
    http_stranger_connections: int = setting(
        default=4096,
        help="Connections of an HTTP process without a request whose credential is valid; beyond it the oldest is closed. At most half of "
        "the files that the process may open.",
        minimum=16,
    )
    http_stranger_connections_per_address: int = setting(
        default=1024, help="How many of those one IPv4 address or IPv6 /64 network may have; more behind a proxy.", minimum=4
    )
    http_stranger_bytes: int = setting(
        default=32 * 1024 * 1024, help="Bytes of requests that those connections hold together.", minimum=1024 * 1024
    )
    http_stranger_bytes_per_address: int = setting(
        default=8 * 1024 * 1024, help="How many of those bytes are of one address.", minimum=256 * 1024
    )
    grpc_tls_client_ca: str = setting(
        default="",
        help="Path of the authorities of clients' certificates, PEM: clients of the public gRPC listener must show one, such as adapters "
        "of other meshes. Empty: they need none.",
    )
    grpc_client_keys: Mapping[str, Secret] = setting(
        default={},
        help="A client of that listener that sends no key, by a name in its certificate: the name, a space and the key that stands for it, "
        "such as `mesh.claims.example mk_…`.",
        prefix="LLM_MESH_GRPC_CLIENT_KEY_",
    )
    grpc_metadata_bytes: int = setting(
        default=16 * 1024,
        help="Bytes of metadata that a gRPC call may have; more is RESOURCE_EXHAUSTED.",
        minimum=8192,
        maximum=1024 * 1024,
    )
    grpc_streams: int = setting(default=1024, help="gRPC calls at once on one connection.", minimum=16, maximum=100_000)
    grpc_connections: int = setting(
        default=4096, help="Connections of a gRPC listener; more are closed at once. gRPC knows no bound per address.", minimum=16
    )
    grpc_uploads: int = setting(
        default=1024 * 1024 * 1024,
        help="Bytes of requests that may be under way at once at a gRPC listener, shared between callers; more wait. gRPC does not say how "
        "large one is, so each counts as the largest, 32 MiB.",
        minimum=256 * 1024 * 1024,
        maximum=64 * 1024 * 1024 * 1024,
    )
    lateness: timedelta = setting(
        default=timedelta(seconds=0.01),
        help="How late work may get its turn, five times on end, before callers from outside are let in only as others leave.",
        minimum=0.001,
    )
    heavy_bytes: int = setting(
        default=256 * 1024 * 1024,
        help="Bytes of large requests that may be read, translated and screened at once or wait for it; one tenant may have half of them.",
        minimum=64 * 1024 * 1024,
        maximum=64 * 1024 * 1024 * 1024,
    )
    slow_turn: timedelta = setting(
        default=timedelta(seconds=0.05),
        help="How long one turn of the event loop may hold everybody up before it is counted, and logged with its stack.",
        minimum=0.02,
        maximum=60,
    )
    unary_deadline: timedelta = setting(
        default=timedelta(seconds=30), help="Deadline of a unary call whose caller gives none.", minimum=0.001
    )
    stream_deadline: timedelta = setting(
        default=timedelta(seconds=600), help="Deadline of a streaming call whose caller gives none.", minimum=0.001
    )
    grace: timedelta = setting(default=timedelta(seconds=20), help="How long running calls may take to finish at shutdown.", maximum=3600)
    log_level: Literal["debug", "info", "warning", "error"] = setting(default="info", help="The least level that is logged.")
    log_format: Literal["auto", "json", "console"] = setting(
        default="auto", help="`json` for machines, `console` for people; `auto` looks whether standard error is a terminal."
    )
    otlp_endpoint: str = setting(
        default="", env=("OTEL_EXPORTER_OTLP_ENDPOINT",), help="Where traces and metrics are sent. Empty: nowhere."
    )
    otlp_protocol: Literal["grpc", "http/protobuf"] = setting(
        default="grpc", env=("OTEL_EXPORTER_OTLP_PROTOCOL",), help="The protocol of that endpoint."
    )
    trace_sample: float = setting(
        default=1.0, help="Share of requests that begin a trace here; those that arrive with one follow it.", minimum=0, maximum=1
    )

    @property
    def processes(self) -> int:
        """How many processes of this mesh have a gateway and adapters: what holds for all of them is shared out among so many."""
        return self.workers + 1 if self.process else 1

    def port_of(self, service: str, usual: int, *, public: bool = False) -> int:
        """The port of a service alone, whose contract has the usual one; or that of its public listener."""
        port = self.ports.get(service, usual)
        return self.public_ports.get(service, port and port + _PUBLIC_OFFSET) if public else port

    def __post_init__(self) -> None:
        """The rules over several settings."""
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key are given together or not at all")
        if bool(self.http_tls_certificate) != bool(self.http_tls_key):
            raise ValueError("http_tls_certificate and http_tls_key are given together or not at all")
        if self.grpc_tls_client_ca and not self.tls_certificate:
            raise ValueError("grpc_tls_client_ca needs tls_certificate and tls_key")
        if self.grpc_client_keys and not self.grpc_tls_client_ca:
            raise ValueError("grpc_client_keys needs grpc_tls_client_ca: only certificates that were checked stand for keys")
        if self.http_tls_client_ca and not self.http_tls_certificate:
            raise ValueError("http_tls_client_ca needs http_tls_certificate and http_tls_key")
