"""The setting `endpoints`: one text per endpoint, an address or a JSON object, that changes a row or adds one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, MutableMapping
from typing import Any

import orjson

from llm_mesh_adapter_kit.added.bounds import EndpointSetting
from llm_mesh_adapter_kit.added.making import made_added
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.signing import Auth
from llm_mesh_adapter_kit.transport.settings import transport_of
from llm_mesh_adapter_openai.provider.rows import GENERIC, METHODS, ROWS, OpenAIProvider
from llm_mesh_adapter_openai.provider.vertex import VertexAccount
from llm_mesh_dialects.addresses import origins_of
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai import OpenAIQuirks
from llm_mesh_dialects.openai.reranking import FORMS
from llm_mesh_runtime.secret import Secret


@dataclasses.dataclass(frozen=True, slots=True)
class Configured:
    """The rows as the operator wants them, and their endpoints."""

    rows: MutableMapping[str, OpenAIProvider]
    endpoints: tuple[Endpoint, ...]


def configured(
    settings: Mapping[str, str],
    keys: Mapping[str, Secret],
    credentials: Mapping[str, Secret],
    *,
    max_in_flight: int,
    vertex: VertexAccount | None = None,
) -> Configured:
    """The table. Raises `ValueError` where a setting is wrong; the message never has its value."""
    known = {row.name: row for row in ROWS}
    rows: dict[str, OpenAIProvider] = {}
    endpoints: list[Endpoint] = []
    for name in sorted(known.keys() | settings.keys()):
        text = settings.get(name, "").strip()
        try:
            fields = Fields(orjson.loads(text) if text.startswith("{") else {"base_url": text} if text else {})
            row = _row(name, fields, known)
            account = vertex if row.vertex else None
            if account is not None and not row.base_url:
                url, region = account.place(fields)
                row = dataclasses.replace(row, base_url=url, region=row.region or region)
            if row.base_url:
                endpoints.append(_endpoint(row, fields, keys, credentials, max_in_flight, account))
                rows[name] = row
            _check(fields, row, configured=bool(text))
        except DialectError as error:
            raise ValueError(f"endpoints.{name}: {error}") from None
        except orjson.JSONDecodeError:
            raise ValueError(f"endpoints.{name}: expected an address or a JSON object") from None
    return Configured(rows, tuple(endpoints))


def added(setting: EndpointSetting, rows: MutableMapping[str, OpenAIProvider], *, max_in_flight: int) -> Endpoint:
    """An endpoint that was added to the registry, and its row. Raises `ValueError`, which names the key."""
    known = {**{row.name: row for row in ROWS}, setting.name: GENERIC}
    fields = Fields(orjson.loads(setting.text))
    row = dataclasses.replace(_row(setting.name, fields, known), key="")
    made = made_added(setting, _endpoint(row, fields, {}, setting.credentials, max_in_flight))
    _check(fields, row, configured=True)
    rows[setting.name] = row
    return made


def _check(fields: Fields, row: OpenAIProvider, *, configured: bool) -> None:
    if configured and not row.base_url:
        raise fields.wrong("base_url", "required")
    if unknown := row.methods - METHODS:
        raise fields.wrong("methods", f"there is no method {min(unknown)}; expected of {', '.join(sorted(METHODS))}")
    if row.rerank and row.rerank not in FORMS:
        raise fields.wrong("rerank", f"expected one of {', '.join(FORMS)}")
    if left := fields.rest():
        raise fields.wrong(min(left), "there is no such key")


def _row(name: str, fields: Fields, known: Mapping[str, OpenAIProvider]) -> OpenAIProvider:
    like = fields.text("like")
    if like is not None and like not in known:
        raise fields.wrong("like", "expected the name of a known provider")
    base = known.get(like or name, GENERIC)
    local = fields.truth("local")
    return dataclasses.replace(
        base,
        name=name,
        provider=fields.text("provider") or base.provider,
        base_url=fields.text("base_url") or ("" if like else base.base_url),
        key="" if like else base.key,
        local=base.local if local is None else local,
        region=fields.text("region") or base.region,
        responses=tuple(fields.texts("responses")) if fields.peek("responses") is not None else base.responses,
        methods=frozenset(fields.texts("methods")) if fields.peek("methods") is not None else base.methods,
        rerank=base.rerank if (rerank := fields.text("rerank")) is None else rerank,
        api_version=fields.text("api_version") or base.api_version,
        quirks=_quirks(base.quirks, fields.inner("quirks")),
    )


def _quirks(base: OpenAIQuirks, fields: Fields | None) -> OpenAIQuirks:
    """Each quirk has the type that it has in the row."""
    if fields is None:
        return base
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(OpenAIQuirks):
        value = fields.peek(field.name)
        if value is None:
            continue
        if isinstance(getattr(base, field.name), frozenset):
            changes[field.name] = frozenset(fields.texts(field.name))
        elif isinstance(getattr(base, field.name), bool):
            changes[field.name] = fields.truth(field.name)
        elif isinstance(getattr(base, field.name), int):
            changes[field.name] = fields.whole(field.name, 0)
        else:
            changes[field.name] = fields.text(field.name)
    if left := fields.rest().keys() - changes.keys():
        raise fields.wrong(min(left), "there is no such quirk")
    return dataclasses.replace(base, **changes)


def _endpoint(
    row: OpenAIProvider,
    fields: Fields,
    keys: Mapping[str, Secret],
    credentials: Mapping[str, Secret],
    max_in_flight: int,
    vertex: VertexAccount | None = None,
) -> Endpoint:
    own = fields.text("credential")
    named = fields.texts("credentials")
    if unknown := [name for name in (*named, *([own] if own else [])) if name not in credentials]:
        raise fields.wrong("credential", f"there is no credential {unknown[0]}")
    headers = fields.inner("headers")
    allow, transport = tuple(fields.texts("allow")), transport_of(fields, credentials)
    file = vertex.file(fields) if vertex is not None and not own else ""
    signer = None
    if vertex is not None and file:
        signer = vertex.issuers.signer(row.name, file, {}, local=row.local, allow=allow, transport=transport)
    return Endpoint(
        name=row.name,
        provider=row.provider,
        base_url=row.base_url.replace("{region}", row.region),
        system=row.system,
        own_signer=signer,
        auth=row.auth if fields.text("auth") != "required" else Auth(header=row.auth.header, scheme=row.auth.scheme),
        credential=credentials[own] if own else keys.get(row.key, Secret("")),
        credentials={name: credentials[name] for name in named},
        domains=tuple(fields.texts("domains")),
        local=row.local,
        region=row.region,
        allow=allow,
        max_in_flight=fields.whole("max_in_flight", 1) or max_in_flight,
        headers={name: headers.required_text(name) for name in headers.whole_object()} if headers is not None else {},
        extras=frozenset(fields.texts("extras")),
        media=_origins(fields),
        transport=transport,
    )


def _origins(fields: Fields) -> frozenset[str]:
    try:
        return origins_of(fields.texts("media"))
    except ValueError as error:
        raise fields.wrong("media", str(error)) from None
