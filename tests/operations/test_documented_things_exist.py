"""What the pages say and a machine can check: commands, options, settings, files, methods, addresses and figures are there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from google.protobuf import descriptor_pool

from llm_mesh_cli.app import COMMANDS, loaded
from llm_mesh_runtime.links.mux import member
from tests.architecture.repository import ROOT

PAGES = sorted(
    path
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "SECURITY.md",
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("docs/tutorials/*.md"),
        *ROOT.glob("services/**/README.md"),
        ROOT / "examples" / "README.md",
    )
    if ".venv" not in path.parts and "node_modules" not in path.parts
)
TOP = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
_SPAN = re.compile(r"`([^`\n]+)`")
_BLOCK = re.compile(r"^```(?:sh|bash|console|shell)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_VERB = re.compile(r"(?:Get|List|Put|Create|Update|Delete|Apply|Watch|Accept|Reject|Export|Record|Rotate|Revoke)[A-Z][A-Za-z]+")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def spans(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return _SPAN.findall(text)


def calls(page: Path) -> Iterator[str]:
    """Calls of the command line, in spans and in blocks of shell."""
    for span in spans(page):
        if span.startswith("llm-mesh ") and not re.search(r" v\d+$", span):  # a form such as `llm-mesh audit v1` is no call
            yield span
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            call = line.partition("#")[0].strip()
            call = re.sub(r"^(?:[A-Z_]+=\S+\s+)+", "", call)
            if call.startswith("llm-mesh "):
                yield re.split(r"\s(?:\||>|&&|&)\s?", call)[0]


def unknown(call: str) -> str:
    """The first word of a call that is no command or option, or an option that the call lacks; empty where the call is right.

    A command that is only named, without words of its own, lacks nothing.
    """
    words = shlex.split(call.replace("…", "").replace("[", "").replace("]", ""))[1:]
    if not words or words[0].startswith(("<", "-")) or words[0].isupper():
        return ""
    if words[0] not in COMMANDS:
        return words[0]
    command = loaded(words.pop(0))
    while words and hasattr(command, "commands") and not words[0].startswith(("<", "-")) and not words[0].isupper():
        if words[0] not in command.commands:
            return words[0]
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    strange = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
    needed = [parameter.opts for parameter in command.params if parameter.required and parameter.param_type_name == "option"]
    lacking = [options[-1] for options in needed if words and not set(options) & {word.partition("=")[0] for word in words}]
    return next(iter((*strange, *lacking)), "")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_and_their_options_exist(page: Path) -> None:
    assert {call: unknown(call) for call in calls(page) if unknown(call)} == {}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_and_paths_lead_to_files(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    gone = [link for link in _LINK.findall(text) if "://" not in link and not (page.parent / link).exists()]
    for span in spans(page):
        path = span.partition("::")[0].rstrip("/")
        is_path = re.fullmatch(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+", path) and path.partition("/")[0] in TOP
        if is_path and not any((place / path).exists() for place in (ROOT, page.parent)) and not _made(path):
            gone.append(span)
    assert gone == []


def _made(path: str) -> bool:
    """What is not in the tree: it is made where it is needed."""
    return path.startswith(("deploy/secrets", "gateway/", "policy/")) or ".venv" in path


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_methods_of_the_contracts_exist(page: Path) -> None:
    known = _contract_names()
    named = {span.partition("(")[0] for span in spans(page) if _VERB.fullmatch(span.partition("(")[0])}
    assert named - known == set()


def _contract_names() -> set[str]:
    pool = descriptor_pool.Default()
    names: set[str] = set()
    for path in ROOT.glob("protos/llm_mesh/*/v1/*.proto"):
        module = str(path.relative_to(ROOT / "protos")).removesuffix(".proto").replace("/", ".")
        __import__(f"{module}_pb2")
        file = pool.FindFileByName(str(path.relative_to(ROOT / "protos")))
        names |= set(file.message_types_by_name)
        names |= {method.name for service in file.services_by_name.values() for method in service.methods}
    return names


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_settings_exist(page: Path) -> None:
    source = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "operations.md", *ROOT.glob("services/**/settings.py"))
    )
    table = set(re.findall(r"^\| `(LLM_MESH_[A-Z_<>0-9]+)`", source, re.MULTILINE)) | set(re.findall(r"\"(LLM_MESH_[A-Z_0-9]+)\"", source))
    table |= set(re.findall(r"LLM_MESH_[A-Z_0-9]+", (ROOT / "services/runtime/llm_mesh_runtime/settings/naming.py").read_text()))
    prefixes = tuple(variable.partition("<")[0] for variable in table if "<" in variable)
    named = {match for span in spans(page) for match in re.findall(r"\bLLM_MESH_[A-Z0-9_]*[A-Z0-9]\b(?![_<*…])", span)}
    strange = {
        variable
        for variable in named
        if variable.removesuffix("_FILE") not in table
        and not variable.startswith(prefixes)
        and not any(known.startswith(variable) for known in table)
    }
    assert strange == set()


def test_the_back_off_of_the_link_is_as_documented() -> None:
    said = re.search(r"after ([\d.]+) s, then longer each time up to ([\d.]+) s", (ROOT / "docs" / "link.md").read_text())
    assert said is not None
    assert (float(said[1]), float(said[2])) == (member.FIRST_PAUSE, member.LONGEST_PAUSE)


def test_the_addresses_of_the_containers_are_those_that_compose_publishes() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"LLM_MESH_ADDRESS(\w*)=127\.0\.0\.1:(\d+)", page.partition("docker compose up")[2].partition("```")[0]))
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    published = {
        name: port
        for name, service in services.items()
        for port in re.findall(r"127\.0\.0\.1:(501\d\d):", " ".join(map(str, service.get("ports", ()))))
    }
    assert said == {"" if name == "gateway" else f"_{name.upper()}": port for name, port in published.items()}


def test_the_room_of_stores_says_what_is_in_it() -> None:
    row = re.search(r"^\| `store/` \|(.*)\|$", (ROOT / "services" / "README.md").read_text(), re.MULTILINE)
    assert row is not None
    in_memory = any(re.search(r"^class Memory", path.read_text(), re.MULTILINE) for path in ROOT.glob("services/*/*/store/*.py"))
    assert ("memory" in row[1]) == in_memory


def test_the_page_about_security_claims_no_salt_without_one() -> None:
    digests = (ROOT / "services" / "runtime" / "llm_mesh_runtime" / "outbox").rglob("*.py")
    salted = any("salt" in path.read_text() for path in digests)
    assert salted or "not salted" in (ROOT / "docs" / "security.md").read_text()
