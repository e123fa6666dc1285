"""The setting `endpoints`: one text per endpoint, an address or a JSON object, that changes a row or adds one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final

import orjson

from llm_mesh_adapter_kit.added.bounds import EndpointSetting
from llm_mesh_adapter_kit.added.making import liked, made_added
from llm_mesh_adapter_kit.endpoints import Endpoint, EndpointTable
from llm_mesh_adapter_kit.signing import Auth
from llm_mesh_adapter_kit.transport.settings import transport_of
from llm_mesh_adapter_ollama.provider.hosts import PRIVATE, host_of
from llm_mesh_adapter_ollama.provider.rows import GENERIC, LOCAL, ROWS, OllamaProvider
from llm_mesh_adapter_ollama.settings import Settings
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.fields import Fields
from llm_mesh_runtime.secret import Secret

_SYSTEM: Final = "ollama"


def configured(settings: Settings) -> EndpointTable:
    """The endpoints as the operator wants them. Raises `ValueError` where a setting is wrong; the message never has its value."""
    known = {row.name: row for row in ROWS}
    simulator = {"simulator-ollama": f"http://{settings.simulator}"} if settings.simulator else {}
    texts = {**_host(settings.host), **simulator, **settings.endpoints}
    endpoints = []
    for name in sorted(known.keys() | texts.keys()):
        text = texts.get(name, "").strip()
        try:
            fields = Fields(orjson.loads(text) if text.startswith("{") else {"base_url": text} if text else {})
            endpoints.append(_endpoint(_row(name, fields, known), fields, settings))
        except (DialectError, orjson.JSONDecodeError) as error:
            raise ValueError(f"endpoints.{name}: {error if isinstance(error, DialectError) else 'expected an address or JSON'}") from None
    return EndpointTable(endpoints)


def _host(text: str) -> dict[str, str]:
    """The endpoint of the server that the operator's environment names."""
    if not text.strip():
        return {}
    host = host_of(text)
    allow = [] if host.local else list(PRIVATE)
    return {LOCAL.name: orjson.dumps({"base_url": host.base_url, "local": host.local, "allow": allow}).decode()}


def added(setting: EndpointSetting, settings: Settings) -> Endpoint:
    """An endpoint that was added to the registry. Raises `ValueError`, which names the key."""
    fields = Fields(orjson.loads(setting.text))
    liked(fields, [row.name for row in ROWS])  # they differ in address and credential alone
    own = dataclasses.replace(settings, credentials=setting.credentials)
    return made_added(setting, _endpoint(_row(setting.name, fields, {}), fields, own))


def _row(name: str, fields: Fields, known: Mapping[str, OllamaProvider]) -> OllamaProvider:
    base = known.get(name, GENERIC)
    url = fields.text("base_url") or base.base_url
    if not url:
        raise fields.wrong("base_url", "required: expected an address")
    local = fields.truth("local")
    provider = fields.text("provider") or base.provider
    return dataclasses.replace(base, name=name, provider=provider, base_url=url, local=base.local if local is None else local)


def _endpoint(row: OllamaProvider, fields: Fields, settings: Settings) -> Endpoint:
    own, named = fields.text("credential"), fields.texts("credentials")
    if unknown := [name for name in (*named, *([own] if own else [])) if name not in settings.credentials]:
        raise fields.wrong("credential", f"there is no credential {unknown[0]}")
    key: Secret = getattr(settings, row.key) if row.key else Secret("")
    headers = fields.inner("headers")
    made = Endpoint(
        name=row.name,
        provider=row.provider,
        base_url=row.base_url,
        system=_SYSTEM,
        auth=Auth(required=row.needs_key or own is not None),
        credential=settings.credentials[own] if own else key,
        credentials={name: settings.credentials[name] for name in named},
        domains=tuple(fields.texts("domains")),
        local=row.local,
        region=fields.text("region") or "",
        allow=tuple(fields.texts("allow")),
        max_in_flight=fields.whole("max_in_flight", 1) or settings.max_in_flight,
        headers={name: headers.required_text(name) for name in headers.whole_object()} if headers is not None else {},
        extras=frozenset(fields.texts("extras")),
        transport=transport_of(fields, settings.credentials),
    )
    if left := fields.rest():
        raise fields.wrong(next(iter(left)), "there is no such key")
    return made
