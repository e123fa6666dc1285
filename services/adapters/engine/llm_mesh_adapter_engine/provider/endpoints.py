"""The setting `endpoints`: one text per endpoint, an address or a JSON object."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final

import orjson

from llm_mesh_adapter_engine.provider.options import ENGINES, REASONING_PARSERS, TOOL_PARSERS, VLLM, EngineEndpoint, EngineOptions
from llm_mesh_adapter_engine.settings import Settings
from llm_mesh_adapter_kit.added.bounds import EndpointSetting
from llm_mesh_adapter_kit.added.making import made_added
from llm_mesh_adapter_kit.endpoints import Endpoint, EndpointTable
from llm_mesh_adapter_kit.rpc.settings import rpc_transport
from llm_mesh_adapter_kit.signing import Auth
from llm_mesh_adapter_kit.transport.settings import transport_of
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.fields import Fields
from llm_mesh_runtime.secret import Secret

EXTRA: Final = "llm-mesh-adapter-engine[engines]"
_NEEDS: Final = ("jinja2", "smg_grpc_proto", "tokenizers")
_NAMES: Final[Mapping[str, str]] = {"vllm": "vLLM", "sglang": "SGLang"}


def configured(settings: Settings) -> EndpointTable:
    """The endpoints as the operator wants them. Raises `ValueError` where a setting is wrong; the message never has its value."""
    endpoints = []
    for name, text in sorted(settings.endpoints.items()):
        try:
            fields = Fields(orjson.loads(text) if text.lstrip().startswith("{") else {"base_url": text.strip()})
            endpoints.append(_endpoint(name, fields, settings))
        except (DialectError, orjson.JSONDecodeError) as error:
            raise ValueError(f"endpoints.{name}: {error if isinstance(error, DialectError) else 'expected an address or JSON'}") from None
        _check_installed(f"endpoints.{name}")
    return EndpointTable(endpoints)


def added(setting: EndpointSetting, settings: Settings) -> Endpoint:
    """An endpoint that was added to the registry, with its own credential. Raises `ValueError`, which names the key."""
    _check_installed("the endpoint")
    own = dataclasses.replace(settings, key=Secret(""), credentials=setting.credentials)
    return made_added(setting, _endpoint(setting.name, Fields(orjson.loads(setting.text)), own))


def _check_installed(what: str) -> None:
    if not all(find_spec(each) is not None for each in _NEEDS):
        raise ValueError(f"{what}: needs libraries that are not installed: those of the extra {EXTRA}")


def _options(fields: Fields) -> EngineOptions:
    return EngineOptions(
        engine=_one_of(fields, "engine", ENGINES) or VLLM,
        tokenizer=fields.text("tokenizer") or "",
        chat_template=fields.text("chat_template") or "",
        tool_parser=_one_of(fields, "tool_parser", TOOL_PARSERS),
        reasoning_parser=_one_of(fields, "reasoning_parser", REASONING_PARSERS),
        kv_events=fields.truth("kv_events") is not False,
    )


def _one_of(fields: Fields, key: str, values: tuple[str, ...]) -> str:
    value = fields.text(key) or ""
    if value and value not in values:
        raise fields.wrong(key, f"expected {' or '.join(values)}")
    return value


def _endpoint(name: str, fields: Fields, settings: Settings) -> Endpoint:
    options = _options(fields)
    own, named = fields.text("credential"), fields.texts("credentials")
    if unknown := [each for each in (*named, *([own] if own else [])) if each not in settings.credentials]:
        raise fields.wrong("credential", f"there is no credential {unknown[0]}")
    headers = fields.inner("headers")
    made = EngineEndpoint(
        name=name,
        provider=fields.text("provider") or _NAMES[options.engine],
        base_url=fields.required_text("base_url"),
        system=options.engine,
        auth=Auth(required=own is not None),
        credential=settings.credentials[own] if own else settings.key,
        credentials={each: settings.credentials[each] for each in named},
        domains=tuple(fields.texts("domains")),
        local=bool(fields.truth("local")),
        region=fields.text("region") or "",
        allow=tuple(fields.texts("allow")),
        max_in_flight=fields.whole("max_in_flight", 1) or settings.max_in_flight,
        headers={each: headers.required_text(each) for each in headers.whole_object()} if headers is not None else {},
        extras=frozenset(fields.texts("extras")),
        options=options,
        transport=rpc_transport(transport_of(fields, settings.credentials)),
    )
    if left := fields.rest():
        raise fields.wrong(next(iter(left)), "there is no such key")
    return made
