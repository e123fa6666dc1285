"""The setting `endpoints`: one text per other mesh, an address or a JSON object."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from urllib.parse import urlsplit

import orjson

from llm_mesh_adapter_kit.added.bounds import EndpointSetting
from llm_mesh_adapter_kit.added.making import made_added
from llm_mesh_adapter_kit.endpoints import Endpoint, EndpointTable
from llm_mesh_adapter_kit.signing import Auth
from llm_mesh_adapter_kit.transport.settings import transport_of
from llm_mesh_adapter_mesh.settings import Settings
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.fields import Fields
from llm_mesh_runtime.secret import Secret

_SYSTEM = "llm-mesh"
_PROJECT = "x-llm-mesh-project"


def configured(settings: Settings) -> EndpointTable:
    """The endpoints as the operator wants them. Raises `ValueError` where a setting is wrong; the message never has its value."""
    endpoints = []
    for name, setting in sorted(settings.endpoints.items()):
        text = setting.strip()
        try:
            fields = Fields(orjson.loads(text) if text.startswith("{") else {"base_url": text})
            endpoints.append(_endpoint(name, fields, settings.credentials, settings.max_in_flight))
        except (DialectError, orjson.JSONDecodeError) as error:
            raise ValueError(f"endpoints.{name}: {error if isinstance(error, DialectError) else 'expected an address or JSON'}") from None
    return EndpointTable(endpoints)


def added(setting: EndpointSetting, *, max_in_flight: int) -> Endpoint:
    """An endpoint that was added to the registry. Raises `ValueError`, which names the key."""
    try:
        made = _endpoint(setting.name, Fields(orjson.loads(setting.text)), setting.credentials, max_in_flight)
    except DialectError as error:
        raise ValueError(str(error)) from None
    return made_added(setting, made)


def _endpoint(name: str, fields: Fields, credentials: Mapping[str, Secret], max_in_flight: int) -> Endpoint:
    own, named = fields.text("credential"), fields.texts("credentials")
    if unknown := [each for each in (*named, *([own] if own else [])) if each not in credentials]:
        raise fields.wrong("credential", f"there is no credential {unknown[0]}")
    project = fields.text("project")
    transport = dataclasses.replace(transport_of(fields, credentials), server_name=fields.text("server_name") or "", grpc=True)
    base_url = fields.required_text("base_url")
    if urlsplit(base_url).path:
        raise fields.wrong("base_url", "expected an address without a path, such as https://mesh.claims.example:50051")
    made = Endpoint(
        name=name,
        provider=fields.text("provider") or "LLM Mesh",
        base_url=base_url,
        system=_SYSTEM,
        auth=Auth(required=own is not None),
        credential=credentials[own] if own else Secret(""),
        credentials={each: credentials[each] for each in named},
        domains=tuple(fields.texts("domains")),
        local=fields.truth("local") or False,
        region=fields.text("region") or "",
        allow=tuple(fields.texts("allow")),
        max_in_flight=fields.whole("max_in_flight", 1) or max_in_flight,
        headers={_PROJECT: project} if project else {},
        transport=transport,
    )
    if not (own or named or transport.client_certificate):
        raise fields.wrong("credential", "required: a key of the other mesh, or a client_certificate")
    if left := fields.rest():
        raise fields.wrong(min(left), "there is no such key")
    return made
