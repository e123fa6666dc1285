"""Resources as access rules name them, made absolute.

`domains/…` is absolute. Everything else is relative to the project that the caller works in, so that `models/gpt-4.1` is
within both the domain's and the project's scope.
"""

from __future__ import annotations

SELF = "self"
"""The resource of methods that every valid credential may call."""


def absolute(resource: str, project: str) -> str:
    """The absolute name of a resource for a caller of a project."""
    if resource == "domains" or not resource.startswith("domains/"):
        return f"{project}/{resource.strip('/')}" if resource.strip("/") else project
    return resource


def within_credential(selected: str, own: str, others: tuple[str, ...]) -> str | None:
    """The project's name that a caller selected, by name or last part; None where it is not one of the credential's."""
    if not selected:
        return own
    for project in (own, *others):
        if selected in {project, project.rpartition("/")[2]}:
            return project
    return None
