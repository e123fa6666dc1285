"""Names of resources as people write them: `summary`, `claims/summary`, `domains/claims/prompts/summary`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh_cli.session import domain_name

if TYPE_CHECKING:
    from llm_mesh_cli.session import Session

_WITHOUT_DOMAIN = ("domains", "adapters")
_BUILT_IN = ("platform-admin", "domain-admin", "developer", "application", "auditor", "viewer")
_WHOLE = ("domains/", "roles/", "adapters/")


async def resource_name(session: Session, collection: str, text: str, domain: str | None = None) -> str:
    """The resource name. A text without a domain is of the given domain, else of the caller's own."""
    if text.startswith(_WHOLE):
        return text
    if collection in _WITHOUT_DOMAIN:
        return f"{collection}/{text}"
    text = text.removeprefix(f"{collection}/")
    owner, slash, identity = text.partition("/")
    if slash and owner != "-" and not identity.startswith("versions/"):
        return f"{domain_name(owner)}/{collection}/{identity}"
    return f"{await session.domain(domain)}/{collection}/{text}"


async def referred(session: Session, collection: str, text: str, domain: str) -> str:
    """A name within another resource, such as the role of a binding: built-in roles and `*` stand for themselves."""
    if not text or text == "*" or (collection == "roles" and text in _BUILT_IN):
        return text
    if collection == "projects" and "/" not in text and not text.startswith("projects"):
        return domain_name(text)  # a scope: `projects/triage`, `claims/triage`, or a domain
    return await resource_name(session, collection, text, domain)


async def reservation_name(session: Session, text: str) -> str:
    """`claims/triage/RESERVATION` as a resource name."""
    if text.startswith("domains/"):
        return text
    place, _, identity = text.rpartition("/")
    return f"{await session.place(place)}/reservations/{identity}"
