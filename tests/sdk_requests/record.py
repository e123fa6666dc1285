"""Records what official libraries send: each case is a call of the library, pointed at a recorder.

    uvx --with ollama==0.6.3 python tests/sdk_requests/record.py ollama
    uvx --with cohere==7.3.1 python tests/sdk_requests/record.py cohere
    uvx --with voyageai==0.5.0 python tests/sdk_requests/record.py voyageai
    uvx --with mistralai==3.7.0 python tests/sdk_requests/record.py mistralai

The libraries bring many packages, and none of them is needed to compare with what they sent: `<library>.json` holds it, with the version.
The tests of the adapters make the same calls by the typed contract, and compare field by field.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8
SCHEMA = {"type": "object", "properties": {"city": {"type": "string", "description": "Where"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "The weather of a city", "parameters": SCHEMA}}
HEADERS = ("accept", "authorization", "content-type")


class Recorder(BaseHTTPRequestHandler):
    """Answers everything alike, and remembers what came."""

    last: dict[str, Any]

    def do_POST(self) -> None:
        """A request with a body."""
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        Recorder.last = self._seen() | {"body": json.loads(body)}
        self._answer()

    def do_GET(self) -> None:
        """A request without."""
        Recorder.last = self._seen()
        self._answer()

    def log_message(self, *args: object) -> None:
        """Nothing."""

    def _seen(self) -> dict[str, Any]:
        headers = {name: self.headers[name] for name in HEADERS if name in self.headers}
        return {"method": self.command, "path": self.path, "headers": headers}

    def _answer(self) -> None:
        self.send_response(400)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"error": "recorded", "message": "recorded"}')


def ollama(url: str) -> dict[str, Callable[[], object]]:
    """Calls of the library of Ollama."""
    client = import_module("ollama").Client(host=url, headers={"authorization": "Bearer key"})
    hello = [{"role": "user", "content": "Hello"}]
    conversation = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Zürich?"},
        {
            "role": "assistant",
            "thinking": "A tool knows.",
            "content": "I look.",
            "tool_calls": [{"function": {"name": "get_weather", "arguments": {"city": "Zürich"}}}],
        },
        {"role": "tool", "tool_name": "get_weather", "content": "sunny"},
    ]
    options = {"temperature": 0.5, "top_p": 0.9, "top_k": 40, "seed": 7, "stop": ["END"], "num_predict": 64, "min_p": 0.05}
    penalties = {"presence_penalty": 0.5, "frequency_penalty": 0.25, "num_predict": 64}
    return {
        "hello": lambda: client.chat("llama3", hello, options={"num_predict": 64}),
        "streamed": lambda: list(client.chat("llama3", hello, stream=True, options={"num_predict": 64})),
        "options": lambda: client.chat("llama3", hello, options=options, keep_alive="5m"),
        "penalties": lambda: client.chat("llama3", hello, options=penalties),
        "tools": lambda: client.chat("llama3", conversation, tools=[TOOL], options={"num_predict": 64}),
        "thinking": lambda: client.chat("qwen3", hello, think=True, options={"num_predict": 64}),
        "no_thinking": lambda: client.chat("qwen3", hello, think=False, options={"num_predict": 64}),
        "level": lambda: client.chat("gpt-oss:20b", hello, think="high", options={"num_predict": 64}),
        "json": lambda: client.chat("llama3", hello, format="json", options={"num_predict": 64}),
        "schema": lambda: client.chat("llama3", hello, format=SCHEMA, options={"num_predict": 64}),
        "image": lambda: client.chat("llava", [{"role": "user", "content": "What is it?", "images": [PNG]}], options={"num_predict": 64}),
        "logprobs": lambda: client.chat("llama3", hello, logprobs=True, top_logprobs=3, options={"num_predict": 64}),
        "embed": lambda: client.embed("nomic", ["one", "two"], dimensions=64),
        "embed_extras": lambda: client.embed("nomic", ["one"], truncate=False, keep_alive="1h"),
        "show": lambda: client.show("llama3"),
        "tags": client.list,
    }


def cohere(url: str) -> dict[str, Callable[[], object]]:
    """Calls of the library of Cohere, version 2 of its interface."""
    client = import_module("cohere").ClientV2(api_key="key", base_url=url)
    user: Any = [{"role": "user", "content": "Hello"}]
    conversation: Any = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Zürich?"},
        {
            "role": "assistant",
            "tool_plan": "I look.",
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Zürich"}'}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    ]
    image = "data:image/png;base64,iVBORw0KGgoAAAAAAAAAAA=="
    picture: Any = [
        {
            "role": "user",
            "content": [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": image, "detail": "low"}}],
        }
    ]
    thought: Any = [
        {"role": "user", "content": "Think."},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Done."}]},
        {"role": "user", "content": "Again."},
    ]
    tools: Any = [TOOL]
    schema: Any = {"type": "json_object", "json_schema": SCHEMA}
    documents: Any = [{"id": "d1", "data": {"text": "Snow is white."}}, "Grass is green."]
    return {
        "hello": lambda: client.chat(model="command-a", messages=user, max_tokens=64),
        "streamed": lambda: list(client.chat_stream(model="command-a", messages=user, max_tokens=64)),
        "sampling": lambda: client.chat(
            model="command-a",
            messages=user,
            max_tokens=64,
            temperature=0.5,
            p=0.9,
            k=40,
            seed=7,
            stop_sequences=["END"],
            frequency_penalty=0.25,
            presence_penalty=0.5,
            logprobs=True,
        ),
        "tools": lambda: client.chat(
            model="command-a", messages=conversation, tools=tools, max_tokens=64, strict_tools=True, tool_choice="REQUIRED"
        ),
        "no_tools": lambda: client.chat(model="command-a", messages=user, tools=tools, max_tokens=64, tool_choice="NONE"),
        "json": lambda: client.chat(model="command-a", messages=user, max_tokens=64, response_format={"type": "json_object"}),
        "schema": lambda: client.chat(model="command-a", messages=user, max_tokens=64, response_format=schema),
        "thinking": lambda: client.chat(model="command-a", messages=user, max_tokens=64, thinking={"type": "enabled", "token_budget": 32}),
        "no_thinking": lambda: client.chat(model="command-a", messages=user, max_tokens=64, thinking={"type": "disabled"}),
        "thought": lambda: client.chat(model="command-a", messages=thought, max_tokens=64),
        "image": lambda: client.chat(model="command-a", messages=picture, max_tokens=64),
        "documents": lambda: client.chat(
            model="command-a", messages=user, max_tokens=64, documents=documents, citation_options={"mode": "FAST"}
        ),
        "safety": lambda: client.chat(model="command-a", messages=user, max_tokens=64, safety_mode="STRICT", priority=3),
        "embed": lambda: client.embed(
            model="embed-v4.0", texts=["one", "two"], input_type="search_document", embedding_types=["float"], output_dimension=256
        ),
        "embed_query": lambda: client.embed(
            model="embed-v4.0", texts=["one"], input_type="search_query", embedding_types=["float"], truncate="END"
        ),
        "rerank": lambda: client.rerank(model="rerank-v4.0", query="snow", documents=["white", "green"], top_n=1, max_tokens_per_doc=512),
        "models": lambda: client.models.list(page_size=1000),
    }


def voyageai(url: str) -> dict[str, Callable[[], object]]:
    """Calls of the library of Voyage AI."""
    client = import_module("voyageai").Client(api_key="key", base_url=url, max_retries=0)
    return {
        "rerank": lambda: client.rerank("snow", ["white", "green"], "rerank-2.5", top_k=1),
        "rerank_all": lambda: client.rerank("snow", ["white", "green"], "rerank-2.5", truncation=False),
        "embed": lambda: client.embed(["one", "two"], "voyage-3.5", input_type="document", output_dimension=256),
        "embed_plain": lambda: client.embed(["one"], "voyage-3.5"),
    }


def mistralai(url: str) -> dict[str, Callable[[], object]]:
    """Calls of the library of Mistral AI."""
    client = import_module("mistralai.client").Mistral(api_key="key", server_url=url)
    user: Any = [{"role": "user", "content": "Hello"}]
    tools: Any = [TOOL]
    thought: Any = [
        {"role": "user", "content": "Think."},
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Done."}],
        },
        {"role": "user", "content": "Again."},
    ]
    return {
        "hello": lambda: client.chat.complete(model="mistral-small", messages=user, max_tokens=64),
        "sampling": lambda: client.chat.complete(
            model="mistral-small",
            messages=user,
            max_tokens=64,
            temperature=0.5,
            top_p=0.9,
            random_seed=7,
            stop=["END"],
            presence_penalty=0.5,
            frequency_penalty=0.25,
            n=2,
        ),
        "tools": lambda: client.chat.complete(
            model="mistral-small", messages=user, max_tokens=64, tools=tools, tool_choice="required", parallel_tool_calls=False
        ),
        "effort": lambda: client.chat.complete(model="mistral-small", messages=user, max_tokens=64, reasoning_effort="high"),
        "thought": lambda: client.chat.complete(model="magistral-small", messages=thought, max_tokens=64, prompt_mode="reasoning"),
        "extras": lambda: client.chat.complete(model="mistral-small", messages=user, max_tokens=64, safe_prompt=True),
        "embed": lambda: client.embeddings.create(model="mistral-embed", inputs=["one", "two"]),
    }


LIBRARIES = {"ollama": ollama, "cohere": cohere, "voyageai": voyageai, "mistralai": mistralai}


def main() -> None:
    """Make the calls of one library, and write what came."""
    name = sys.argv[1]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cases = {}
    for case, call in LIBRARIES[name](f"http://127.0.0.1:{server.server_port}").items():
        Recorder.last = {}
        try:
            call()
        except Exception as error:
            if not Recorder.last:
                raise SystemExit(f"{name} {case}: nothing was sent: {error!r}") from error
        cases[case] = Recorder.last
    server.shutdown()
    text = json.dumps({"library": name, "version": importlib.metadata.version(name), "cases": cases}, indent=1, ensure_ascii=False)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
