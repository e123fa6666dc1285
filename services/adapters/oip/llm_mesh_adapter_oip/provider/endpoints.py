"""The setting `endpoints`: one text per endpoint, an address or a JSON object."""

from __future__ import annotations

import dataclasses
from typing import Final

import orjson

from llm_mesh_adapter_kit.added.bounds import EndpointSetting
from llm_mesh_adapter_kit.added.making import made_added
from llm_mesh_adapter_kit.endpoints import Endpoint, EndpointTable
from llm_mesh_adapter_kit.rpc.settings import rpc_transport
from llm_mesh_adapter_kit.signing import Auth
from llm_mesh_adapter_kit.transport.settings import transport_of
from llm_mesh_adapter_oip.provider.options import MOST_TEXTS, NUMBERS, QUERIES, TEXTS, EmbedTensors, OipEndpoint, OipOptions, RerankTensors
from llm_mesh_adapter_oip.settings import Settings
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.fields import Fields
from llm_mesh_runtime.secret import Secret

_SYSTEM: Final = "oip"
_PROVIDER: Final = "Open Inference Protocol"
_EMBED: Final = EmbedTensors()
_RERANK: Final = RerankTensors()


def configured(settings: Settings) -> EndpointTable:
    """The endpoints as the operator wants them. Raises `ValueError` where a setting is wrong; the message never has its value."""
    endpoints = []
    for name, text in sorted(settings.endpoints.items()):
        try:
            fields = Fields(orjson.loads(text) if text.lstrip().startswith("{") else {"base_url": text.strip()})
            endpoints.append(_endpoint(name, fields, settings))
        except (DialectError, orjson.JSONDecodeError) as error:
            raise ValueError(f"endpoints.{name}: {error if isinstance(error, DialectError) else 'expected an address or JSON'}") from None
    return EndpointTable(endpoints)


def added(setting: EndpointSetting, settings: Settings) -> Endpoint:
    """An endpoint that was added to the registry, with its own credential. Raises `ValueError`, which names the key."""
    own = dataclasses.replace(settings, key=Secret(""), credentials=setting.credentials)
    return made_added(setting, _endpoint(setting.name, Fields(orjson.loads(setting.text)), own))


def _options(fields: Fields) -> OipOptions:
    embed, rerank = fields.inner("embed"), fields.inner("rerank")
    return OipOptions(
        models=tuple(fields.texts("models")),
        raw=fields.truth("raw") is not False,
        embed=_EMBED if embed is None else _embed(embed),
        rerank=_RERANK if rerank is None else _rerank(rerank),
    )


def _embed(fields: Fields) -> EmbedTensors:
    made = EmbedTensors(
        input=fields.text("input") or _EMBED.input,
        shape=_one_of(fields, "shape", TEXTS) or _EMBED.shape,
        output=fields.text("output") or _EMBED.output,
        datatype=_one_of(fields, "datatype", NUMBERS),
        batch=fields.whole("batch", 1, MOST_TEXTS) or _EMBED.batch,
    )
    _complete(fields)
    return made


def _rerank(fields: Fields) -> RerankTensors:
    made = RerankTensors(
        query=fields.text("query") or _RERANK.query,
        query_shape=_one_of(fields, "query_shape", QUERIES) or _RERANK.query_shape,
        documents=fields.text("documents") or _RERANK.documents,
        documents_shape=_one_of(fields, "documents_shape", TEXTS) or _RERANK.documents_shape,
        output=fields.text("output") or _RERANK.output,
        datatype=_one_of(fields, "datatype", NUMBERS),
        batch=fields.whole("batch", 1, MOST_TEXTS) or _RERANK.batch,
    )
    if made.query == made.documents:
        raise fields.wrong("documents", "expected another name than that of the query")
    _complete(fields)
    return made


def _one_of(fields: Fields, key: str, values: tuple[str, ...]) -> str:
    value = fields.text(key) or ""
    if value and value not in values:
        raise fields.wrong(key, f"expected one of {' '.join(values)}")
    return value


def _complete(fields: Fields) -> None:
    if left := fields.rest():
        raise fields.wrong(next(iter(left)), "there is no such key")


def _endpoint(name: str, fields: Fields, settings: Settings) -> Endpoint:
    own, named = fields.text("credential"), fields.texts("credentials")
    if unknown := [each for each in (*named, *([own] if own else [])) if each not in settings.credentials]:
        raise fields.wrong("credential", f"there is no credential {unknown[0]}")
    headers = fields.inner("headers")
    made = OipEndpoint(
        name=name,
        provider=fields.text("provider") or _PROVIDER,
        base_url=fields.required_text("base_url"),
        system=_SYSTEM,
        auth=Auth(required=own is not None),
        credential=settings.credentials[own] if own else settings.key,
        credentials={each: settings.credentials[each] for each in named},
        domains=tuple(fields.texts("domains")),
        local=bool(fields.truth("local")),
        region=fields.text("region") or "",
        allow=tuple(fields.texts("allow")),
        max_in_flight=fields.whole("max_in_flight", 1) or settings.max_in_flight,
        headers={each: headers.required_text(each) for each in headers.whole_object()} if headers is not None else {},
        options=_options(fields),
        transport=rpc_transport(transport_of(fields, settings.credentials)),
    )
    _complete(fields)
    return made
