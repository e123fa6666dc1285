"""The settings that all services of a process share."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings.fields import setting


def _currency(code: str) -> str:
    return "" if len(code) == 3 and code.isascii() and code.isupper() else "expected an ISO 4217 code, such as USD"  # noqa: PLR2004 (its length)


def _secret(secret: Secret) -> str:
    too_short = secret and len(secret.reveal().encode()) < 32  # noqa: PLR2004 (the bytes of the keys that are derived from it)
    return "expected at least 32 bytes, such as the output of `openssl rand -base64 32`" if too_short else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshSettings:
    """What belongs to the process and not to one of its services."""

    data_dir: Path = setting(default=Path(".llm-mesh"), help="Where embedded services keep their databases and keys.")
    http: str = setting(default="127.0.0.1:8080", help="Address of the HTTP listener.")
    grpc: str = setting(default="127.0.0.1:50051", help="Address of the gRPC listener; alone, a service listens on its own port.")
    public: str = setting(default="", help="Address of a second gRPC listener with public methods only, for a service alone. Empty: none.")
    currency: str = setting(default="USD", help="ISO 4217 code of the currency that all amounts are in.", check=_currency)
    secret: Secret = setting(
        default=Secret(""),
        help="Shared by all services: the keys that seal admissions and grants derive from it. Empty: embedded makes its own.",
        check=_secret,
    )
    links: Mapping[str, str] = setting(
        default={},
        help="Where a peer listens, such as `dns:///policy:50054`. A peer in the same process needs none.",
        prefix="LLM_MESH_LINK_",
    )
    tls_cert: Path | None = setting(default=None, help="Certificate chain of the listeners and of calls to peers, PEM.")
    tls_key: Path | None = setting(default=None, help="Private key of the certificate, PEM.")
    tls_ca: Path | None = setting(default=None, help="Authorities that peers' certificates are checked against, PEM.")
    reflection: bool | None = setting(default=None, help="Whether gRPC reflection answers. Empty: on in `up`, off in `serve`.")
    grace: timedelta = setting(default=timedelta(seconds=20), help="How long running calls may take to finish at shutdown.", maximum=3600)
    default_deadline: timedelta = setting(default=timedelta(seconds=600), help="Deadline of a call whose caller gives none.", minimum=0.001)
    max_in_flight: int = setting(default=512, help="Calls that a service works on at once; more wait.", minimum=1)
    max_waiting: int = setting(default=1024, help="Calls that wait for their turn; more are refused as OVERLOADED.", minimum=0)
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

    def __post_init__(self) -> None:
        """The rules over several settings."""
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key are given together or not at all")
