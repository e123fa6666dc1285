"""Requests per second, added latency and CPU per request of the embedded mesh with everything on, beside direct calls, in one run.

python -m bench [--seconds S] [--passes N] [--json FILE] [--profile]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

import grpc

from bench.behaviour import CHUNKS
from bench.mesh import LOAD_CORE, Running, embedded, upstream
from llm_mesh.policy.v1 import identity_pb2

KEYS = 32
PROMPTS = 1_000
MODEL = "sim-echo"
WORDS = "the of to and in is it mesh model route token policy prompt answer ledger budget stream reserve settle".split()  # noqa: SIM905
COUNTERS = ("per_second", "p50_ms", "p99_ms", "first_p50_ms", "cpu_us")


def main() -> None:
    """Measures, and prints the tables."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="llm-mesh-bench-") as place:
        folder = Path(place)
        print(conditions(folder))
        with upstream(folder) as port:
            rows = compared(arguments, folder, "instant", port, {"whole": (1, 16, 64), "streamed": (1, 16)})
            with upstream(folder, delay_ms=20) as slow:
                rows += compared(arguments, folder, "20 ms", slow, {"whole": (16,)})
            print(table(rows))
            if arguments.profile:
                print(profile(folder, port, arguments.seconds))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))
    if any(row["failed"] for row in rows):
        sys.exit("some requests failed: the figures mean nothing")


def compared(
    arguments: argparse.Namespace, folder: Path, name: str, port: int, scenarios: Mapping[str, Sequence[int]]
) -> list[dict[str, Any]]:
    """A mesh before one upstream, at several loads."""
    rows: list[dict[str, Any]] = []
    with embedded(folder, port) as mesh:
        keys = make_keys(mesh)
        for kind, loads in scenarios.items():
            direct = requests(folder / "direct", ["none"], streamed=kind == "streamed")
            through = requests(folder / "mesh", keys, streamed=kind == "streamed")
            for count in loads:
                found = measured(arguments, count, mesh, port, direct, through)
                rows += [{"upstream": name, "streamed": kind == "streamed"} | row for row in found]
        print(f"upstream {name}: mesh started in {mesh.started_seconds:.2f} s, has {mesh.memory_mb():.0f} MB (PSS) after load")
    return rows


def measured(arguments: argparse.Namespace, count: int, mesh: Running, port: int, direct: Path, through: Path) -> Iterable[dict[str, Any]]:
    """Direct and through the mesh in turn, so that both see the same noise; medians with their spread."""
    passes: dict[str, list[dict[str, float]]] = {"direct": [], "mesh": []}
    for _ in range(arguments.passes):
        passes["direct"].append(loaded(port, direct, count, arguments.seconds, None))
        passes["mesh"].append(loaded(mesh.http, through, count, arguments.seconds, mesh))
    for target, results in passes.items():
        row: dict[str, Any] = {"connections": count, "target": target}
        row["failed"] = sum(result["failed"] for result in results)
        for counter in COUNTERS:
            values = [result[counter] for result in results if counter in result]
            if values:
                row[counter] = statistics.median(values)
                row[f"{counter}_spread"] = max(values) - min(values)
        yield row


def loaded(port: int, path: Path, count: int, seconds: float, mesh: Running | None) -> dict[str, float]:
    """One run of the generator, with the CPU that the mesh used meanwhile."""
    command = [sys.executable, "-m", "bench.closed_load", "127.0.0.1", str(port), str(path), str(count), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=_on_load_core) as load:  # noqa: PLW1509 - no threads
        output = cast("IO[str]", load.stdout)
        output.readline()
        before = mesh.cpu_seconds() if mesh else 0.0
        output.readline()
        used = mesh.cpu_seconds() - before if mesh else 0.0
        result: dict[str, float] = json.loads(output.readline())
    if "error" in result:
        sys.exit(f"the load broke off: {result['error']}")
    if mesh:
        result["cpu_us"] = used / result["requests"] * 1e6
    return result


def make_keys(mesh: Running) -> list[str]:
    """Keys of the default project, so that no cache of keys is flattered."""
    authorization = (("authorization", f"Bearer {(mesh.data / 'admin.key').read_text().strip()}"),)
    with grpc.insecure_channel(f"127.0.0.1:{mesh.grpc}") as channel:
        call = channel.unary_unary(
            "/llm_mesh.policy.v1.IdentityService/CreateKey",
            request_serializer=identity_pb2.CreateKeyRequest.SerializeToString,
            response_deserializer=identity_pb2.CreateKeyResponse.FromString,
        )
        whoami = channel.unary_unary(
            "/llm_mesh.policy.v1.IdentityService/WhoAmI",
            request_serializer=identity_pb2.WhoAmIRequest.SerializeToString,
            response_deserializer=identity_pb2.WhoAmIResponse.FromString,
        )
        project = (("authorization", f"Bearer {(mesh.data / 'project.key').read_text().strip()}"),)
        caller = whoami(identity_pb2.WhoAmIRequest(), metadata=project).caller
        wanted = identity_pb2.CreateKeyRequest(parent=caller.project, key=identity_pb2.Key(principal=caller.principal))
        return [call(wanted, metadata=authorization).secret for _ in range(KEYS)]


