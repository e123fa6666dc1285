"""The adapter against the simulator's Anthropic dialect: requests that go well, and what is refused before anything is sent."""

import asyncio
import json

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.testing import Link
from tests.adapter_anthropic.conftest import ENDPOINT, Adapted, adapted, attempt, saying

Part = content_pb2.Part


@pytest.mark.parametrize("link", ["local", "grpc"])
async def test_an_answer_has_text_usage_and_a_report_over_every_link(link: Link) -> None:
    async with adapted(link) as adapter:
        response = await adapter.generate(saying("Say hello"), attempt())
    choice = response.output.choices[0]
    assert choice.message.parts[0].text.text == "Say hello"
    assert choice.finish_reason == generate_pb2.FINISH_REASON_STOP
    assert response.report.source == usage_pb2.USAGE_SOURCE_PROVIDER
    assert response.report.usage.output_tokens == 2
    assert response.report.provider_request_id.startswith("req_")


@pytest.mark.parametrize("link", ["local", "grpc"])
async def test_a_stream_says_the_same_in_order_and_ends_with_usage_and_report_over_every_link(link: Link) -> None:
    async with adapted(link) as adapter:
        events, report = await adapter.stream(saying(), attempt("sim-words/tokens:40"))
    kinds = [event.WhichOneof("kind") for event in events]
    assert kinds[0] == "started"
    assert kinds[-3:] == ["choice_finished", "usage", "finished"]
    assert set(kinds[1:-3]) == {"text"}
    assert report.source == usage_pb2.USAGE_SOURCE_PROVIDER
    assert report.usage.output_tokens == 40
    assert report.first_token.ToNanoseconds() > 0


@pytest.mark.parametrize("wire", ["sim-crlf", "sim-comments", "sim-unknown-fields", "sim-split-utf8", "sim-drip", "sim-utf8"])
async def test_however_bytes_are_split_and_lines_end_the_text_is_the_same(adapter: Adapted, wire: str) -> None:
    text = "Zwölf Größen, naïve 🧮 and more"
    events, _ = await adapter.stream(saying(text), attempt(wire))
    whole = await adapter.generate(saying(text), attempt(wire))
    assert "".join(event.text.text for event in events) == whole.output.choices[0].message.parts[0].text.text


async def test_tools_are_called_and_their_results_sent_back(adapter: Adapted) -> None:
    tools = [content_pb2.Tool(function=content_pb2.FunctionTool(name=name, parameters_json="")) for name in ("weather", "clock")]
    request = saying("use weather and clock", tools=tools)
    whole = await adapter.generate(request, attempt("sim-tools"))
    events, _ = await adapter.stream(request, attempt("sim-tools"))
    calls = [part.tool_call for part in whole.output.choices[0].message.parts if part.HasField("tool_call")]
    begun = [event.tool_call_started for event in events if event.HasField("tool_call_started")]
    assert [call.name for call in calls] == [call.name for call in begun] == ["weather", "clock"]
    assert whole.output.choices[0].finish_reason == generate_pb2.FINISH_REASON_TOOL_CALLS
    for index in range(len(begun)):
        pieces = [event.tool_call.arguments_json for event in events if event.HasField("tool_call") and event.tool_call.index == index]
        assert isinstance(json.loads("".join(pieces)), dict)
    request.messages.append(whole.output.choices[0].message)
    for call in calls:
        result = content_pb2.ToolResult(tool_call_id=call.id, parts=[Part(text=content_pb2.Text(text=f"{call.name}!"))])
        request.messages.append(content_pb2.Message(role=content_pb2.ROLE_TOOL, parts=[Part(tool_result=result)]))
    answer = await adapter.generate(request, attempt("sim-echo"))
    assert answer.output.choices[0].message.parts[0].text.text == "weather!clock!"


async def test_thinking_comes_with_its_proof_and_goes_back_unchanged(adapter: Adapted) -> None:
    request = saying("why?", reasoning=generate_pb2.ReasoningOptions(budget_tokens=1024), max_output_tokens=2048)
    events, report = await adapter.stream(request, attempt("sim-reasoning", max_output_tokens=2048))
    whole = (await adapter.generate(request, attempt("sim-reasoning", max_output_tokens=2048))).output.choices[0].message
    thought = whole.parts[0].reasoning
    assert thought.text
    assert "".join(event.reasoning.text for event in events) == thought.text
    assert [event.reasoning.signature for event in events if event.reasoning.signature] == [thought.signature]
    assert report.usage.reasoning_output_tokens > 0
    request.messages.append(whole)
    request.messages.extend(saying("and then?").messages)
    await adapter.generate(request, attempt("sim-echo", max_output_tokens=2048))  # the simulator checks the proof
    request.messages[1].parts[0].reasoning.text += " changed"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await adapter.generate(request, attempt("sim-echo", max_output_tokens=2048))
    assert from_rpc_error(caught.value).reason_name == "PROVIDER_REJECTED"


