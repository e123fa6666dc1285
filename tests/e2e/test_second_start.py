"""A mesh that was ended, gently or not, finds its state when it starts again."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from openai import OpenAI

from tests.e2e.running import RunningMesh, running


def ask(mesh: RunningMesh, text: str) -> str | None:
    """One question to the simulator."""
    with OpenAI(base_url=mesh.base_url, api_key=mesh.project_key, max_retries=0, timeout=30) as client:
        return client.chat.completions.create(model="sim-echo", messages=[{"role": "user", "content": text}]).choices[0].message.content


def test_keys_and_spend_survive_a_restart_and_a_kill(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        assert ask(first, "one") == "one"
        keys = first.admin_key, first.project_key
        assert first.stop() == 0
        assert not (tmp_path / "ready").exists()
    with running(tmp_path) as second:
        assert (second.admin_key, second.project_key) == keys
        assert ask(second, "two") == "two"
        second.kill()
    (tmp_path / "ready").unlink()
    with running(tmp_path) as third:
        assert ask(third, "three") == "three"
        budget = third.cli("spend", "--project", "default", "--json")
        rows = json.loads(budget.stdout)["rows"]
        assert sum(int(row["requests"]) for row in rows) == 3


def test_only_the_owner_may_read_keys(embedded: RunningMesh) -> None:
    for name in ("admin.key", "project.key", "mesh.secret", "policy.pepper", "policy.db"):
        assert stat.S_IMODE((embedded.data_dir / name).stat().st_mode) == 0o600, name
