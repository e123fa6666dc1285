"""What engines are sent: prompts by the model's own template, sampling, forms of the answer, calls of tools."""

from __future__ import annotations

import json
import threading
from typing import Any

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_engine.provider.tokenizers import HuggingFaceText
from llm_mesh_adapter_engine.settings import Settings
from llm_mesh_adapter_engine.wiring import service
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.adapter_engine import fake_text
from tests.adapter_engine.engine_adapter import KINDS, asked
from tests.adapter_engine.fake_engine import Script
from tests.adapter_kit.standing_adapter import ENDPOINT, StandingAdapter, saying

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = content_pb2.Tool(function=content_pb2.FunctionTool(name="weather", parameters_json=json.dumps(SCHEMA)))
OTHER = content_pb2.Tool(function=content_pb2.FunctionTool(name="clock"))
CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "Zürich"}}\n</tool_call>'
REQUIRED = content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_REQUIRED)
NAMED = content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_NAMED, name="weather")


def message(role: content_pb2.Role, *parts: content_pb2.Part) -> content_pb2.Message:
    return content_pb2.Message(role=role, parts=parts)


def text(words: str) -> content_pb2.Part:
    return content_pb2.Part(text=content_pb2.Text(text=words))


async def refusal(adapter: StandingAdapter, **more: Any) -> Any:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await adapter.generate(**more)
    return from_rpc_error(failure.value)


async def test_a_conversation_is_written_by_the_models_own_template() -> None:
    call = content_pb2.ToolCall(id="c1", name="weather", arguments_json='{"city": "Bern"}')
    result = content_pb2.ToolResult(tool_call_id="c1", parts=[text("rain")])
    messages = [
        message(content_pb2.ROLE_SYSTEM, text("Be brief.")),
        message(content_pb2.ROLE_USER, text("Wetter "), text("in Bern?")),
        message(content_pb2.ROLE_ASSISTANT, content_pb2.Part(tool_call=call)),
        message(content_pb2.ROLE_TOOL, content_pb2.Part(tool_result=result)),
    ]
    async with asked(tool_parser="hermes") as (adapter, engine):
        await adapter.generate(messages=messages, tools=[TOOL])
        assert engine.prompt == (
            "<|begin|>TOOLS weather;system: Be brief.\nuser: Wetter \nin Bern?\nassistant: [weather Bern]\ntool: rain\nassistant: "
        )
        assert engine.calls["GetTokenizer"] == 1


async def test_the_tokenizer_is_learnt_once_and_may_come_from_a_folder(tmp_path: Any) -> None:
    for name, words in fake_text.files("FOLDER {{ messages[0].content }}").items():
        (tmp_path / name).write_text(words)
    (tmp_path / "own.jinja").write_text("OWN {{ messages[0].content }}")
    async with asked(tokenizer=str(tmp_path)) as (adapter, engine):
        await adapter.generate()
        await adapter.generate()
        assert (engine.prompt, engine.calls["GetTokenizer"], engine.calls["GetModelInfo"]) == ("FOLDER Hello", 0, 1)
    async with asked(chat_template=str(tmp_path / "own.jinja")) as (adapter, engine):
        await adapter.generate()
        assert (engine.prompt, engine.calls["GetTokenizer"]) == ("OWN Hello", 1)


@pytest.mark.parametrize(("size", "aside"), [(1_000, False), (100_000, True)])
async def test_the_tokens_of_a_long_prompt_are_made_off_the_event_loop(monkeypatch: pytest.MonkeyPatch, size: int, *, aside: bool) -> None:
    threads: list[bool] = []
    encode = HuggingFaceText.encode

    def recorded(text: HuggingFaceText, words: str, *, special: bool) -> Any:
        threads.append(threading.current_thread() is not threading.main_thread())
        return encode(text, words, special=special)

    monkeypatch.setattr(HuggingFaceText, "encode", recorded)
    async with asked(Script(window=0)) as (adapter, engine):
        await adapter.generate(messages=[message(content_pb2.ROLE_USER, text("x" * size))])
    assert threads == [aside]
    assert len(engine.last.tokenized.input_ids) > size


