"""The endpoints of an adapter over a library: settings alone, one JSON object each. There is no table of providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from llm_mesh_adapter_kit.endpoints import Endpoint, EndpointTable
from llm_mesh_adapter_kit.signing import Auth
from llm_mesh_dialects.addresses import origins_of
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.fields import Fields
from llm_mesh_runtime.secret import Secret

_EXPECTED: Final = "expected a JSON object with library and base_url"


class LibraryEndpoints(NamedTuple):
    """The endpoints, and what the library calls each."""

    table: EndpointTable
    providers: Mapping[str, str]

    @property
    def reachable(self) -> list[dict[str, Any]]:
        """What the library's process may reach."""
        return [{"base_url": each.base_url, "local": each.local, "allow": list(each.allow)} for each in self.table]


def configured(texts: Mapping[str, str], credentials: Mapping[str, Secret], max_in_flight: int) -> LibraryEndpoints:
    """The endpoints as the operator wants them. Raises `ValueError` where a setting is wrong; the message never has its value."""
    endpoints, providers = [], {}
    for name in sorted(texts):
        try:
            fields = Fields(orjson.loads(texts[name]))
            providers[name] = fields.required_text("library")
            endpoints.append(_endpoint(name, fields, credentials, max_in_flight))
        except orjson.JSONDecodeError:
            raise ValueError(f"endpoints.{name}: {_EXPECTED}") from None
        except DialectError as error:
            raise ValueError(f"endpoints.{name}: {error}") from None
    return LibraryEndpoints(EndpointTable(endpoints), providers)


def _endpoint(name: str, fields: Fields, credentials: Mapping[str, Secret], max_in_flight: int) -> Endpoint:
    own, named = fields.text("credential"), fields.texts("credentials")
    if unknown := [each for each in (*named, *([own] if own else [])) if each not in credentials]:
        raise fields.wrong("credential", f"there is no credential {unknown[0]}")
    made = Endpoint(
        name=name,
        provider=fields.text("provider") or name,
        base_url=fields.required_text("base_url"),
        auth=Auth(required=own is not None),
        credential=credentials[own] if own else Secret(""),
        credentials={each: credentials[each] for each in named},
        domains=tuple(fields.texts("domains")),
        local=bool(fields.truth("local")),
        region=fields.text("region") or "",
        allow=tuple(fields.texts("allow")),
        max_in_flight=fields.whole("max_in_flight", 1) or max_in_flight,
        extras=frozenset(fields.texts("extras")),
        media=_origins(fields),
    )
    if left := fields.rest():
        raise fields.wrong(next(iter(left)), "there is no such key")
    return made


def _origins(fields: Fields) -> frozenset[str]:
    try:
        return origins_of(fields.texts("media"))
    except ValueError as error:
        raise fields.wrong("media", str(error)) from None
