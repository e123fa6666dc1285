"""Places where providers answer, as operator settings give them. A credential belongs to one of them, and to its origin."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from urllib.parse import urlsplit

from llm_mesh_adapter_kit.addresses import AddressRule
from llm_mesh_adapter_kit.errors import no_credential, unknown_endpoint
from llm_mesh_adapter_kit.redaction import GrowingRedaction, Redaction
from llm_mesh_adapter_kit.signing import Auth, Signer, StaticHeader
from llm_mesh_adapter_kit.transport.settings import TransportSettings
from llm_mesh_runtime.secret import Secret

MAX_IN_FLIGHT = 384
_AUTHENTICATES = re.compile(r"auth|key|token|secret|cookie|password", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where one provider answers, and how the adapter reaches and authenticates to it. Never changed."""

    name: str
    provider: str
    """For people."""
    base_url: str
    system: str = ""
    """The provider in telemetry, as the GenAI conventions call it. Empty: the name."""
    auth: Auth = field(default_factory=Auth)
    credential: Secret = field(default_factory=Secret)
    credentials: Mapping[str, Secret] = field(default_factory=dict)
    """Further credentials, by the name under which an attempt asks for them."""
    own_signer: Signer | None = field(default=None, repr=False, compare=False)
    """Puts credentials on its requests in the place of `auth`, `credential` and `credentials`."""
    domains: tuple[str, ...] = ()
    """Domains that may use the endpoint's credentials. Empty: all."""
    local: bool = False
    region: str = ""
    allow: tuple[str, ...] = ()
    """Address ranges beside the usual ones."""
    max_in_flight: int = MAX_IN_FLIGHT
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with every call."""
    extras: frozenset[str] = frozenset()
    """Keys of the dialect that go on although they are not known to be harmless, by their names in docs/extras.md."""
    media: frozenset[str] = frozenset()
    """Origins that media may come from beside public https addresses."""
    transport: TransportSettings = field(default_factory=TransportSettings)
    """Proxy, HTTP/2, client certificate, own authorities."""
    added: bool = False
    """It was added to the registry, and may be another one at any time."""
    host: str = field(init=False)
    """The host of the origin."""
    origin: str = field(init=False)
    """Where its credentials may go."""
    signer: Signer = field(init=False, repr=False, compare=False)
    """Puts credentials on its requests."""
    redaction: Redaction = field(init=False, repr=False, compare=False)
    """Takes its credentials out of what it says."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        object.__setattr__(self, "host", parts.hostname or "")
        object.__setattr__(self, "origin", f"{parts.scheme}://{parts.netloc}")
        signer = self.own_signer or StaticHeader(self.name, self.auth, self.credential, self.credentials)
        object.__setattr__(self, "signer", signer)
        object.__setattr__(self, "redaction", (GrowingRedaction if self.own_signer else Redaction)(self._secrets()))
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"endpoint {self.name}: base_url must be an http or https address")
        if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
            raise ValueError(f"endpoint {self.name}: base_url must have no user, query or fragment")
        self._check_ranges()
        try:
            self.transport.check(parts.scheme, local=self.local)
        except ValueError as error:
            raise ValueError(f"endpoint {self.name}: {error}") from None
        if parts.scheme == "http" and not self.local and not self.allow:
            raise ValueError(f"endpoint {self.name}: base_url must be https, unless it is local or its address range is allowed")

    def _secrets(self) -> Iterator[str]:
        """Everything that authenticates, the operator's own headers included."""
        yield from self.signer.secrets
        if self.transport.proxy_credential:
            yield self.transport.proxy_credential.reveal()
            yield self.transport.proxy_credential.reveal().partition(":")[2]
        yield from (value for name, value in self.headers.items() if _AUTHENTICATES.search(name))

    def _check_ranges(self) -> None:
        """The operator's ranges, checked before the first call needs them."""
        for each in self.allow:
            try:
                ip_network(each, strict=False)
            except ValueError:
                raise ValueError(f"endpoint {self.name}: allow must be address ranges such as 10.1.2.0/24") from None

    def url(self, path: str, *, at_origin: bool = False) -> str:
        """The address of a path below the base address, or below the origin."""
        return (self.origin if at_origin else self.base_url.rstrip("/")) + path

    @property
    def rule(self) -> AddressRule:
        """Where it may lead."""
        return AddressRule(local=self.local, extra=self.allow)

    @property
    def usable(self) -> bool:
        """Whether there is a credential, or none is needed."""
        return self.signer.usable

    @property
    def own_user(self) -> str:
        """The domain as which the mesh itself uses it: one that may."""
        return self.domains[0] if self.domains else ""

    def serves(self, domain: str) -> bool:
        """Whether there is a credential, or none is needed, and the domain may use it."""
        return self.usable and (not self.domains or domain in self.domains)

    def check_domain(self, domain: str) -> None:
        """Raises where a domain may not use the endpoint's credentials."""
        if self.domains and domain not in self.domains:
            raise no_credential(self.name, "the domain may not use its credential")


class EndpointTable:
    """All endpoints of an adapter, by name: those of the operator's settings, and those that were added to the registry."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._configured = {endpoint.name: endpoint for endpoint in endpoints}
        self._all = self._configured
        self._sort()
        self.faults: Mapping[str, str] = {}
        """Why an endpoint that was added is not used, by its name."""
        self.changed: Callable[[Iterable[str]], None] = _nobody
        """Is told the names of endpoints that are others now, or gone."""

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._all.values())

    def of(self, name: str) -> Endpoint:
        """The endpoint of a name."""
        endpoint = self._all.get(name)
        if endpoint is None:
            raise unknown_endpoint(name, self.faults.get(name, ""))
        return endpoint

    def is_configured(self, name: str) -> bool:
        """Whether it stands in the operator's settings."""
        return name in self._configured

    def replace_added(self, endpoints: Iterable[Endpoint], faults: Mapping[str, str]) -> None:
        """These are added now. One that did not change stays the same object, with its connections; calls under way keep theirs."""
        added = {each.name: known if (known := self._all.get(each.name)) == each else each for each in endpoints}
        before, self._all = self._all, {**added, **self._configured}
        self._sort()
        self.faults = faults
        names = [name for name in before.keys() | added.keys() if before.get(name) is not self._all.get(name)]
        if names:
            self.changed(names)

    def _sort(self) -> None:
        self._all = dict(sorted(self._all.items()))


def _nobody(names: Iterable[str]) -> None:
    del names