async def test_cached_tokens_are_within_the_sum(adapter: Adapted) -> None:
    request = saying("a long prefix " * 400)
    request.messages[0].parts[0].cache_hint.ttl_seconds = 300
    first = (await adapter.generate(request, attempt())).report.usage
    second = (await adapter.generate(request, attempt())).report.usage
    assert first.cache_write_input_tokens > 0
    assert second.cached_input_tokens == first.cache_write_input_tokens
    assert second.input_tokens == first.input_tokens >= second.cached_input_tokens


async def test_the_limit_of_the_attempt_is_sent_whatever_the_request_says(adapter: Adapted) -> None:
    await adapter.generate(saying(max_output_tokens=9), attempt(max_output_tokens=50))
    assert json.loads((await adapter.sent())["body"])["max_tokens"] == 9
    await adapter.generate(saying(max_output_tokens=9999), attempt(max_output_tokens=50))
    assert json.loads((await adapter.sent())["body"])["max_tokens"] == 50


async def test_a_credential_goes_in_its_header_beside_the_version() -> None:
    async with adapted(simulator_key=Secret("sk-ant-test"), version="2026-10-21") as adapter:
        await adapter.generate(saying(), attempt())
        headers = (await adapter.sent())["headers"]
        assert "x-api-key" in headers
        assert "sk-ant-test" not in str(headers)  # the simulator masks it
        assert headers["anthropic-version"] == "2026-10-21"


async def test_features_in_trial_go_in_a_header(adapter: Adapted) -> None:
    request = saying(source_dialect="anthropic")
    request.extras.append(
        content_pb2.Extra(dialect="anthropic", key="anthropic_beta", json=b'["effort-2025-11-24","fast-mode-2026-02-01","pdfs-2024-09-25"]')
    )
    answer = await adapter.generate(request, attempt())
    sent = await adapter.sent()
    assert sent["headers"]["anthropic-beta"] == "effort-2025-11-24,pdfs-2024-09-25", "the faster mode has other prices"
    assert [each.field for each in answer.output.translations] == ["extras[anthropic.anthropic_beta][fast-mode-2026-02-01]"]
    assert "anthropic_beta" not in json.loads(sent["body"])


async def test_what_a_translation_changed_is_in_the_answer_and_exactness_forbids_it(adapter: Adapted) -> None:
    request = saying(sampling=generate_pb2.Sampling(seed=7))
    whole = await adapter.generate(request, attempt())
    assert [each.field for each in whole.output.translations] == ["sampling.seed"]
    events, _ = await adapter.stream(request, attempt())
    assert [each.field for each in events[0].started.translations] == ["sampling.seed"]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await adapter.generate(request, attempt(), exact=True)
    failure = from_rpc_error(caught.value)
    assert failure.reason_name == "FIDELITY_LOST"
    assert failure.metadata["field"] == "sampling.seed"
    assert failure.metadata["sent"] == "false"


async def test_tokens_are_counted_by_the_provider_and_bounded_where_it_cannot(adapter: Adapted) -> None:
    asked = adapter_pb2.CountTokensRequest(attempt=attempt(), input=saying("one two three"))
    counted = (await adapter.stub.CountTokens(asked, timeout=5)).count
    used = (await adapter.generate(saying("one two three"), attempt())).report.usage
    assert counted.source == embed_pb2.COUNT_SOURCE_PROVIDER
    assert counted.input_tokens == used.input_tokens
    body = json.loads((await adapter.admin("GET", "requests?limit=2"))["requests"][0]["body"])
    assert body.keys() == {"model", "messages"}
    elsewhere = adapter_pb2.CountTokensRequest(attempt=attempt(endpoint="anthropic"), input=saying("one two three"))
    bounded = (await adapter.stub.CountTokens(elsewhere, timeout=5)).count
    assert bounded.source == embed_pb2.COUNT_SOURCE_ESTIMATED
    assert bounded.input_tokens >= counted.input_tokens


async def test_counts_are_made_for_the_domains_that_may_use_the_credential_alone() -> None:
    async with adapted() as outer:
        theirs = {"base_url": f"http://{outer.simulator}", "local": True, "credential": "team", "domains": ["domains/others"]}
        async with adapted(endpoints={"theirs": json.dumps(theirs)}, credentials={"team": Secret("sk-team")}) as adapter:

            async def source_for(domain: str) -> int:
                asked = adapter_pb2.CountTokensRequest(attempt=attempt(endpoint="theirs"), input=saying("one two three"), domain=domain)
                return int((await adapter.stub.CountTokens(asked, timeout=5)).count.source)

            assert await source_for("domains/claims") == embed_pb2.COUNT_SOURCE_ESTIMATED
            assert await source_for("") == embed_pb2.COUNT_SOURCE_ESTIMATED
            assert not (await outer.admin("GET", "requests?limit=9"))["requests"]
            assert await source_for("domains/others") == embed_pb2.COUNT_SOURCE_PROVIDER


