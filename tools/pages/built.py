"""What is added to the built site, and what is checked of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path

from tools.pages.navigation import Page, Part, Site

# Elements that a browser loads by itself, and the attribute that says from where.
_LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src", "link": "href"}
_STYLE_LOADS = re.compile(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)")


def llms_txt(site: Site) -> str:
    """The site for language models: a line for each page, which leads to its Markdown. See llmstxt.org."""
    lines = [f"# {site.project['site_name']}", "", f"> {site.project['site_description']}"]
    for part in site.parts:
        lines += _lines(part, part.title)
    return "\n".join([*lines, ""])


def _lines(part: Part, heading: str) -> list[str]:
    lines = ["", f"## {heading}", "", *(_line(page) for page in part.pages)] if part.pages else []
    for group in part.groups:
        lines += _lines(group, f"{heading}: {group.title}")
    return lines


def _line(page: Page) -> str:
    return f"- [{page.title}]({page.path}): {page.summary}" if page.summary else f"- [{page.title}]({page.path})"


def publish_markdown(site: Site, html: Path) -> None:
    """Write llms.txt, and each page as Markdown beside its HTML."""
    (html / "llms.txt").write_text(llms_txt(site), encoding="utf-8")
    for page in site.pages():
        (html / page.path).write_text(page.text, encoding="utf-8")


class _Loads(HTMLParser):
    """What a browser fetches to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "link" and values.get("rel") in {"canonical", "next", "prev"}:
            return
        address = values.get(_LOADED.get(tag, ""))
        if address:
            self.addresses.append(address)


def external_loads(html: Path) -> Iterator[str]:
    """Each address beyond the site that a built page or its styles would load, with the file."""
    for path in sorted(html.rglob("*.html")):
        loads = _Loads()
        loads.feed(path.read_text(encoding="utf-8"))
        for address in loads.addresses:
            if "://" in address or address.startswith("//"):
                yield f"{path.relative_to(html)}: {address}"
    for path in sorted(html.rglob("*.css")):
        for address in _STYLE_LOADS.findall(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(html)}: {address}"
