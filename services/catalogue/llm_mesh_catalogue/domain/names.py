"""How prompts and their versions are named and referred to."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from llm_mesh_catalogue.domain.errors import prompt_not_found
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import NamePattern

DOMAIN = NamePattern("domains/{domain}")
PROMPT = NamePattern("domains/{domain}/prompts/{prompt}")

_SHARED = "domains/shared/"
_LABEL = re.compile(r"[a-z0-9-]{1,63}")
_REFERENCE = re.compile(r"(?:(?:(domains/[a-z0-9-]{1,63})/)?prompts/)?([a-z0-9-]{1,63})(?:/versions/([a-z0-9-]{1,63}))?")
_LONGEST_NUMBER = 9
_MOST_LABELS = 32


class Reference(NamedTuple):
    """Which version of which prompt is meant: a number, or a label; neither is the default."""

    prompt: str
    number: int
    label: str


def reference_of(name: str, label: str, domain: str | None = None, *, foreign: bool = False) -> Reference:
    """What a name means in a domain, whose own prompts may be named by their last part, or as `prompts/{prompt}`.

    Another domain's prompt looks like one that does not exist, but for those of `domains/shared`, unless it may be `foreign`: then the
    caller's right to it was asked for by its full name. Without a domain every full name is meant as it stands.
    """
    matched = _REFERENCE.fullmatch(name)
    if matched is None or (matched[1] is None and domain is None):
        raise invalid("name", "must be of the form domains/{domain}/prompts/{prompt}, and may end in /versions/{version}")
    if label and _LABEL.fullmatch(label) is None:
        raise invalid("label", "must be 1 to 63 of a-z, 0-9 and -")
    prompt = f"{matched[1] or domain}/prompts/{matched[2]}"
    if domain is not None and not foreign and not prompt.startswith((f"{domain}/", _SHARED)):
        raise prompt_not_found(name)
    version = matched[3] or ""
    if version.isdecimal():
        if len(version) > _LONGEST_NUMBER:
            raise prompt_not_found(name)
        return Reference(prompt, int(version), "")
    return Reference(prompt, 0, version or label)


def domain_of(prompt: str) -> str:
    """The domain of a prompt's whole name."""
    return prompt.split("/prompts/", 1)[0]


def checked_labels(labels: Collection[str], field: str) -> None:
    """Whether all labels are of their documented form; a label that is a number would hide a version."""
    if len(labels) > _MOST_LABELS:
        raise invalid(field, f"must be at most {_MOST_LABELS} labels")
    for label in labels:
        if _LABEL.fullmatch(label) is None or label.isdecimal() or label == "latest":
            raise invalid(field, "must be 1 to 63 of a-z, 0-9 and -, not a number and not `latest`")
