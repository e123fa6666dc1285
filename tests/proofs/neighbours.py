"""What one tenant's requests take while another one attacks: measured in turns, alone and beside, and written as evidence.

Only a request of the victim that fails refutes anything. A busy machine would make assertions about durations lie: the page says what
they were, by what they were just before and after, and who used the processor.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from llm_mesh.policy.v1 import identity_pb2, rules_pb2
from tests.e2e.running import children
from tests.proofs.attackers import ATTACKS, EVERYTHING, Target, attacking
from tests.proofs.attacks.test_attack_scale import ATTACKER
from tests.proofs.evidence import Progress, Tried, commit, conditions, write
from tests.proofs.proof import group_of
from tests.proofs.stand import Provider, Stand, model, provider, stand
from tests.proofs.topology import TOPOLOGIES, VARIABLE
from tests.proofs.turns import logged
from tests.proofs.victim import RATE, STREAMS, Served, Tenant, Victim, victim

NAME = "neighbours"
ALONE, BESIDE = 6.0, 10.0
"""Seconds of one phase."""
_SETTLING = 1.0
_CHATS = "chats"
_NAMES = (*ATTACKS, EVERYTHING)
_SETTINGS = {"LLM_MESH_POLICY_MOST_PRINCIPALS": "20000", "LLM_MESH_POLICY_SCREENING": "private_key=mask,iban=mask"}


@dataclass(frozen=True)
class Room:
    """A running mesh, the victim, and what the attacker needs."""

    stand: Stand
    victim: Victim
    target: Target

    def phase(self, seconds: float) -> Served:
        """The victim's requests for so long."""
        self.victim.begin(seconds)
        return self.victim.end()


def measure(count: int) -> bool:
    """Try what has not been tried yet, each attack so often in each topology, and write the page."""
    begun, progress, now = time.monotonic(), Progress(NAME), commit()
    done = {each.case for each in progress.tried}
    for topology in TOPOLOGIES:
        left = [case for number in range(count) for name in _NAMES if (case := f"{topology}/{name}/{number}") not in done]
        if left:
            with _room(topology) as room:
                for case, measures, failed in _turns(room, left):
                    progress.note(Tried(case, now, measures, failed))
                    print(f"{NAME}: {case}: {_told(measures)} {failed}", flush=True)
    failures = [each for each in progress.tried if each.failure]
    print(f"{NAME}: {'FAILED' if failures else 'measured'}, {write(NAME, _page(progress.tried, time.monotonic() - begun))}")
    progress.forget()
    return not failures


def _turns(room: Room, cases: Sequence[str]) -> Iterator[tuple[str, dict[str, float], str]]:
    """Alone, beside, alone, beside …: each attack is judged by the phases around it."""
    room.phase(2.0)  # connections and caches
    before = room.phase(ALONE)
    for case in cases:
        beside, measures = _beside(room, group_of(case).partition("/")[2])
        time.sleep(_SETTLING)
        after = room.phase(ALONE)
        measures |= _of(before + after, "alone") | _of(beside, "beside")
        failed = [*beside.failed, *after.failed]
        yield case, measures, f"{len(failed)} failed: {failed[0][:200]}" if failed else ""
        before = after


def _beside(room: Room, name: str) -> tuple[Served, dict[str, float]]:
    known = len(logged(room.stand))
    with attacking(name, room.target) as end:
        cpu, clock = _cpu(room.stand), time.monotonic()
        beside = room.phase(BESIDE)
        attacked, seconds = end(), time.monotonic() - clock
        used = {who: (spent - cpu[who]) / seconds for who, spent in _cpu(room.stand).items()}
    answers = {f"answer {answer}": number / attacked.seconds for answer, number in attacked.answers.items()}
    used |= {"attacker": attacked.cpu / attacked.seconds, "victim": beside.cpu / BESIDE}
    measures = {f"CPU {who}": share for who, share in used.items()} | answers
    time.sleep(0.2)  # a turn is told by the beat after it
    return beside, measures | {"turns": len(logged(room.stand)) - known, "attacks/s": sum(answers.values())}


def _of(served: Served, when: str) -> dict[str, float]:
    found = {f"{when} requests": float(len(served.latencies)), f"{when} failed": float(len(served.failed))}
    for prefix, values in (("", served.latencies), ("gap ", served.gaps)):
        if len(values) > 1:
            cuts = statistics.quantiles(values, n=100)
            found |= {f"{when} {prefix}p50": cuts[49], f"{when} {prefix}p99": cuts[98], f"{when} {prefix}max": max(values)}
    return found


@contextmanager
def _room(topology: str) -> Iterator[Room]:
    with pytest.MonkeyPatch.context() as patched, tempfile.TemporaryDirectory(prefix="prove-") as place:
        patched.setenv(VARIABLE, topology)
        folder, other = Path(place), Path(place) / "attacked"
        other.mkdir()
        with provider(folder) as simulator, provider(other) as attacked, stand(folder, simulator, _settings(attacked)) as made:
            target = Target(made.mesh.addresses, _attacker(made), "chats", simulator, _CHATS)
            tenant = Tenant(made.mesh.addresses["http"], made.mesh.project_key, "chats", "streams")
            with victim(tenant) as asking:
                yield Room(made, asking, target)


def _settings(attacked: Provider) -> dict[str, str]:
    """A provider is no part of the mesh: the attacker's large requests go to one that nobody waits for."""
    endpoint = json.dumps({"base_url": f"http://{attacked.address}/v1", "local": True})
    return _SETTINGS | {"LLM_MESH_ADAPTER_OPENAI_ENDPOINT_ATTACKED": endpoint}


