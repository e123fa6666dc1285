"""Each term of the glossary is in use, and no page and no contract uses a word that it retires."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.architecture.repository import ROOT, files, relative

GLOSSARY = ROOT / "docs/glossary.md"
ROW = re.compile(r"^\| ([a-z][^|]*) \| ([^|]+) \| ([^|]*)\|$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```|`[^`\n]*`|\]\([^)\s]*\)", re.MULTILINE | re.DOTALL)
ELSEWHERE = {"adr", "bench", "evidence", "examples", "gen", ".github", "CODE_OF_CONDUCT.md", "GOVERNANCE.md"}
COMMENT = re.compile(r"//(.*)")


class Term(NamedTuple):
    """A row of the glossary."""

    name: str
    meaning: str
    retired: tuple[str, ...]


def terms() -> list[Term]:
    rows = ROW.findall(GLOSSARY.read_text(encoding="utf-8"))
    return [
        Term(name, meaning, tuple(filter(None, map(str.strip, retired.split(","))))) for name, meaning, retired in rows if name != "term"
    ]


def spoken(path: Path) -> str:
    """What a page, or the comments of a contract, say to a reader: without code."""
    text = path.read_text(encoding="utf-8")
    return CODE.sub(" ", "\n".join(COMMENT.findall(text)) if path.suffix == ".proto" else text)


def pages() -> list[Path]:
    """Contracts, and pages about the mesh: changelogs and decisions tell of what was, benchmarks of others, examples of others' tools."""
    return [
        path
        for path in files()
        if (path.suffix == ".proto" and "protos" in path.parts)
        or (path.suffix == ".md" and path != GLOSSARY and path.name != "CHANGELOG.md" and not ELSEWHERE & set(relative(path).split("/")))
    ]


def occurs(phrase: str, text: str) -> bool:
    """Whether a text has a phrase as words of their own, in the singular or the plural, over line ends too."""
    words = r"\s+".join(re.escape(word) for word in phrase.split())
    return re.search(rf"\b{words}s?\b", text, re.IGNORECASE) is not None


def test_the_glossary_has_about_forty_terms_or_more_and_each_once() -> None:
    names = [term.name for term in terms()]
    assert len(names) >= len(set(names)) >= 40
    assert len(names) == len(set(names))


def test_each_term_is_in_use() -> None:
    said = " ".join(spoken(path) for path in pages())
    assert [term.name for term in terms() if not occurs(term.name, said)] == []


@pytest.mark.parametrize("phrase", sorted(word for term in terms() for word in term.retired))
def test_nobody_uses_a_retired_word(phrase: str) -> None:
    assert [relative(path) for path in pages() if occurs(phrase, spoken(path))] == []


def test_no_term_is_retired_by_another() -> None:
    retired = {word for term in terms() for word in term.retired}
    assert retired.isdisjoint(term.name for term in terms())


def test_words_are_found_over_line_ends_and_not_in_code(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("The circuit\nbreakers open. `backend`\n```\nvendor\n```\n")
    assert occurs("circuit breaker", spoken(page))
    assert not occurs("backend", spoken(page))
    assert not occurs("vendor", spoken(page))
