"""Who asks for a change, as the servicers find out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """A principal by one of its keys, a service of the mesh, or the holder of a bootstrap token."""

    principal: str = ""
    """A principal's name; `services/{service}` for services, which hold no roles."""
    key: str = ""
    domain: str = ""
    request_id: str = ""
    reason: str = ""
    """Why, in the words of who asks."""
    is_service: bool = False
