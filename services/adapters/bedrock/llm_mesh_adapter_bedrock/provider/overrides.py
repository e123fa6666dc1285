"""The setting `endpoints`: one text per endpoint, an address or a JSON object, that changes a row or adds one."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from llm_mesh_adapter_bedrock.provider.rows import CATALOGUE, GENERIC, ROWS, RUNTIME, Row
from llm_mesh_adapter_bedrock.settings import Settings
from llm_mesh_adapter_kit.added.bounds import EndpointSetting
from llm_mesh_adapter_kit.added.making import liked, made_added
from llm_mesh_adapter_kit.aws import AwsCredential, AwsSigner
from llm_mesh_adapter_kit.endpoints import Endpoint, EndpointTable
from llm_mesh_adapter_kit.transport.settings import transport_of
from llm_mesh_dialects.addresses import origins_of
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.fields import Fields
from llm_mesh_runtime.clock import Clock
from llm_mesh_runtime.secret import Secret

_REGION: Final = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
_OF_ADDRESS: Final = re.compile(r"\.([a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2})\.(?:amazonaws\.com|api\.aws)")
_KEYS: Final = frozenset({"guardrailIdentifier", "guardrailVersion", "trace", "streamProcessingMode"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What the dialect knows of an endpoint beside what the kit does."""

    catalogue: Endpoint | None = None
    """Where its models are listed. None: at the endpoint itself."""
    guardrail: Mapping[str, Any] | None = None
    """What all its requests are screened with."""


@dataclass(frozen=True, slots=True)
class BedrockEndpoints:
    """The endpoints, and what the dialect knows of each, by name."""

    table: EndpointTable
    facts: MutableMapping[str, Facts]


def configured(settings: Settings, clock: Clock | None = None) -> BedrockEndpoints:
    """The endpoints as the operator wants them. Raises `ValueError` where a setting is wrong; the message never has its value."""
    known = {row.name: row for row in ROWS}
    simulator = {"simulator-bedrock": f"http://{settings.simulator}"} if settings.simulator else {}
    texts = {**simulator, **settings.endpoints}
    endpoints: list[Endpoint] = []
    facts: dict[str, Facts] = {}
    for name in sorted(known.keys() | texts.keys()):
        text = texts.get(name, "").strip()
        try:
            fields = Fields(orjson.loads(text) if text.startswith("{") else {"base_url": text} if text else {})
            row = replace(known.get(name, GENERIC), name=name)
            endpoint, facts[name] = _endpoint(row, fields, settings, clock, added=name not in known)
            endpoints.append(endpoint)
        except (DialectError, orjson.JSONDecodeError) as error:
            raise ValueError(f"endpoints.{name}: {error if isinstance(error, DialectError) else 'expected an address or JSON'}") from None
    return BedrockEndpoints(EndpointTable(endpoints), facts)


def added(setting: EndpointSetting, settings: Settings, facts: MutableMapping[str, Facts]) -> Endpoint:
    """An endpoint that was added to the registry. Raises `ValueError`, which names the key.

    It signs for the region of its address: that of the endpoint is the mesh's word, such as `eu`.
    """
    none = Secret("")
    own = replace(
        settings, credentials=setting.credentials, bearer_token=none, access_key_id=none, secret_access_key=none, session_token=none
    )
    fields = Fields(orjson.loads(setting.text))
    liked(fields, [row.name for row in ROWS])
    words, url, local = fields.text("region") or "", fields.required_text("base_url"), bool(fields.truth("local"))
    address = _OF_ADDRESS.search(url)
    region = address[1] if address is not None else words if _REGION.fullmatch(words) else settings.region
    placed = Fields({**fields.rest(), "local": local, "region": region, "base_url": url})
    endpoint, facts[setting.name] = _endpoint(replace(GENERIC, name=setting.name), placed, own, None, added=True)
    return made_added(setting, replace(endpoint, region=words or endpoint.region))


