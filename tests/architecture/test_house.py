"""What `make house` says is counted from the sources: a name that two modules define, a circle of imports. There are no circles."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.house import sources


def test_a_class_name_that_two_modules_define_is_named_with_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "services/policy/llm_mesh_policy"
    package.mkdir(parents=True)
    for name, text in {"py.typed": "", "__init__.py": "", "a.py": "class Row: ...", "b.py": "class Row: ...\nclass Other: ...\n"}.items():
        (package / name).write_text(text)
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    assert sources.class_names_used_twice() == {"Row": ["policy/llm_mesh_policy/a.py", "policy/llm_mesh_policy/b.py"]}


@pytest.mark.parametrize(("back", "circles"), [("", []), ("from round.a import A", [["round.a", "round.b"]])])
def test_modules_that_import_each_other_are_a_circle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, back: str, circles: list[list[str]]
) -> None:
    package = tmp_path / "round"
    package.mkdir()
    for name, text in {"__init__.py": "", "a.py": "from round import b\nA = 1\n", "b.py": back}.items():
        (package / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sources, "packages", lambda: [package])
    assert sources.import_circles() == circles


def test_no_modules_of_ours_import_each_other() -> None:
    assert sources.import_circles() == []