def requests(path: Path, keys: list[str], *, streamed: bool) -> Path:
    """About 1 KB each, with different prompts and keys in rotation."""
    dice = random.Random(7)  # noqa: S311 - texts of a benchmark
    with path.open("wb") as file:
        for number in range(PROMPTS):
            text = " ".join(dice.choices(WORDS, k=150))
            body: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": f"{number} {text}"}], "max_tokens": 256}
            if streamed:
                body |= {"stream": True, "stream_options": {"include_usage": True}}
            content = json.dumps(body, separators=(",", ":")).encode()
            head = (
                "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
                f"authorization: Bearer {keys[number % len(keys)]}\r\ncontent-length: {len(content)}\r\n\r\n"
            )
            request = head.encode() + content
            file.write(b"%d\n" % len(request) + request)
    return path


def conditions(folder: Path) -> str:
    """What the figures hold under."""
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "?")
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False).stdout.strip()  # noqa: S607
    return (
        f"{time.strftime('%Y-%m-%d')}, commit {commit}; {os.cpu_count()} cores of {model}, Python {platform.python_version()}.\n"
        f"The mesh on one core, generator and upstream on the other; {KEYS} keys and {PROMPTS} prompts of about 1 KB in rotation;\n"
        "authentication, Casbin, screening, reservation, settlement, ledger and metrics on.\n"
        f"One fsync takes {fsync_ms(folder):.2f} ms here; load average at the begin {os.getloadavg()[0]:.1f}."
    )


def fsync_ms(folder: Path) -> float:
    """The disk's share of every durable answer."""
    taken = []
    with (folder / "fsync").open("wb") as file:
        for _ in range(50):
            file.write(b"x" * 4096)
            file.flush()
            begun = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1e3


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown; added latency is against direct calls of the same pass."""
    lines = [
        "\n| upstream | answers | in flight | target | requests/s | p50 ms | p99 ms | added p50 ms | CPU µs/request |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    direct_p50 = 0.0
    for row in rows:
        if row["target"] == "direct":
            direct_p50 = row["p50_ms"]
        added = "" if row["target"] == "direct" else f"{row['p50_ms'] - direct_p50:.2f}"
        cpu = (
            "" if "cpu_us" not in row else f"{row['cpu_us']:.0f}" + (f" ({row['cpu_us'] / CHUNKS:.1f} a chunk)" if row["streamed"] else "")
        )
        kind = f"{CHUNKS} chunks" if row["streamed"] else "whole"
        rate = f"{row['per_second']:.0f} ± {row['per_second_spread'] / 2:.0f}"
        lines.append(
            f"| {row['upstream']} | {kind} | {row['connections']} | {row['target']} | {rate} | "
            f"{row['p50_ms']:.2f} | {row['p99_ms']:.2f} | {added} | {cpu} |"
        )
    return "\n".join(lines)


def profile(folder: Path, port: int, seconds: float) -> str:
    """Where the time goes at 64 in flight: by package, and the functions that take most of their own."""
    output = folder / "profile.json"
    with embedded(folder, port, profile=output) as mesh:
        path = requests(folder / "mesh", make_keys(mesh), streamed=False)
        os.kill(mesh.pid, signal.SIGUSR1)
        loaded(mesh.http, path, 64, max(seconds, 5.0), None)
        os.kill(mesh.pid, signal.SIGUSR2)
        time.sleep(1)
    found = json.loads(output.read_text())
    ticks = found["ticks"]
    packages: dict[str, int] = {}
    for name, count in found["own"]:
        package = name.split(":")[0].split(".")[0]
        packages[package] = packages.get(package, 0) + count
    lines = [f"\nProfile of the main thread, {ticks} samples of its CPU time, own time by package:", "", "| package | share |", "|---|---|"]
    lines += [f"| {name} | {count / ticks:.1%} |" for name, count in sorted(packages.items(), key=lambda item: -item[1])[:15]]
    lines += ["", "| function | within it | own |", "|---|---|---|"]
    own = dict(found["own"])
    ours = [(name, count) for name, count in found["within"] if name.startswith("llm_mesh")][:35]
    lines += [f"| `{name}` | {count / ticks:.1%} | {own.get(name, 0) / ticks:.1%} |" for name, count in ours]
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--profile", action="store_true")
    return parser.parse_args()


def _on_load_core() -> None:
    if LOAD_CORE in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {LOAD_CORE})


if __name__ == "__main__":
    main()
