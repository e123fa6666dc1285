"""The setting `endpoints`: one text per endpoint, an address or a JSON object, that changes a row or adds one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

import orjson

from llm_mesh_adapter_gemini.provider.rows import BEARER, GENERIC, KEY, ROWS, VERSION, Api, GeminiProvider
from llm_mesh_adapter_gemini.settings import Settings
from llm_mesh_adapter_kit.added.bounds import EndpointSetting
from llm_mesh_adapter_kit.added.making import liked, made_added
from llm_mesh_adapter_kit.endpoints import Endpoint, EndpointTable
from llm_mesh_adapter_kit.google_accounts import Issuers, project_of
from llm_mesh_adapter_kit.google_places import region_of, vertex_url
from llm_mesh_adapter_kit.signing import Auth
from llm_mesh_adapter_kit.tokens import TokenSigner
from llm_mesh_adapter_kit.transport.settings import transport_of
from llm_mesh_dialects.addresses import origins_of
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.fields import Fields
from llm_mesh_runtime.secret import Secret

_APIS: Mapping[str, Api] = {"gemini": "gemini", "vertex": "vertex"}
_AUTHS: Mapping[str, Auth] = {"x-goog-api-key": KEY, "bearer": BEARER}


@dataclass(frozen=True, slots=True)
class ConfiguredEndpoints:
    """The endpoints as the operator wants them, and which API each of them has."""

    table: EndpointTable
    apis: MutableMapping[str, Api]
    signers: tuple[TokenSigner, ...]
    """Those that have renewals to give up at the end."""


def configured(settings: Settings, issuers: Issuers) -> ConfiguredEndpoints:
    """Raises `ValueError` where a setting is wrong; the message never has its value."""
    known = {row.name: row for row in ROWS}
    simulator = {"simulator-gemini": f"http://{settings.simulator}/v1"} if settings.simulator else {}
    texts = {**simulator, **settings.endpoints}
    endpoints: list[Endpoint] = []
    apis: dict[str, Api] = {}
    for name in sorted(known.keys() | texts.keys()):
        text = texts.get(name, "").strip()
        try:
            fields = Fields(orjson.loads(text) if text.startswith("{") else {"base_url": text} if text else {})
            row = _row(name, fields, known, settings)
            endpoints.append(_endpoint(row, fields, settings, issuers))
            apis[name] = row.api
        except (DialectError, orjson.JSONDecodeError) as error:
            raise ValueError(f"endpoints.{name}: {error if isinstance(error, DialectError) else 'expected an address or JSON'}") from None
    signers = tuple(endpoint.signer for endpoint in endpoints if isinstance(endpoint.signer, TokenSigner))
    return ConfiguredEndpoints(EndpointTable(endpoints), apis, signers)


def added(setting: EndpointSetting, settings: Settings, issuers: Issuers, apis: MutableMapping[str, Api]) -> Endpoint:
    """An endpoint that was added to the registry, and which API it has. Raises `ValueError`, which names the key."""
    own = dataclasses.replace(settings, credentials=setting.credentials, credentials_file="", vertex_key=Secret(""), gemini_key=Secret(""))
    known = {row.name: row for row in ROWS}
    fields = Fields(orjson.loads(setting.text))
    like = known.get(liked(fields, known), GENERIC)
    base = dataclasses.replace(GENERIC, api=like.api, auth=like.auth, system=like.system)
    row = _row(setting.name, fields, {setting.name: base}, own)
    made = made_added(setting, _endpoint(row, fields, own, issuers))
    apis[setting.name] = row.api
    return made


def _row(name: str, fields: Fields, known: Mapping[str, GeminiProvider], settings: Settings) -> GeminiProvider:
    base = known.get(name, GENERIC)
    api = _APIS.get(fields.text("api") or base.api)
    if api is None:
        raise fields.wrong("api", "expected gemini or vertex")
    url, region = fields.text("base_url") or base.base_url, fields.text("region") or base.region
    if api == "vertex" and not url:
        location = fields.text("location") or settings.location
        file = "" if settings.vertex_key else fields.text("credentials_file") or settings.credentials_file
        project = fields.text("project") or settings.project or (project_of(file) if file else "")
        try:
            url = vertex_url(project, location, VERSION)
        except ValueError as error:
            raise fields.wrong("project", str(error)) from None
        region = region or region_of(location)
    if not url:
        raise fields.wrong("base_url", "required: expected an address")
    local = fields.truth("local")
    return dataclasses.replace(
        base,
        name=name,
        provider=fields.text("provider") or base.provider,
        api=api,
        base_url=url,
        auth=_auth(base.auth, fields),
        local=base.local if local is None else local,
        region=region,
    )


def _auth(base: Auth, fields: Fields) -> Auth:
    word = fields.text("auth")
    if word is None:
        return base
    if word not in _AUTHS:
        raise fields.wrong("auth", "expected x-goog-api-key or bearer")
    return _AUTHS[word]


def _endpoint(row: GeminiProvider, fields: Fields, settings: Settings, issuers: Issuers) -> Endpoint:
    own, named = fields.text("credential"), fields.texts("credentials")
    if unknown := [name for name in (*named, *([own] if own else [])) if name not in settings.credentials]:
        raise fields.wrong("credential", f"there is no credential {unknown[0]}")
    key: Secret = getattr(settings, row.key) if row.key else Secret("")
    allow = tuple(fields.texts("allow"))
    files = fields.inner("credentials_files")
    named_files = {name: files.required_text(name) for name in files.whole_object()} if files is not None else {}
    file = fields.text("credentials_file") or ("" if own or key or row.api != "vertex" else settings.credentials_file)
    if named_files and not file:
        raise fields.wrong("credentials_files", "expected credentials_file beside it: an endpoint has keys, or tokens")
    headers = fields.inner("headers")
    more = {name: headers.required_text(name) for name in headers.whole_object()} if headers is not None else {}
    if quota := fields.text("quota_project"):
        more["x-goog-user-project"] = quota
    transport = transport_of(fields, settings.credentials)
    made = Endpoint(
        name=row.name,
        provider=row.provider,
        base_url=row.base_url,
        system=row.system,
        auth=row.auth,
        credential=settings.credentials[own] if own else key,
        credentials={name: settings.credentials[name] for name in named},
        own_signer=issuers.signer(row.name, file, named_files, local=row.local, allow=allow, transport=transport) if file else None,
        domains=tuple(fields.texts("domains")),
        local=row.local,
        region=row.region,
        allow=allow,
        max_in_flight=fields.whole("max_in_flight", 1) or settings.max_in_flight,
        headers=more,
        extras=frozenset(fields.texts("extras")),
        media=_origins(fields),
        transport=transport,
    )
    fields.raw("project")
    fields.raw("location")
    if left := fields.rest():
        raise fields.wrong(next(iter(left)), "there is no such key")
    return made


def _origins(fields: Fields) -> frozenset[str]:
    try:
        return origins_of(fields.texts("media"))
    except ValueError as error:
        raise fields.wrong("media", str(error)) from None