@pytest.mark.parametrize("kind", KINDS)
async def test_sampling_reaches_the_engine_and_what_it_lacks_is_reported(kind: str) -> None:
    sampling = generate_pb2.Sampling(
        temperature=0.5, top_p=0.75, top_k=7, frequency_penalty=0.5, presence_penalty=-0.5, seed=42, logit_bias={"5": 2.5}
    )
    extra = content_pb2.Extra(dialect="openai", key="min_p", json=b"0.25")
    async with asked(kind=kind) as (adapter, engine):
        response = await adapter.generate(sampling=sampling, stop=["x"], extras=[extra], end_user="u1")
    params = engine.last.sampling_params
    assert (params.temperature, params.top_p, params.top_k, params.min_p) == (0.5, 0.75, 7, 0.25)
    assert (params.frequency_penalty, params.presence_penalty, list(params.stop), params.n) == (0.5, -0.5, ["x"], 1)
    assert {int(token): bias for token, bias in params.logit_bias.items()} == {5: 2.5}
    assert (params.max_tokens if kind == "vllm" else params.max_new_tokens) == 256
    lost = {each.field for each in response.output.translations}
    assert lost == {"end_user"} | ({"sampling.seed"} if kind == "sglang" else set())


async def test_sglang_is_sent_neutral_numbers_where_a_request_says_none() -> None:
    async with asked(kind="sglang") as (adapter, engine):
        await adapter.generate()
    params = engine.last.sampling_params
    assert (params.temperature, params.top_p, params.top_k, params.repetition_penalty) == (1.0, 1.0, -1, 1.0)


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        (content_pb2.ResponseFormat(json_object=content_pb2.JsonObjectFormat()), {"vllm": "json_object", "sglang": "json_schema"}),
        (
            content_pb2.ResponseFormat(json_schema=content_pb2.JsonSchemaFormat(name="a", schema_json=json.dumps(SCHEMA))),
            {"vllm": "json_schema", "sglang": "json_schema"},
        ),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_form_of_the_answer_is_the_engines_constraint(form: Any, fields: dict[str, str], kind: str) -> None:
    async with asked(kind=kind) as (adapter, engine):
        await adapter.generate(response_format=form)
    assert engine.last.sampling_params.WhichOneof("constraint") == fields[kind]


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("guided_regex", "[0-9]+", "regex"),
        ("guided_grammar", 'root ::= "a"', "grammar"),
        ("structured_outputs", {"choice": ["a", "b"]}, "choice"),
    ],
)
async def test_other_constraints_are_extras_that_the_operator_allows(key: str, value: Any, field: str) -> None:
    extra = content_pb2.Extra(dialect="openai", key=key, json=json.dumps(value).encode())
    async with asked(extras=["guided_*", "structured_outputs"]) as (adapter, engine):
        await adapter.generate(extras=[extra])
        assert engine.last.sampling_params.WhichOneof("constraint") == field
    async with asked() as (adapter, engine):
        assert (await refusal(adapter, extras=[extra])).reason_name == "EXTRA_NOT_ALLOWED"
        assert engine.requests == []


async def test_tools_that_a_model_may_call_are_refused_without_a_parser_and_nothing_is_sent() -> None:
    async with asked() as (adapter, engine):
        error = await refusal(adapter, tools=[TOOL])
        assert (error.reason_name, error.field) == ("INVALID_FIELD", "input.tools")
        assert "tool_parser" in error.message
        assert engine.requests == []
        await adapter.generate(tools=[TOOL], tool_choice=content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_NONE))
        assert "TOOLS" not in engine.prompt


@pytest.mark.parametrize("size", [1, 2, 7, 100])
async def test_calls_in_the_text_are_calls_however_it_is_cut(size: int) -> None:
    async with asked(Script(text=f"Let me see.\n{CALL}\n{CALL}", size=size), tool_parser="hermes") as (adapter, _):
        events, _ = await adapter.stream(tools=[TOOL])
    assert "".join(event.text.text for event in events).strip() == "Let me see."
    started = [event.tool_call_started for event in events if event.WhichOneof("kind") == "tool_call_started"]
    arguments = [event.tool_call.arguments_json for event in events if event.WhichOneof("kind") == "tool_call"]
    assert [(each.index, each.name) for each in started] == [(0, "weather"), (1, "weather")]
    assert len({each.id for each in started}) == 2
    assert [json.loads(each) for each in arguments] == [{"city": "Zürich"}] * 2
    finished = next(event.choice_finished for event in events if event.WhichOneof("kind") == "choice_finished")
    assert finished.finish_reason == generate_pb2.FINISH_REASON_TOOL_CALLS


