"""Requests with each feature of the dialect, and what of the body they become must be there."""

from __future__ import annotations

import json
from typing import Any

from llm_mesh.inference.v1 import content_pb2, generate_pb2

Part, Text, Media = content_pb2.Part, content_pb2.Text, content_pb2.Media
USER, MODEL, TOOL, SYSTEM = content_pb2.ROLE_USER, content_pb2.ROLE_ASSISTANT, content_pb2.ROLE_TOOL, content_pb2.ROLE_SYSTEM
CLAUDE, NOVA, GPT = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-2-lite-v1:0", "openai.gpt-oss-120b-1:0"
ARN = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc123"
CLOSED = '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}'
SCHEMA = '{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}'


def turn(role: content_pb2.Role, *parts: content_pb2.Part) -> content_pb2.Message:
    return content_pb2.Message(role=role, parts=parts)


def text(value: str, **more: Any) -> content_pb2.Part:
    return Part(text=Text(text=value), **more)


def request(*messages: content_pb2.Message, **more: Any) -> generate_pb2.GenerateInput:
    return generate_pb2.GenerateInput(messages=messages or [turn(USER, text("Hi"))], **more)


def function(name: str = "clock", **more: Any) -> content_pb2.Tool:
    return content_pb2.Tool(function=content_pb2.FunctionTool(name=name, parameters_json=SCHEMA, **more))


def extras(**values: Any) -> list[content_pb2.Extra]:
    return [content_pb2.Extra(dialect="bedrock", key=key, json=json.dumps(value).encode()) for key, value in values.items()]


def opaque(kind: str, value: Any) -> content_pb2.OpaquePart:
    return content_pb2.OpaquePart(dialect="bedrock", type=kind, json=json.dumps({kind: value}).encode())


