"""The simulator as one service of a process, as `llm-mesh up` hosts it."""

from pathlib import Path

import openai
import orjson
import pytest

from llm_mesh_runtime.testing import host
from llm_mesh_simulator.settings import Settings
from llm_mesh_simulator.wiring import service


async def test_a_host_serves_it_and_keeps_its_log_in_the_data_directory(tmp_path: Path) -> None:
    async with host(service, link="local", settings={"simulator": Settings(address="127.0.0.1:0")}, data_dir=tmp_path) as mesh:
        url = f"http://{mesh.http('simulator')}/v1"
        async with openai.AsyncOpenAI(base_url=url, api_key="any", max_retries=0) as client:
            answer = await client.chat.completions.create(model="sim-echo", messages=[{"role": "user", "content": "Hello"}])
            assert answer.choices[0].message.content == "Hello"
            for model in ("sim-reset", "sim-hangup"):
                with pytest.raises(openai.APIConnectionError):
                    await client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hello"}])
    lines = [orjson.loads(line) for line in (tmp_path / "simulator.log.jsonl").read_bytes().splitlines()]
    assert [line["outcome"] for line in lines if line["event"] == "served"] == ["completed", "failed", "failed"]
