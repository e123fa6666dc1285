"""How adapters make endpoints of what platform administrators add: what all of them keep to."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from llm_mesh_adapter_kit.added.bounds import EndpointSetting
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.transport.settings import TransportFields


def made_added(setting: EndpointSetting, endpoint: Endpoint) -> Endpoint:
    """The endpoint that an adapter makes of a setting, as an added one.

    Its credential is a part of it, also where another signs with it: an endpoint whose credential changed is another one.
    """
    own = next(iter(setting.credentials.values()), endpoint.credential)
    return dataclasses.replace(endpoint, added=True, credential=own)


def liked(fields: TransportFields, names: Collection[str]) -> str:
    """The provider that an endpoint is like; empty where it says none."""
    like = fields.text("like") or ""
    if like and like not in names:
        raise fields.wrong("like", "expected the name of a known provider")
    return like