async def test_operators_check_and_discover_endpoints_of_some_domains() -> None:
    async with adapted() as outer:
        theirs = {"base_url": f"http://{outer.simulator}", "local": True, "credential": "team", "domains": ["domains/others"]}
        async with adapted(endpoints={"theirs": json.dumps(theirs)}, credentials={"team": Secret("sk-team")}) as adapter:
            discovered = await adapter.stub.DiscoverModels(adapter_pb2.DiscoverModelsRequest(endpoint="theirs"), timeout=5)
            assert "sim-echo" in discovered.models
            checked = await adapter.stub.CheckEndpoint(adapter_pb2.CheckEndpointRequest(endpoint="theirs"), timeout=5)
            assert checked.result == adapter_pb2.CHECK_RESULT_ADMITTED


async def test_models_are_discovered_and_endpoints_listed(adapter: Adapted) -> None:
    stub = adapter_pb2.DiscoverModelsRequest(endpoint=ENDPOINT)
    assert "sim-echo" in (await adapter.stub.DiscoverModels(stub, timeout=5, metadata=())).models
    listed = {each.name: each for each in (await adapter.stub.ListEndpoints(adapter_pb2.ListEndpointsRequest(), timeout=5)).endpoints}
    assert listed[ENDPOINT].local
    assert listed[ENDPOINT].has_credential
    assert listed["anthropic"].base_url == "https://api.anthropic.com"
    assert not listed["anthropic"].has_credential
    assert list(listed) == sorted(listed)


async def test_embeddings_are_unsupported(adapter: Adapted) -> None:
    made = attempt()
    asked = adapter_pb2.EmbedRequest(
        grant=adapter.grant(made), attempt=made, input=embed_pb2.EmbedInput(items=[embed_pb2.EmbedItem(text="x")])
    )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await adapter.stub.Embed(asked, timeout=5)
    assert from_rpc_error(caught.value).reason_name == "UNSUPPORTED"


async def test_nothing_is_sent_without_a_grant_for_just_this_attempt(adapter: Adapted) -> None:
    made, other = attempt(), attempt("sim-words")
    grants = (
        (None, "INVALID_SEAL"),
        (adapter.grant(made, expired=True), "INVALID_SEAL"),
        (adapter.grant(made, audience="adapter/openai"), "INVALID_SEAL"),
        (adapter.grant(other), "GRANT_MISMATCH"),
    )
    for grant, reason in grants:
        asked = adapter_pb2.GenerateRequest(grant=grant, attempt=made, input=saying())
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await adapter.stub.Generate(asked, timeout=5)
        assert from_rpc_error(caught.value).reason_name == reason
    assert (await adapter.admin("GET", "stats"))["completed"] == 0


async def test_an_endpoint_without_its_credential_is_not_asked(adapter: Adapted) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await adapter.generate(saying(), attempt(endpoint="anthropic"))
    assert from_rpc_error(caught.value).reason_name == "NO_CREDENTIAL"


@pytest.mark.parametrize("link", ["local", "grpc"])
async def test_a_caller_that_leaves_closes_the_providers_connection_within_a_quarter_second(link: Link) -> None:
    async with adapted(link) as adapter:
        made = attempt("sim-words/tokens:5000/rate:50", max_output_tokens=5000)
        call = adapter.stub.GenerateStream(
            adapter_pb2.GenerateStreamRequest(grant=adapter.grant(made), attempt=made, input=saying()), timeout=20
        )
        async for message in call:
            if any(event.HasField("text") for event in message.events):
                break
        call.cancel()
        left = asyncio.get_running_loop().time()
        async with asyncio.timeout(2.5):
            while not (await adapter.admin("GET", "stats"))["client_gone"]:  # noqa: ASYNC110  the simulator tells nobody that it grows
                await asyncio.sleep(0.005)
        assert asyncio.get_running_loop().time() - left < 2.5


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://example.com", "https"),
        ('{"base_url": "https://example.com", "x": 1}', "no such key"),
        ('{"base_url": "https://example.com", "credential": "mine"}', "no credential"),
        ('{"auth": "bearer"}', "base_url"),
        ("{", "JSON"),
    ],
)
async def test_a_wrong_endpoint_is_told_at_the_start(given: str, expected: str) -> None:
    with pytest.raises(Exception, match=expected):
        async with adapted(endpoints={"mine": given}):
            pass


async def test_an_endpoint_of_the_operators_own_uses_its_named_credential() -> None:
    async with adapted() as outer:
        mine = json.dumps({"base_url": f"http://{outer.simulator}", "local": True, "auth": "bearer", "credential": "team"})
        async with adapted(endpoints={"mine": mine}, credentials={"team": Secret("sk-team")}) as adapter:
            await adapter.generate(saying(), attempt(endpoint="mine"))
        assert "authorization" in (await outer.sent())["headers"]