PNG = Media(data=b"\x89PNG\r\n", mime_type="image/png")
HISTORY = (
    turn(USER, text("What time is it?")),
    turn(
        MODEL,
        Part(reasoning=content_pb2.Reasoning(text="hm", signature="proof")),
        Part(reasoning=content_pb2.Reasoning(redacted=b"\x00\x01")),
        text("Let me see"),
        Part(tool_call=content_pb2.ToolCall(id="toolu|1", name="clock", arguments_json='{"n": 1}')),
    ),
    turn(
        TOOL,
        Part(
            tool_result=content_pb2.ToolResult(
                tool_call_id="toolu|1",
                is_error=True,
                parts=[
                    text("42"),
                    Part(image=PNG),
                    Part(file=Media(data=b"a,b", mime_type="text/csv", filename="a.csv")),
                    Part(file=Media(uri="s3://reports/film.mp4", mime_type="video/mp4")),
                    Part(opaque=opaque("json", {"n": [1, None]})),
                    Part(opaque=opaque("searchResult", {"source": "s", "title": "t", "content": [{"text": "x"}]})),
                ],
            )
        ),
    ),
)
TOOLS = {"tools": [function(description="tells the time", strict=True), function("other")]}
CASES: dict[str, tuple[generate_pb2.GenerateInput, dict[str, Any]]] = {
    "a text": (request(), {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}),
    "a system prompt with a cache point": (
        request(turn(SYSTEM, text("Be brief", cache_hint=content_pb2.CacheHint(ttl_seconds=3600))), turn(USER, text("Hi"))),
        {"system": [{"text": "Be brief"}, {"cachePoint": {"type": "default", "ttl": "1h"}}]},
    ),
    "sampling and stops": (
        request(sampling=generate_pb2.Sampling(temperature=0.5, top_k=3), stop=["END"]),
        {
            "inferenceConfig": {"maxTokens": 4096, "temperature": 0.5, "stopSequences": ["END"]},
            "additionalModelRequestFields": {"top_k": 3},
        },
    ),
    "tools": (
        request(*HISTORY, **TOOLS, tool_choice=content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_NAMED, name="clock")),
        {
            "toolConfig": {
                "tools": [
                    {
                        "toolSpec": {
                            "name": "clock",
                            "description": "tells the time",
                            "strict": True,
                            "inputSchema": {"json": json.loads(SCHEMA) | {"additionalProperties": False}},
                        }
                    },
                    {"toolSpec": {"name": "other", "inputSchema": {"json": json.loads(SCHEMA)}}},
                ],
                "toolChoice": {"tool": {"name": "clock"}},
            }
        },
    ),
    "tools that must be called": (
        request(**TOOLS, tool_choice=content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_REQUIRED)),
        {},
    ),
    "one call at once": (request(**TOOLS, parallel_tool_calls=False), {}),
    "a schema": (
        request(
            response_format=content_pb2.ResponseFormat(
                json_schema=content_pb2.JsonSchemaFormat(name="n", description="d", schema_json=SCHEMA)
            )
        ),
        {
            "outputConfig": {
                "textFormat": {
                    "type": "json_schema",
                    "structure": {
                        "jsonSchema": {
                            "name": "n",
                            "description": "d",
                            "schema": CLOSED,
                        }
                    },
                }
            }
        },
    ),
    "thinking": (
        request(reasoning=generate_pb2.ReasoningOptions(budget_tokens=2048)),
        {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2048}}},
    ),
    "media": (
        request(
            turn(
                USER,
                text("See"),
                Part(image=PNG),
                Part(image=Media(uri="s3://reports/a.jpeg")),
                Part(file=Media(data=b"%PDF", mime_type="application/pdf", filename="Größe_№1  (final).pdf")),
                Part(file=Media(data=b"x", mime_type="text/x-log", filename="Größe_№1  (final).pdf")),
                Part(file=Media(data=b"x", mime_type="video/quicktime")),
                Part(audio=Media(data=b"x", mime_type="audio/mpeg")),
            )
        ),
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"text": "See"},
                        {"image": {"format": "png", "source": {"bytes": "iVBORw0K"}}},
                        {"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://reports/a.jpeg"}}}},
                        {"document": {"format": "pdf", "name": "Groe No1 (final)", "source": {"bytes": "JVBERg=="}}},
                        {"document": {"format": "pdf", "name": "Groe No1 (final) (2)", "source": {"bytes": "eA=="}}},
                        {"video": {"format": "mov", "source": {"bytes": "eA=="}}},
                        {"audio": {"format": "mp3", "source": {"bytes": "eA=="}}},
                    ],
                }
            ]
        },
    ),
    "keys of the dialect": (
        request(
            turn(USER, text("Hi"), Part(opaque=opaque("guardContent", {"text": {"text": "x", "qualifiers": ["query"]}}))),
            extras=extras(
                serviceTier={"type": "flex"},
                performanceConfig={"latency": "optimized"},
                requestMetadata={"team": "blue"},
                additionalModelResponseFieldPaths=["/stop"],
                promptVariables={"a": {"text": "b"}},
                projectIdentifier="p",
                guardrailConfig={"guardrailIdentifier": "abc", "guardrailVersion": "1", "trace": "enabled"},
                outputConfig={"effort": "low"},
            ),
        ),
        {"serviceTier": {"type": "flex"}, "performanceConfig": {"latency": "optimized"}, "requestMetadata": {"team": "blue"}},
    ),
    "a tool of the provider": (request(tools=[content_pb2.Tool(opaque=opaque("systemTool", {"name": "nova_grounding"}))]), {}),
    "sources of an answer": (
        request(
            turn(USER, text("a")),
            turn(
                MODEL,
                Part(
                    text=Text(
                        text="b",
                        annotations=[
                            content_pb2.Extra(
                                dialect="bedrock", key="citation", json=b'{"title": "t", "location": {"web": {"url": "https://a.example"}}}'
                            )
                        ],
                    )
                ),
            ),
            turn(USER, text("c")),
        ),
        {},
    ),
}