def _attacker(made: Stand) -> str:
    """Models, and another domain with an administrator who uses models too; its key."""
    heard = model("heard", "sim-echo", endpoint="attacked")
    heard.context_window = 100_000_000
    chats, streams = model("chats", _CHATS), model("streams", "sim-words/tokens:40/rate:20")
    made.put_models([chats, streams, model("echo", "sim-echo", endpoint="attacked"), heard])
    owner = f"{ATTACKER}/principals/owner"
    roles = ("roles/domain-admin", "roles/developer", "roles/application")
    made.apply_policy(
        domains=[identity_pb2.Domain(name=ATTACKER)],
        projects=[identity_pb2.Project(name=f"{ATTACKER}/projects/main")],
        principals=[identity_pb2.Principal(name=owner)],
        bindings=[
            rules_pb2.Binding(name=f"{ATTACKER}/bindings/owner-{number}", principal=owner, role=role) for number, role in enumerate(roles)
        ],
    )
    return made.new_key(f"{ATTACKER}/projects/main", owner).secret


def _cpu(made: Stand) -> dict[str, float]:
    """Seconds of the processor so far: the mesh's loops and threads, and its confined children, which give way."""
    own = getattr(made.mesh, "processes", {"": made.mesh.process})
    found: defaultdict[str, float] = defaultdict(float, {"mesh": 0.0, "mesh's children": 0.0})
    family = [process.pid for process in own.values()]
    while family:
        pid = family.pop()
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        own_time, ended = (sum(map(int, fields[at : at + 2])) / os.sysconf("SC_CLK_TCK") for at in (11, 13))
        found["mesh's children" if int(fields[16]) > 0 else "mesh"] += own_time
        found["mesh's children"] += ended
        family += children(pid)
    return found


def _told(measures: dict[str, float]) -> str:
    p99, gap = (
        f"{measures.get(f'alone {of}', 0) * 1e3:.0f} -> {measures.get(f'beside {of}', 0) * 1e3:.0f} ms" for of in ("p99", "gap p99")
    )
    rest = {name: round(value, 2) for name, value in measures.items() if name.startswith(("CPU", "answer", "turns"))}
    return f"p99 {p99}, gaps {gap}, {rest}"


def _page(tried: Sequence[Tried], seconds: float) -> str:
    groups: defaultdict[str, list[Tried]] = defaultdict(list)
    for each in tried:
        groups[group_of(each.case)].append(each)
    claim = (
        f"A tenant sends {RATE} small chats a second, due at fixed times, and reads {STREAMS} streams of 20 pieces a second, while another "
        f"tenant attacks from a process of a lower priority. Each attack lasts {BESIDE:g} s; alone is the {ALONE:g} s before and after. "
        "Milliseconds; the median of the repetitions, and of the ratios the least and the most. Goal: p99 beside is at most "
        "twice p99 alone, no request fails, and no turn of an event loop uses more than 250 ms of the processor."
    )
    failed = [each for each in tried if each.failure]
    requests = sum(int(each.measures["beside requests"]) for each in tried)
    held = f"**{len(failed)} of {len(tried)} repetitions had failed requests of the victim; {requests} requests beside attacks.**"
    busy = f"Load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors, which the mesh, the provider and both tenants share."
    lines = [f"# {NAME}", "", claim, "", held, "", busy, ""]
    lines += [*conditions({each.commit for each in tried}, seconds, f"make prove PROOF={NAME}"), ""]
    lines += _table("Chats", groups, "") + _table("Gaps between pieces of streams", groups, "gap ") + _attacks(groups)
    lines += ["## What failed", "", *(f"- `{each.case}`: {each.failure}" for each in failed), ""] if failed else []
    return "\n".join(lines)


def _table(title: str, groups: dict[str, list[Tried]], prefix: str) -> list[str]:
    lines = [f"## {title}", "", "| | p50 alone | beside | p99 alone | beside | ratio | max alone | beside |", "|---|" + "---:|" * 7]
    for group, some in groups.items():
        cells = [f"`{group}`"]
        for which in ("p50", "p99", "max"):
            cells += [f"{_middle(some, f'{when} {prefix}{which}') * 1e3:.1f}" for when in ("alone", "beside")]
            if which == "p99":
                cells.append(_ratio(some, f"{prefix}p99"))
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _attacks(groups: dict[str, list[Tried]]) -> list[str]:
    """What the attacker was answered, and who used the processor."""
    users = ("mesh", "mesh's children", "attacker", "victim")
    lines = ["## The attacks", "", "| | failed | turns | answers, a second | " + " | ".join(f"CPU of {user}" for user in users) + " |"]
    lines.append("|---|---:|---:|---|" + "---:|" * len(users))
    for group, some in groups.items():
        names = dict.fromkeys(name for each in some for name in each.measures if name.startswith("answer "))
        answers = ", ".join(f"{name.removeprefix('answer ')}: {_middle(some, name):.3g}" for name in names)
        totals = [sum(each.measures[name] for each in some) for name in ("beside failed", "turns")]
        cells = [f"`{group}`", *(f"{total:.0f}" for total in totals), answers, *(f"{_middle(some, f'CPU {who}'):.0%}" for who in users)]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, "", "CPU: of one processor. The mesh's children run templates and schemas, and give way to everything else.", ""]


def _middle(some: Sequence[Tried], name: str) -> float:
    return statistics.median(each.measures.get(name, 0.0) for each in some)


def _ratio(some: Sequence[Tried], name: str) -> str:
    ratios = sorted(each.measures[f"beside {name}"] / each.measures[f"alone {name}"] for each in some if f"beside {name}" in each.measures)
    if not ratios:
        return ""
    return f"**{statistics.median(ratios):.2f}**" + (f" ({ratios[0]:.2f} to {ratios[-1]:.2f})" if len(ratios) > 1 else "")
