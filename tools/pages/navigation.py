"""The parts of the site and their pages, from docs/site.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HOME = "README.md"
NAVIGATION = "docs/site.toml"
# Lines that say how a page came to be, not what it is about.
_ORIGIN = re.compile(r"^(Generated from|Status:|Never edited)")
_NO_PROSE = ("#", "|", "```", "<", ">")
_END_OF_SENTENCE = re.compile(r"(?<=\.)\s")
_LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")


class SiteError(Exception):
    """The site cannot be built from the pages as they are."""


@dataclass(frozen=True)
class Page:
    """A Markdown file of the repository that is a page of the site."""

    path: str
    text: str

    @property
    def title(self) -> str:
        """The first heading."""
        heading = re.search(r"^# (.+)$", self.text, re.MULTILINE)
        if heading is None:
            message = f"{self.path} has no heading of the first level"
            raise SiteError(message)
        return heading[1].replace("`", "")

    @property
    def summary(self) -> str:
        """The first sentence about its subject; of a decision, the first sentence of what was decided; a changelog has none."""
        if self.path.endswith("CHANGELOG.md"):
            return ""
        text = self.text.partition("## Decision\n")[2] if "## Decision\n" in self.text else self.text
        paragraphs = (" ".join(each.split()) for each in re.split(r"\n\s*\n", text))
        for paragraph in paragraphs:
            if paragraph and not paragraph.startswith(_NO_PROSE) and not _ORIGIN.match(paragraph):
                return _LINK.sub(r"\1", _END_OF_SENTENCE.split(paragraph.removeprefix("- "))[0].rstrip(":"))
        return ""


@dataclass(frozen=True)
class Part:
    """One entry of the navigation: its pages, then the groups below it."""

    title: str
    pages: tuple[Page, ...]
    groups: tuple[Part, ...] = ()

    def all_pages(self) -> Iterator[Page]:
        """Its own pages and those of its groups."""
        yield from self.pages
        for group in self.groups:
            yield from group.all_pages()


@dataclass(frozen=True)
class Site:
    """What is published."""

    project: Mapping[str, Any]
    home: Page
    parts: tuple[Part, ...]

    def pages(self) -> Iterator[Page]:
        """Every page once, in the order of the navigation."""
        yield self.home
        for part in self.parts:
            yield from part.all_pages()


def read_site(root: Path = ROOT) -> Site:
    """The site of a repository; refuses a page of docs/ that no part has."""
    declared = tomllib.loads((root / NAVIGATION).read_text(encoding="utf-8"))
    named = {pattern for each in _entries(declared["part"]) for pattern in each["pages"] if "*" not in pattern}
    site = Site(declared["project"], _page(root, HOME), tuple(_part(root, each, named) for each in declared["part"]))
    missing = {path.relative_to(root).as_posix() for path in (root / "docs").rglob("*.md")} - {page.path for page in site.pages()}
    if missing:
        message = f"{NAVIGATION} names no part for {', '.join(sorted(missing))}"
        raise SiteError(message)
    return site


def _entries(parts: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for part in parts:
        yield part
        yield from _entries(part.get("group", ()))


def _part(root: Path, declared: Mapping[str, Any], named: set[str]) -> Part:
    pages = []
    for pattern in declared["pages"]:
        matches = [pattern] if "*" not in pattern else sorted(path.relative_to(root).as_posix() for path in root.glob(pattern))
        pages += [_page(root, path) for path in matches if path == pattern or path not in named]
    return Part(declared["title"], tuple(pages), tuple(_part(root, each, named) for each in declared.get("group", ())))


def _page(root: Path, path: str) -> Page:
    if not (root / path).is_file():
        message = f"{NAVIGATION} names {path}, which does not exist"
        raise SiteError(message)
    return Page(path, (root / path).read_text(encoding="utf-8"))
