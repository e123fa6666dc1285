"""The documentation as a site: each page has a place, links lead to pages, llms.txt has them all, nothing is loaded from elsewhere."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT
from tools.pages.__main__ import build
from tools.pages.built import external_loads, llms_txt
from tools.pages.navigation import SiteError, read_site
from tools.pages.staging import stage

GENERATOR = ROOT / ".venv-site" / "bin" / "zensical"
SITE_TOML = """
[project]
site_name = "Small"
site_description = "A small site."

[[part]]
title = "How-to"
pages = ["docs/first.md", "docs/*.md"]
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A repository with a home page and two pages."""
    root = tmp_path / "repository"
    (root / "docs").mkdir(parents=True)
    (root / "docs/site.toml").write_text(SITE_TOML)
    (root / "README.md").write_text("# Small\n\nSee [first](docs/first.md#part) and [all](docs).\n")
    (root / "docs/first.md").write_text("# First\n\nStatus: new.\n\nSays one thing. Says more.\n\n## Part\n\n[source](../code.py)\n")
    (root / "docs/README.md").write_text("# All\n\n`[no](link.md)`\n")
    (root / "code.py").write_text("pass\n")
    return root


def test_every_page_has_one_place() -> None:
    pages = Counter(page.path for page in read_site().pages())
    assert [path for path, count in pages.items() if count > 1] == []
    assert {path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md")} <= set(pages)


def test_the_parts_are_those_of_the_four_kinds_of_documentation() -> None:
    assert [part.title for part in read_site().parts] == ["Tutorials", "How-to", "Reference", "Explanation"]


def test_llms_txt_has_a_line_for_each_page_with_what_it_is_about() -> None:
    site = read_site()
    lines = re.findall(r"^- \[([^]]+)\]\(([^)]+)\)(.*)$", llms_txt(site), re.MULTILINE)
    assert sorted(path for _, path, _ in lines) == sorted(page.path for page in site.pages() if page.path != "README.md")
    assert [path for title, path, summary in lines if not title or (path.startswith("docs/") and not summary)] == []


def test_links_of_the_pages_lead_to_pages_and_files(tmp_path: Path) -> None:
    stage(read_site(), ROOT, tmp_path)
    assert (tmp_path / "pages/docs/architecture.md").is_file()


def test_links_to_folders_lead_to_their_pages_and_files_come_along(small: Path, tmp_path: Path) -> None:
    stage(read_site(small), small, tmp_path / "site")
    assert "[all](docs/README.md)" in (tmp_path / "site/pages/README.md").read_text()
    assert (tmp_path / "site/pages/code.py").is_file()
    assert "`[no](link.md)`" in (tmp_path / "site/pages/docs/README.md").read_text()


@pytest.mark.parametrize("link", ["absent.md", "../absent.py", "../CHANGELOG.md"])
def test_links_to_what_is_not_there_are_refused(small: Path, tmp_path: Path, link: str) -> None:
    (small / "CHANGELOG.md").write_text("# No page of the site\n")
    (small / "docs/first.md").write_text(f"# First\n\n[gone]({link})\n")
    with pytest.raises(SiteError, match=re.escape(f"docs/first.md links to {link}")):
        stage(read_site(small), small, tmp_path / "site")


def test_a_page_without_a_part_is_refused(small: Path) -> None:
    (small / "docs/adr").mkdir()
    (small / "docs/adr/0001-a.md").write_text("# 1. A\n")
    with pytest.raises(SiteError, match=r"no part for docs/adr/0001-a\.md"):
        read_site(small)


def test_a_part_without_its_page_is_refused(small: Path) -> None:
    (small / "docs/first.md").unlink()
    with pytest.raises(SiteError, match=r"docs/first\.md, which does not exist"):
        read_site(small)


def test_what_a_page_loads_from_elsewhere_is_seen(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        '<link rel="canonical" href="https://here"><link rel="stylesheet" href="//fonts"><img src="a.png"><script src="https://s.js"></script>'
        '<a href="https://elsewhere">a link is no load</a>'
    )
    (tmp_path / "style.css").write_text('@import "https://i.css"; a { background: url(data:x); src: url("https://font") }')
    assert list(external_loads(tmp_path)) == [
        "page.html: //fonts",
        "page.html: https://s.js",
        "style.css: https://i.css",
        "style.css: https://font",
    ]


@pytest.mark.skipif(not GENERATOR.exists(), reason="`make site` installs the generator")
def test_a_site_is_built_and_a_broken_anchor_fails_it(small: Path, tmp_path: Path) -> None:
    build(GENERATOR, small, tmp_path / "site")
    html = tmp_path / "site" / "html"
    assert 'href="../code.py"' in (html / "docs/first.html").read_text()
    assert (html / "code.py").is_file()
    assert "- [First](docs/first.md): Says one thing." in (html / "llms.txt").read_text()
    assert (html / "docs/first.md").is_file()
    (small / "README.md").write_text("# Small\n\nSee [first](docs/first.md#no-such-part).\n")
    with pytest.raises(SiteError, match="no-such-part"):
        build(GENERATOR, small, tmp_path / "site")