async def test_what_stands_between_the_marks_and_is_no_call_stays_text() -> None:
    async with asked(Script(text="<tool_call>nonsense</tool_call>"), tool_parser="hermes") as (adapter, _):
        parts = (await adapter.generate(tools=[TOOL])).output.choices[0].message.parts
    assert [part.text.text for part in parts] == ["<tool_call>nonsense</tool_call>"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_named_tool_is_forced_by_the_schema_of_its_arguments(kind: str) -> None:
    async with asked(Script(text='{"city": "Zürich"}', size=3), kind) as (adapter, engine):
        events, _ = await adapter.stream(tools=[TOOL, OTHER], tool_choice=NAMED)
        assert json.loads(engine.last.sampling_params.json_schema) == SCHEMA
    assert [event.tool_call_started.name for event in events if event.HasField("tool_call_started")] == ["weather"]
    assert "".join(event.tool_call.arguments_json for event in events if event.HasField("tool_call")) == '{"city": "Zürich"}'
    assert not any(event.HasField("text") for event in events)


async def test_some_tool_is_forced_by_a_schema_of_all_of_them() -> None:
    calls = '[{"name": "clock", "parameters": {}}, {"name": "weather", "parameters": {"city": "Bern"}}]'
    async with asked(Script(text=calls)) as (adapter, engine):
        response = await adapter.generate(tools=[TOOL, OTHER], tool_choice=REQUIRED)
        schema = json.loads(engine.last.sampling_params.json_schema)
    assert (schema["minItems"], len(schema["items"]["anyOf"])) == (1, 2)
    choice = response.output.choices[0]
    assert [(part.tool_call.name, json.loads(part.tool_call.arguments_json)) for part in choice.message.parts] == [
        ("clock", {}),
        ("weather", {"city": "Bern"}),
    ]
    assert choice.finish_reason == generate_pb2.FINISH_REASON_TOOL_CALLS


async def test_a_forced_call_and_a_form_of_the_answer_exclude_each_other() -> None:
    form = content_pb2.ResponseFormat(json_object=content_pb2.JsonObjectFormat())
    async with asked() as (adapter, _):
        assert (await refusal(adapter, tools=[TOOL], tool_choice=REQUIRED, response_format=form)).field == "input.response_format"


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("begun", [False, True])
async def test_reasoning_is_told_from_the_answer(size: int, *, begun: bool) -> None:
    words = "Hm, ja.\n</think>\n\nGrüße" if begun else "<think>\nHm, ja.\n</think>\n\nGrüße"
    effort = generate_pb2.ReasoningOptions(effort="high" if begun else "none")
    async with asked(Script(text=words, size=size), reasoning_parser="think") as (adapter, engine):
        events, _ = await adapter.stream(reasoning=effort)
        assert engine.prompt.endswith("<think>\n") is begun
    assert "".join(event.reasoning.text for event in events).strip() == "Hm, ja."
    assert "".join(event.text.text for event in events) == "Grüße"


async def test_without_a_parser_reasoning_stays_in_the_text() -> None:
    async with asked(Script(text="<think>a</think>b")) as (adapter, _):
        parts = (await adapter.generate()).output.choices[0].message.parts
    assert [part.text.text for part in parts] == ["<think>a</think>b"]


async def test_an_image_is_refused_by_its_place() -> None:
    image = content_pb2.Part(image=content_pb2.Media(uri="https://example.com/a.png"))
    async with asked() as (adapter, engine):
        error = await refusal(adapter, messages=[message(content_pb2.ROLE_USER, text("look"), image)])
        assert (error.reason_name, error.field) == ("INVALID_FIELD", "input.messages[0]")
        assert engine.requests == []


async def test_a_template_that_refuses_says_why() -> None:
    files = fake_text.files("{{ raise_exception('roles must alternate') }}")
    async with asked(Script(files=files)) as (adapter, _):
        error = await refusal(adapter)
    assert error.field == "input.messages"
    assert "roles must alternate" in error.message


async def test_a_template_reaches_nothing_of_the_process() -> None:
    files = fake_text.files("{{ messages.__class__.__mro__ }}{{ messages.append(1) }}")
    async with asked(Script(files=files)) as (adapter, engine):
        error = await refusal(adapter)
        assert (error.field, engine.requests) == ("input.messages", [])


async def test_a_prompt_beyond_the_window_is_refused_before_it_is_sent_and_the_answer_fits_in() -> None:
    async with asked(Script(window=40)) as (adapter, engine):
        await adapter.generate()
        assert engine.last.sampling_params.max_tokens == 40 - len(engine.last.tokenized.input_ids)
        error = await refusal(adapter, messages=[message(content_pb2.ROLE_USER, text("x" * 40))])
        assert (error.reason_name, len(engine.requests)) == ("CONTEXT_EXCEEDED", 1)


async def test_another_model_than_the_engine_has_is_not_found() -> None:
    async with asked() as (adapter, engine):
        error = await refusal(adapter, model="other")
        assert (error.reason_name, engine.requests) == ("PROVIDER_MODEL_NOT_FOUND", [])


async def test_tokens_are_counted_by_the_models_own_tokenizer() -> None:
    async with asked() as (adapter, engine):
        attempt = plan_pb2.Attempt(id="a1", adapter="engine", endpoint=ENDPOINT, upstream_model="big-1", max_input_tokens=10_000)
        request = adapter_pb2.CountTokensRequest(attempt=attempt, input=saying())
        count = (await adapter.stub.CountTokens(request, timeout=20)).count
        await adapter.generate()
        assert count.source == embed_pb2.COUNT_SOURCE_COUNTED
        assert count.input_tokens == len(engine.last.tokenized.input_ids)


@pytest.mark.parametrize("kind", KINDS)
async def test_each_text_is_embedded_by_a_call_of_its_own_in_order(kind: str) -> None:
    texts = ["a" * size for size in range(1, 21)]
    async with asked(Script(generates=False), kind) as (adapter, engine):
        response = await adapter.embed(texts, model="big-1", end_user="u")
        assert len({each.request_id for each in engine.embedded}) == 20
    assert [list(each.values) for each in response.output.embeddings] == [[size, 0.5, -1] for size in range(1, 21)]
    assert response.report.usage.input_tokens == sum(range(1, 21))
    assert [each.field for each in response.output.translations] == ["end_user"]


async def test_one_vector_that_fails_fails_all() -> None:
    async with asked(Script(fails=grpc.StatusCode.INVALID_ARGUMENT, details="not an embedding model")) as (adapter, _):
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await adapter.embed(["a", "b"], model="big-1")
    assert from_rpc_error(failure.value).reason_name == "PROVIDER_REJECTED"


async def test_the_engines_model_is_discovered_with_what_it_can_do_here() -> None:
    async with asked(tool_parser="hermes") as (adapter, _):
        found = await adapter.discover()
    assert list(found.models) == ["big-1"]
    assert {"generate", "tools", "json_schema", "seed"} <= set(found.descriptions[0].capabilities)
    assert found.descriptions[0].context_window == 4_096


@pytest.mark.parametrize(("healthy", "result"), [(True, "ADMITTED"), (False, "FAILED")])
async def test_an_engines_own_word_on_its_health_counts(*, healthy: bool, result: str) -> None:
    async with asked(Script(healthy=healthy)) as (adapter, _):
        answer = await adapter.stub.CheckEndpoint(adapter_pb2.CheckEndpointRequest(endpoint=ENDPOINT), timeout=20)
    assert adapter_pb2.CheckResult.Name(answer.result) == f"CHECK_RESULT_{result}"
    assert ("dead" in answer.message) is not healthy


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("{}", "base_url"),
        ('{"base_url": "http://127.0.0.1:1", "local": true, "engine": "trt"}', "engine"),
        ('{"base_url": "http://127.0.0.1:1", "local": true, "tool_parser": "mine"}', "tool_parser"),
        ('{"base_url": "http://127.0.0.1:1", "local": true, "reasoning_parser": "mine"}', "reasoning_parser"),
        ('{"base_url": "http://127.0.0.1:1", "local": true, "surprise": 1}', "surprise"),
        ('{"base_url": "https://e.example", "proxy": "http://p.example:1"}', "proxy"),
        ('{"base_url": "http://127.0.0.1:1", "local": true, "credential": "x"}', "credential"),
        ("{", "expected an address or JSON"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(setting: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=rf"main.*{complaint}"):
        service.build(Settings(endpoints={"main": setting}), None)  # type: ignore[arg-type]  # settings are read first
