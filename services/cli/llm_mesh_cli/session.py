"""One run of a command against a mesh: where it is, who asks, and how answers are shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import punctuation
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import quote

from llm_mesh_cli.files import DataFiles, EmptyKeyError
from llm_mesh_cli.settings import Settings
from llm_mesh_cli.unreachable import aim_of
from llm_mesh_runtime.settings import Configuration, MeshSettings

if TYPE_CHECKING:
    import grpc

    from llm_mesh.policy.v1 import admission_pb2
    from llm_mesh_cli.output import Output
    from llm_mesh_runtime.links.remote import RemoteChannel
    from llm_mesh_runtime.secret import Secret

Who = Literal["admin", "project", "nobody"]
DEFAULT_PROJECT = "domains/default/projects/default"
REASON = "x-llm-mesh-reason"
_PRINTABLE = punctuation.replace("%", "") + " "
_PLATFORM = "domains/platform"


class MissingKeyError(Exception):
    """There is no key to ask with."""


@dataclass(frozen=True, slots=True)
class Access:
    """What the options of a command say about the mesh."""

    key: str | None = None
    address: str | None = None
    data_dir: Path | None = None
    json: bool = False
    reason: str | None = None


class Session:
    """The connection of one command. `who` says whose key is taken where none is given."""

    def __init__(self, access: Access, output: Output, who: Who) -> None:
        configuration = Configuration.read()
        self.settings = configuration.load(Settings, "cli").value
        self.mesh = configuration.load(MeshSettings).value
        self.files = DataFiles(access.data_dir or self.mesh.data_dir)
        self.access = access
        self.output = output
        self._who = who
        self.aim = aim_of(self)
        """Where was asked last."""
        self._channels: dict[tuple[str, str], RemoteChannel] = {}

    def address(self, service: str = "") -> str:
        """Where a service is asked: the given address, one of its own, or that of the mesh of the data directory."""
        return aim_of(self, service).address

    @property
    def peer(self) -> str:
        """What is said to have failed where nothing answers."""
        return f"the mesh at {self.aim.address}"

    def channel(self, service: str = "") -> grpc.aio.Channel:
        """A channel to a service's public listener, with the key."""
        self.aim = aim_of(self, service)
        return self.channel_to(self.aim.address, self.owner(service))

    def owner(self, service: str) -> str:
        """Whose address a service is asked at: its own, or else that of the gateway, which answers for all."""
        return service if not self.access.address and self.settings.addresses.get(service) else "gateway"

    def channel_to(self, target: str, service: str) -> grpc.aio.Channel:
        """A channel to an address, where a service shows its certificate if there is TLS."""
        channel = self._channels.get((target, service))
        if channel is None:
            from llm_mesh_runtime.links.outbound import Outbound  # noqa: PLC0415 (gRPC is loaded once something is asked)
            from llm_mesh_runtime.links.remote import RemoteChannel  # noqa: PLC0415 (likewise)
            from llm_mesh_runtime.links.tls import Tls  # noqa: PLC0415 (likewise)

            sent = self._credential()
            tls = Tls.read(self.settings.certificate, self.settings.certificate_key or self.settings.certificate, self.settings.authority)
            channel = RemoteChannel(service, target, Outbound("", identity=lambda: sent), tls)
            self._channels[target, service] = channel
        return cast("grpc.aio.Channel", channel)  # generated stubs want no more than its four methods

    def key(self) -> Secret:
        """The key to ask with; empty where there is none."""
        from llm_mesh_runtime.secret import Secret  # noqa: PLC0415 (a small module, but only needed here)

        if self.access.key is not None:
            if not self.access.key.strip():
                raise EmptyKeyError("--key is empty: give a key, or leave the option out")
            return Secret(self.access.key)
        if self.settings.key:
            return self.settings.key
        return self.files.key(self.files.project_key if self._who == "project" else self.files.admin_key)

    async def caller(self) -> admission_pb2.Caller:
        """Who asks, as policy knows it."""
        from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc  # noqa: PLC0415 (many commands need not ask)

        stub = identity_pb2_grpc.IdentityServiceStub(self.channel("policy"))
        return (await stub.WhoAmI(identity_pb2.WhoAmIRequest(), timeout=10)).caller

    async def place(self, project: str | None = None) -> str:
        """The project that a command is about: the given one, or the caller's own."""
        if project is not None:
            return await self.existing(project_name(project if "/" in project else f"{await self.domain()}/projects/{project}"))
        caller = await self.caller()
        return caller.project if caller.project and caller.domain != _PLATFORM else DEFAULT_PROJECT

    async def whole(self) -> str:
        """Everything that a caller may see: all domains for the platform's own, else the caller's domain."""
        domain = (await self.caller()).domain
        return "domains/-" if domain == _PLATFORM else domain

    async def domain(self, domain: str | None = None) -> str:
        """The domain that a command is about: the given one, or the caller's own."""
        if domain is not None:
            return await self.existing(domain_name(domain))
        return (await self.place()).partition("/projects/")[0]

    async def existing(self, name: str) -> str:
        """The domain or project of that name; NOT_FOUND with the nearest names where there is none."""
        from llm_mesh_cli.existing import existing  # noqa: PLC0415 (only what names a place needs it)

        return await existing(self, name)

    async def close(self) -> None:
        """Close the connections."""
        for channel in self._channels.values():
            await channel.close()

    def _credential(self) -> tuple[tuple[str, str], ...]:
        if self._who == "nobody":
            return ()
        return (*self._authorization(), *self._reason())

    def _reason(self) -> tuple[tuple[str, str], ...]:
        """Why, as the audit trail records it: percent-encoded, since metadata is ASCII."""
        reason = self.access.reason
        return ((REASON, quote(reason, safe=_PRINTABLE)),) if reason else ()

    def _authorization(self) -> tuple[tuple[str, str], ...]:
        key = self.key()
        if not key:
            file = self.files.project_key if self._who == "project" else self.files.admin_key
            where = f"a mesh that `llm-mesh up` starts keeps one in {file} (--data-dir or LLM_MESH_DATA_DIR names another folder)"
            raise MissingKeyError(f"no key: give --key or set LLM_MESH_KEY; {where}")
        return (("authorization", f"Bearer {key.reveal()}"),)


def domain_name(text: str) -> str:
    """`claims`, `-` or `domains/claims` as a resource name."""
    return text if text.startswith("domains/") else f"domains/{text}"


def model_name(domain: str, text: str) -> str:
    """`x` is the domain's own, `shared/x` another domain's."""
    if text.startswith("domains/"):
        return text
    owner, slash, model = text.rpartition("/")
    return f"domains/{owner}/models/{model}" if slash else f"{domain}/models/{model}"


def subject_name(domain: str, text: str) -> str:
    """Whom a limit binds: what the domain owns may be named without it, `claims/triage` is a project, and empty is the domain."""
    if text.startswith(("projects/", "principals/")):
        return f"{domain}/{text}"
    kind, colon, model = text.partition(":")
    if not colon and text.count("/") == 1 and not text.startswith("domains/"):
        return project_name(text)
    return f"model:{model_name(domain, model)}" if (kind, colon) == ("model", ":") else text or domain


def project_name(text: str) -> str:
    """`triage` of the default domain, `claims/triage`, or a resource name, as a resource name."""
    if text.startswith("domains/"):
        return text
    domain, slash, project = text.rpartition("/")
    return f"domains/{domain}/projects/{project}" if slash else f"domains/default/projects/{text}"
