"""The setting `endpoints`: one text per endpoint, an address or a JSON object, that changes a row or adds one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import orjson

from llm_mesh_adapter_anthropic.provider.rows import GENERIC, ROWS, AnthropicProvider
from llm_mesh_adapter_anthropic.provider.vertex import PUBLISHER
from llm_mesh_adapter_anthropic.settings import Settings
from llm_mesh_adapter_kit.added.bounds import EndpointSetting
from llm_mesh_adapter_kit.added.making import liked, made_added
from llm_mesh_adapter_kit.aws import AwsCredential, AwsSigner
from llm_mesh_adapter_kit.endpoints import Endpoint, EndpointTable
from llm_mesh_adapter_kit.google_accounts import Issuers, project_of
from llm_mesh_adapter_kit.google_places import region_of, vertex_url
from llm_mesh_adapter_kit.signing import Auth
from llm_mesh_adapter_kit.transport.settings import transport_of
from llm_mesh_dialects.addresses import origins_of
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.fields import Fields
from llm_mesh_runtime.secret import Secret


def configured(settings: Settings, issuers: Issuers) -> EndpointTable:
    """The endpoints as the operator wants them. Raises `ValueError` where a setting is wrong; the message never has its value."""
    known = {row.name: row for row in ROWS}
    simulator = {"simulator-anthropic": f"http://{settings.simulator}"} if settings.simulator else {}
    texts = {**simulator, **settings.endpoints}
    endpoints: list[Endpoint] = []
    for name in sorted(known.keys() | texts.keys()):
        text = texts.get(name, "").strip()
        try:
            fields = Fields(orjson.loads(text) if text.startswith("{") else {"base_url": text} if text else {})
            endpoints.append(_endpoint(_row(name, fields, known, settings), fields, settings, issuers))
        except (DialectError, orjson.JSONDecodeError) as error:
            raise ValueError(f"endpoints.{name}: {error if isinstance(error, DialectError) else 'expected an address or JSON'}") from None
    return EndpointTable(endpoints)


def added(setting: EndpointSetting, settings: Settings, issuers: Issuers) -> Endpoint:
    """An endpoint that was added to the registry. Raises `ValueError`, which names the key."""
    own = dataclasses.replace(settings, credentials=setting.credentials, credentials_file="")
    known = {row.name: row for row in ROWS}
    fields = Fields(orjson.loads(setting.text))
    like = known.get(liked(fields, known), GENERIC)
    if like.bedrock or like.vertex:  # it would sign with what the operator keeps for endpoints of the settings
        raise fields.wrong("like", "such a provider is reached by the operator's settings only")
    base = dataclasses.replace(GENERIC, auth=dataclasses.replace(like.auth, required=False), system=like.system)
    return made_added(setting, _endpoint(_row(setting.name, fields, {setting.name: base}, own), fields, own, issuers))


def _row(name: str, fields: Fields, known: Mapping[str, AnthropicProvider], settings: Settings) -> AnthropicProvider:
    base = known.get(name, GENERIC)
    url, region = fields.text("base_url") or base.base_url, fields.text("region") or base.region
    if base.vertex and not url:
        url, place = _at_vertex(fields, settings)
        region = region or place
    if not url:
        raise fields.wrong("base_url", "required: expected an address")
    local = fields.truth("local")
    return dataclasses.replace(
        base,
        name=name,
        provider=fields.text("provider") or base.provider,
        base_url=url,
        local=base.local if local is None else local,
        bedrock=base.bedrock if (bedrock := fields.truth("bedrock")) is None else bedrock,
        region=region,
        auth=_auth(base.auth, fields),
    )


def _at_vertex(fields: Fields, settings: Settings) -> tuple[str, str]:
    """The address at Vertex, and the mesh's region of it."""
    file, location = fields.text("credentials_file") or settings.credentials_file, fields.text("location") or settings.location
    project = fields.text("project") or settings.project or (project_of(file) if file else "")
    try:
        return vertex_url(project, location, "v1") + PUBLISHER, region_of(location)
    except ValueError as error:
        raise fields.wrong("project", str(error)) from None


def _auth(base: Auth, fields: Fields) -> Auth:
    word = fields.text("auth")
    if word not in {None, "x-api-key", "bearer"}:
        raise fields.wrong("auth", "expected x-api-key or bearer")
    if word is None:
        return base
    return Auth() if word == "bearer" else Auth(header="x-api-key", scheme="")


def _endpoint(row: AnthropicProvider, fields: Fields, settings: Settings, issuers: Issuers) -> Endpoint:
    own, named = fields.text("credential"), fields.texts("credentials")
    if unknown := [name for name in (*named, *([own] if own else [])) if name not in settings.credentials]:
        raise fields.wrong("credential", f"there is no credential {unknown[0]}")
    key: Secret = getattr(settings, row.key) if row.key else Secret("")
    headers = fields.inner("headers")
    more = {name: headers.required_text(name) for name in headers.whole_object()} if headers is not None else {}
    region = row.region or (settings.aws_region if "{region}" in row.base_url else "")
    file = fields.text("credentials_file") or ("" if own or not row.vertex else settings.credentials_file)
    allow = tuple(fields.texts("allow"))
    aws = _signer(row, region, settings, own, named) if row.bedrock else None
    transport = transport_of(fields, settings.credentials)
    tokens = issuers.signer(row.name, file, {}, local=row.local, allow=allow, transport=transport) if file else None
    made = Endpoint(
        name=row.name,
        provider=row.provider,
        base_url=row.base_url.replace("{region}", region),
        own_signer=aws or tokens,
        system=row.system,
        auth=row.auth,
        credential=settings.credentials[own] if own else key,
        credentials={name: settings.credentials[name] for name in named},
        domains=tuple(fields.texts("domains")),
        local=row.local,
        region=region,
        allow=allow,
        max_in_flight=fields.whole("max_in_flight", 1) or settings.max_in_flight,
        headers={"anthropic-version": settings.version, **more},
        extras=frozenset(fields.texts("extras")),
        media=_origins(fields),
        transport=transport,
    )
    for of_row in ("project", "location"):
        fields.raw(of_row)
    if left := fields.rest():
        raise fields.wrong(next(iter(left)), "there is no such key")
    return made


def _signer(row: AnthropicProvider, region: str, settings: Settings, own: str | None, named: list[str]) -> AwsSigner:
    """A named credential is a bearer key; access keys are those of the settings."""
    usual = AwsCredential(settings.aws_bearer_token, settings.aws_access_key_id, settings.aws_secret_access_key, settings.aws_session_token)
    credential = AwsCredential(bearer=settings.credentials[own]) if own else usual
    others = {name: AwsCredential(bearer=settings.credentials[name]) for name in named}
    return AwsSigner(row.name, region or settings.aws_region, credential, others, required=not row.local)


def _origins(fields: Fields) -> frozenset[str]:
    try:
        return origins_of(fields.texts("media"))
    except ValueError as error:
        raise fields.wrong("media", str(error)) from None
