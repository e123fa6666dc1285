"""The language stays plain: what the lists in `tools/house/remaining` do not have does not come in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.house import sources, words


@pytest.mark.parametrize("check", words.CHECKS)
def test_the_language_gets_no_worse(check: str) -> None:
    additions = sorted(words.CHECKS[check]() - words.remaining(check))
    assert not additions, f"{check}: give each thing a name or docstring that tells what it is: {additions}"


@pytest.mark.parametrize("check", words.CHECKS)
def test_lists_are_sorted_and_name_what_exists(check: str) -> None:
    lines = (words.REMAINING / f"{check}.txt").read_text().splitlines()
    assert lines == sorted(set(lines))
    assert all(len(line.split(" ")) == len(("name", "path")) for line in lines)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package of an empty repository."""
    folder = tmp_path / "services/policy/llm_mesh_policy"
    folder.mkdir(parents=True)
    (folder / "py.typed").touch()
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    return folder


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("wanted = 1", "wanted"),
        ("def pay(given): ...", "given"),
        ("class Told: ...", "told"),
        ("def _asked(): ...", "asked"),
        ("class A:\n  def f(self):\n    self._kept = 1", "kept"),
        ("for found in (): ...", "found"),
        ("from a import b as said", "said"),
        ("try: ...\nexcept OSError as heard: ...", "heard"),
    ],
)
def test_a_retired_word_is_found_wherever_it_names_something(package: Path, source: str, word: str) -> None:
    (package / "a.py").write_text(source)
    assert words.retired_names() == {f"{word} services/policy/llm_mesh_policy/a.py"}


def test_a_module_has_no_retired_name_either_and_longer_names_may_contain_one(package: Path) -> None:
    (package / "wanted.py").write_text("kept_answers = 1\n")
    assert words.retired_names() == {"wanted services/policy/llm_mesh_policy/wanted.py"}


@pytest.mark.parametrize(
    ("name", "docstring"),
    [
        ("extras", "They."),
        ("rewind", "Likewise."),
        ("add", "One more."),
        ("delete_limit", "Deletes a limit."),
        ("budget", "A budget."),
        ("Publications", "The publications."),
        ("close", "Closes it."),
    ],
)
def test_a_docstring_that_says_nothing_is_found(name: str, docstring: str) -> None:
    assert words.says_nothing(name, docstring)


@pytest.mark.parametrize(
    ("name", "docstring"),
    [("delete_limit", "Deletes a limit and its meters."), ("duration", "`90s`."), ("page", "Entries, newest first.")],
)
def test_a_docstring_that_says_more_than_the_name_is_not(name: str, docstring: str) -> None:
    assert not words.says_nothing(name, docstring)


def test_docstrings_of_methods_and_of_constants_are_read(package: Path) -> None:
    (package / "a.py").write_text('LIMIT = 1\n"""Likewise."""\n\n\nclass A:\n    def read(self):\n        """Reads."""\n')
    assert words.filler_docstrings() == {"LIMIT services/policy/llm_mesh_policy/a.py", "read services/policy/llm_mesh_policy/a.py"}


def test_a_third_module_with_the_same_class_is_an_addition(package: Path) -> None:
    for name in "abc":
        (package / f"{name}.py").write_text("class Row: ...\n")
    assert len(words.used_twice()) == len("abc")
