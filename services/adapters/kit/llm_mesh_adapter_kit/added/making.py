"""How adapters make endpoints of what platform administrators add: what all of them keep to."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection

import orjson

from llm_mesh_adapter_kit.added.bounds import EndpointSetting
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_dialects.fields import Fields


def made_added(setting: EndpointSetting, make: Callable[[Fields], Endpoint]) -> Endpoint:
    """The endpoint, which has no other credential than its own. Raises `ValueError`, which names the key.

    Its credential is a part of it, also where another signs with it: an endpoint whose credential changed is another one.
    """
    own = [*setting.credentials.values()]
    made = make(Fields(orjson.loads(setting.text)))
    return dataclasses.replace(made, added=True, credential=own[0]) if own else dataclasses.replace(made, added=True)


def liked(fields: Fields, names: Collection[str]) -> str:
    """The provider that an endpoint is like; empty where it says none."""
    like = fields.text("like") or ""
    if like and like not in names:
        raise fields.wrong("like", "expected the name of a known provider")
    return like
