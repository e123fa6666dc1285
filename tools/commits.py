"""Checks the subjects of commits: an imperative of at most 72 characters, without a full stop, and a body after an empty line.

Older commits are as they are; what follows `SINCE` is checked. `--message FILE` checks one message, as a commit hook gives it.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SINCE = "713fa05a"
"""The last commit before the rule."""
LONGEST = 72
MADE_BY_GIT = re.compile(r"(Merge|Revert|fixup!|squash!) ")
NOT_IMPERATIVE = re.compile(r"(\w+(?:[^e]ed|ing)|(?:add|fix|make|remove|change|move|use|update)s)\b", re.IGNORECASE)
IMPERATIVES = frozenset(
    {"bring", "string", "ping", "embed", "feed", "need", "seed", "shed", "speed", "spring", "heed", "exceed", "proceed"}
)
PREFIX = re.compile(r"[a-z]+(\([\w/-]+\))?!?: ")


def faults(message: str) -> Iterator[str]:
    """What is wrong with a commit's message."""
    subject, _, rest = message.partition("\n")
    if MADE_BY_GIT.match(subject):
        return
    if len(subject) > LONGEST:
        yield f"the subject has {len(subject)} characters, at most {LONGEST} are allowed"
    if PREFIX.match(subject):
        yield "the subject starts with a prefix; start with a verb"
    first = NOT_IMPERATIVE.match(subject)
    if first is not None and first[1].lower() not in IMPERATIVES:
        yield f'"{first[1]}" is no imperative: say what the commit does, as "Add …"'
    if subject.endswith("."):
        yield "the subject ends with a full stop"
    if rest and not rest.startswith("\n"):
        yield "an empty line must follow the subject"


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([shutil.which("git") or "git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def messages() -> Iterator[tuple[str, str]]:
    """The commits after `SINCE`: the short hash and the message of each. None in a clone that does not reach back so far."""
    if _git("merge-base", "--is-ancestor", SINCE, "HEAD").returncode != 0:
        print(f"commits: {SINCE} is not in this clone's history, nothing to check")
        return
    log = _git("log", "--no-merges", "--format=%h%x00%B%x01", f"{SINCE}..HEAD").stdout
    for record in filter(None, (each.strip() for each in log.split("\x01"))):
        name, _, message = record.partition("\0")
        yield name, message


def main() -> None:
    """Fail with every fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--message", type=Path, metavar="FILE", help="check the message in this file instead")
    arguments = parser.parse_args()
    named = [("message", arguments.message.read_text())] if arguments.message else list(messages())
    wrong = [f"{name}: {fault}" for name, message in named for fault in faults(message)]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"commits: {len(named)} checked")


if __name__ == "__main__":
    main()