def _endpoint(row: Row, fields: Fields, settings: Settings, clock: Clock | None, *, added: bool) -> tuple[Endpoint, Facts]:
    region = fields.text("region") or settings.region
    if not _REGION.fullmatch(region):
        raise fields.wrong("region", "expected a region of AWS, such as eu-central-1")
    address = fields.text("base_url") or row.base_url
    elsewhere = fields.text("catalogue_url") or (CATALOGUE if address == RUNTIME else "")
    own, named = fields.text("credential"), fields.texts("credentials")
    sign = fields.truth("sign")
    local = bool(fields.truth("local")) or (row.local and not added)
    signer = AwsSigner(
        row.name,
        region,
        _own(own, fields, settings) if own else _usual(row, settings, added=added, address=address),
        {name: _own(name, fields, settings) for name in named},
        required=row.required and not local if sign is None else sign,
        clock=clock,
    )
    endpoint = Endpoint(
        name=row.name,
        provider=fields.text("provider") or row.provider,
        base_url=address.replace("{region}", region),
        system="aws.bedrock",
        own_signer=signer,
        domains=tuple(fields.texts("domains")),
        local=local,
        region="" if local else region,
        allow=tuple(fields.texts("allow")),
        max_in_flight=fields.whole("max_in_flight", 1) or settings.max_in_flight,
        headers=_headers(fields),
        extras=frozenset(fields.texts("extras")),
        media=_origins(fields),
        transport=transport_of(fields, settings.credentials),
    )
    catalogue = replace(endpoint, name=f"{row.name}/catalogue", base_url=elsewhere.replace("{region}", region)) if elsewhere else None
    facts = Facts(catalogue, _guardrail(fields))
    if left := fields.rest():
        raise fields.wrong(next(iter(left)), "there is no such key")
    return endpoint, facts


def _usual(row: Row, settings: Settings, *, added: bool, address: str) -> AwsCredential:
    """The settings' credential: a row keeps it wherever its operator moves it; an endpoint that is added has it at Amazon alone."""
    if not row.has_key or (added and address != RUNTIME):
        return AwsCredential()
    return AwsCredential(settings.bearer_token, settings.access_key_id, settings.secret_access_key, settings.session_token)


def _own(name: str, fields: Fields, settings: Settings) -> AwsCredential:
    """A credential of the settings by its name: a bearer key, or the parts of access keys as JSON."""
    secret = settings.credentials.get(name)
    if secret is None:
        raise fields.wrong("credential", f"there is no credential {name}")
    text = secret.reveal().strip()
    if not text.startswith("{"):
        return AwsCredential(bearer=Secret(text))
    try:
        return _access_keys(Fields(orjson.loads(text)))
    except (DialectError, orjson.JSONDecodeError):
        expected = "expected a bearer key, or JSON with access_key_id, secret_access_key and, where it is temporary, session_token"
        raise fields.wrong("credential", f"credential {name}: {expected}") from None


def _access_keys(parts: Fields) -> AwsCredential:
    texts = [parts.text(name) or "" for name in ("bearer_token", "access_key_id", "secret_access_key", "session_token")]
    made = AwsCredential(*(Secret(text) for text in texts))
    if not made or parts.rest():
        raise parts.wrong("", "incomplete, or more than a credential")
    return made


def _headers(fields: Fields) -> dict[str, str]:
    headers = fields.inner("headers")
    return {} if headers is None else {name: headers.required_text(name) for name in headers.whole_object()}


def _guardrail(fields: Fields) -> Mapping[str, Any] | None:
    guardrail = fields.inner("guardrail")
    if guardrail is None:
        return None
    written = {key: guardrail.text(key) for key in _KEYS if guardrail.peek(key) is not None}
    if left := guardrail.rest():
        raise guardrail.wrong(next(iter(left)), "there is no such key")
    for key in ("guardrailIdentifier", "guardrailVersion"):
        guardrail.required_text(key)
    return {"trace": "enabled", **written}


def _origins(fields: Fields) -> frozenset[str]:
    try:
        return origins_of(fields.texts("media"))
    except ValueError as error:
        raise fields.wrong("media", str(error)) from None
