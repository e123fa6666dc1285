"""The repository builds anywhere: no committed file holds the address of a package registry or a path of somebody's machine."""

import re

import pytest

from tests.architecture.repository import ROOT, files, relative

# Written in pieces, since this file is committed too.
REGISTRIES = ["pypi" + ".org", "files.python" + "hosted.org", "registry.npm" + "js.org", "proxy.golang" + ".org", "sum.golang" + ".org"]
MACHINES = ["/" + "work/", "/" + "Users/", "/" + "opt/wheels", "/." + "pyenv/"]
FORBIDDEN = re.compile("|".join(re.escape(text) for text in [*REGISTRIES, *MACHINES, f"{ROOT}/"]))
# A URL in any of these could only be where a package comes from.
LOCKS = ("requirements.lock", "package-lock.json", "go.sum", "go.mod")


def findings(text: str) -> list[str]:
    """The lines that tie a text to one machine or registry."""
    return [line.strip() for line in text.splitlines() if FORBIDDEN.search(line)]


@pytest.mark.parametrize("text", ["index-url = https://pypi" + ".org/simple", "cd /" + "work/main", f"{ROOT}/services"])
def test_an_address_is_found(text: str) -> None:
    assert findings(text)


def test_no_committed_file_names_a_registry_or_a_machine() -> None:
    found = {relative(path): lines for path in files() if (lines := findings(path.read_bytes().decode(errors="replace")))}
    assert found == {}


def test_locks_hold_no_url() -> None:
    locks = [path for path in files() if path.name in LOCKS]
    assert locks
    assert [relative(path) for path in locks if "://" in path.read_text()] == []


def test_there_is_no_lock_that_holds_addresses_by_design() -> None:
    assert [relative(path) for path in files() if path.name in ("uv.lock", "poetry.lock", "yarn.lock", "pnpm-lock.yaml")] == []
