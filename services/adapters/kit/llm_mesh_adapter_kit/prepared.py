"""The headers that calls with one credential have in common, as the lines that go out: made once, not for each call."""

from __future__ import annotations

from collections.abc import Mapping

from llm_mesh_adapter_kit.dialect import Call
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.http import header_lines

_MOST_KNOWN = 1_024


class Prepared:
    """One set of headers. No dataclass: nothing shows what is in it, a credential among others."""

    __slots__ = ("endpoint", "headers", "lines", "signed_with")

    def __init__(self, headers: Mapping[str, str], signed_with: str | None = None, endpoint: Endpoint | None = None) -> None:
        self.headers = headers
        self.endpoint = endpoint
        """For whom: an endpoint of the same name may be another one by now."""
        self.signed_with = signed_with
        """The name of the credential with which each call has yet to be signed. None: the headers authenticate already."""
        self.lines = header_lines(headers)


class PreparedHeaders:
    """Those of all endpoints of an adapter."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Prepared] = {}

    def of(self, endpoint: Endpoint, call: Call, credential: str, domain: str) -> Prepared:
        """What a domain's call begins with; raises where it may not use the credential, or there is none."""
        own = call.headers
        key = (endpoint.name, credential, bool(call.body), tuple(own.items()) if own else ())
        known = self._known.get(key)
        if known is None or known.endpoint is not endpoint:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            endpoint.check_domain(domain)
            fixed = endpoint.signer.fixed(credential)
            headers = {**endpoint.headers, **own, **(fixed or {})}
            if call.body:
                headers["content-type"] = own.get("content-type", "application/json")
            known = self._known[key] = Prepared(headers, credential if fixed is None else None, endpoint)
        else:
            endpoint.check_domain(domain)
        return known
