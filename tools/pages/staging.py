"""Copies pages to where the site is built, at the paths that they have in the repository, with the files that they link to."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any

from tools.pages.navigation import Part, Site, SiteError

_CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<=\]\()(?P<path>[^)#\s:]+)(?P<anchor>#[^)\s]*)?(?=\))")
# What a page of the site may do besides plain Markdown; nothing is fetched while it is read.
_SETTINGS: dict[str, Any] = {
    "use_directory_urls": False,
    "theme": {"font": False, "features": ["navigation.tabs", "navigation.indexes", "content.code.copy"]},
    "plugins": {"search": {}},
    "markdown_extensions": {"tables": {}, "toc": {"permalink": True}, "pymdownx.superfences": {}, "pymdownx.highlight": {}},
    "validation": {"invalid_links": True, "invalid_link_anchors": True},
}


def stage(site: Site, root: Path, folder: Path) -> Path:
    """Fill `folder` and return the configuration of the build."""
    shutil.rmtree(folder, ignore_errors=True)
    paths = {page.path for page in site.pages()}
    for page in site.pages():
        text = _with_links(page.text, PurePosixPath(page.path), root, paths)
        _write(folder / "pages" / page.path, text)
        for target in _targets(text, PurePosixPath(page.path)):
            if target not in paths:
                _write(folder / "pages" / target, (root / target).read_bytes())
    config = folder / "mkdocs.yml"
    settings = {**site.project, **_SETTINGS, "docs_dir": "pages", "site_dir": "html", "nav": _navigation(site)}
    _write(config, json.dumps(settings, indent=2))  # JSON is YAML
    return config


def _navigation(site: Site) -> list[Any]:
    return [{"Home": site.home.path}, *({part.title: _entries(part)} for part in site.parts)]


def _entries(part: Part) -> list[Any]:
    return [*({page.title: page.path} for page in part.pages), *({group.title: _entries(group)} for group in part.groups)]


def _with_links(text: str, page: PurePosixPath, root: Path, pages: set[str]) -> str:
    """The page with links to a folder leading to its README.md, or to the next one above."""

    def link(match: re.Match[str]) -> str:
        target = normpath(page.parent / match["path"])
        if not (root / target).exists():
            message = f"{page} links to {match['path']}, which does not exist"
            raise SiteError(message)
        path = match["path"]
        if (root / target).is_dir():
            while not (root / target / "README.md").is_file():
                target, path = normpath(f"{target}/.."), f"{path.rstrip('/')}/.."
            target, path = normpath(f"{target}/README.md"), f"{path.rstrip('/')}/README.md"
        if target.endswith(".md") and target not in pages:
            message = f"{page} links to {match['path']}, which is no page of the site"
            raise SiteError(message)
        return path + (match["anchor"] or "")

    return _outside_code(text, link)


def _outside_code(text: str, replacement: Callable[[re.Match[str]], str]) -> str:
    """Links replaced, but not in blocks and spans of code; a span inside a link's text is none of its address."""
    code: list[str] = []

    def hidden(match: re.Match[str]) -> str:
        code.append(match[0])
        return f"\0{len(code) - 1}\0"

    replaced = _LINK.sub(replacement, _CODE.sub(hidden, text))
    return re.sub(r"\0(\d+)\0", lambda match: code[int(match[1])], replaced)


def _targets(text: str, page: PurePosixPath) -> Iterator[str]:
    for match in _LINK.finditer(_CODE.sub("", text)):
        yield normpath(page.parent / match["path"])


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
