"""The way of a request that goes well, whole and streamed, over each link."""

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import embed_pb2
from llm_mesh.policy.v1 import admission_pb2, usage_pb2
from tests.gateway.conftest import KEY, Mesh, said
from tests.gateway.fakes import failing, failure


async def test_a_whole_answer_comes_with_its_receipt(linked: Mesh) -> None:
    answer = await linked.generate()
    assert answer.output.choices[0].message.parts[0].text.text == "hello world"
    reservation = linked.policy.reserved[0].reservation_id
    assert answer.receipt.reservation == f"domains/claims/projects/triage/reservations/{reservation}"
    assert answer.receipt.charged.nanos == 1234
    assert answer.receipt.model == "domains/shared/models/model-1"
    assert answer.receipt.decision_id == "d1"
    assert answer.receipt.limits[0].metric == "requests"
    assert answer.receipt.total.ToMicroseconds() > 0


async def test_a_stream_tells_its_limits_first_and_its_receipt_last(linked: Mesh) -> None:
    messages, error = await linked.streamed()
    assert error is None
    assert said(messages) == "hello world"
    assert messages[0].reservation == messages[-1].receipt.reservation
    assert messages[0].limits
    assert not any(message.limits or message.reservation for message in messages[1:])
    assert messages[-1].receipt.charged.nanos == 1234
    assert not any(message.HasField("receipt") for message in messages[:-1])


async def test_usage_is_settled_as_the_provider_told_it(mesh: Mesh) -> None:
    await mesh.generate()
    (settled,) = mesh.policy.settled
    (line,) = settled.lines
    assert (line.attempt_id, line.outcome) == ("a1", usage_pb2.ATTEMPT_OUTCOME_COMPLETED)
    assert (line.usage.input_tokens, line.usage.output_tokens) == (7, 3)
    assert line.source == usage_pb2.USAGE_SOURCE_PROVIDER
    assert settled.epoch == mesh.policy.reserved[0].epoch == mesh.policy.heartbeats[0].epoch


async def test_the_grant_the_attempt_and_exactness_reach_the_adapter(mesh: Mesh) -> None:
    await mesh.generate(options=gateway_pb2.RequestOptions(fidelity=gateway_pb2.FIDELITY_EXACT))
    (asked,) = mesh.adapter.asked
    assert asked.grant.payload == b"grant"
    assert asked.attempt.id == "a1"
    assert asked.exact
    assert mesh.router.asked[0].profile.exact


async def test_a_prompt_comes_before_the_messages(mesh: Mesh) -> None:
    prompt = gateway_pb2.PromptReference(name="triage", variables_json='{"x":1}')
    answer = await mesh.generate(options=gateway_pb2.RequestOptions(prompt=prompt))
    assert answer.receipt.prompt_version == "domains/claims/prompts/triage/versions/3"
    admitted = mesh.policy.admitted[0].generate.messages
    assert admitted[0].parts[0].text.text == 'domains/claims/prompts/triage for domains/claims with {"x":1}'
    assert admitted[1].parts[0].text.text == "hi"
    assert mesh.adapter.asked[0].input.messages == admitted


async def test_what_screening_masked_is_what_is_planned_and_sent(mesh: Mesh) -> None:
    mesh.policy.admission.generate.model = "gpt-4.1"
    mesh.policy.admission.generate.messages.add(role=3).parts.add().text.text = "my number is ****"
    await mesh.generate(words="my number is 4111")
    assert mesh.adapter.asked[0].input.messages[0].parts[0].text.text == "my number is ****"
    assert mesh.router.asked[0].profile.input_bytes == len("my number is ****") + 16


async def test_texts_are_embedded(linked: Mesh) -> None:
    wanted = embed_pb2.EmbedInput(model="embedder", items=[embed_pb2.EmbedItem(text="a"), embed_pb2.EmbedItem(text="b")])
    answer = await linked.stub.Embed(gateway_pb2.EmbedRequest(input=wanted), metadata=KEY)
    assert [each.index for each in answer.output.embeddings] == [0, 1]
    assert answer.receipt.charged.nanos == 1234
    assert linked.router.asked[0].profile.capabilities == ["embeddings"]
    assert linked.policy.admitted[0].embed.model == "embedder"


async def test_texts_are_embedded_in_pieces(linked: Mesh) -> None:
    wanted = embed_pb2.EmbedInput(model="embedder", items=[embed_pb2.EmbedItem(text="a"), embed_pb2.EmbedItem(text="b")])
    whole = await linked.stub.Embed(gateway_pb2.EmbedRequest(input=wanted), metadata=KEY)
    messages = [message async for message in linked.stub.EmbedStream(gateway_pb2.EmbedStreamRequest(input=wanted), metadata=KEY)]
    assert messages[0].output.model == whole.output.model
    assert messages[0].receipt.charged.nanos == 1234
    assert not any(message.HasField("receipt") or message.HasField("output") for message in messages[1:])
    assert [vector for message in messages for vector in message.embeddings] == list(whole.output.embeddings)


async def test_an_adapter_of_an_earlier_contract_is_asked_for_whole_vectors(linked: Mesh) -> None:
    linked.adapter.without_vector_streams = True
    wanted = embed_pb2.EmbedInput(model="embedder", items=[embed_pb2.EmbedItem(text="a"), embed_pb2.EmbedItem(text="b")])
    answer = await linked.stub.Embed(gateway_pb2.EmbedRequest(input=wanted), metadata=KEY)
    assert [list(each.values) for each in answer.output.embeddings] == [[1.0, 2.0], [1.0, 2.0]]
    assert len(linked.adapter.asked) == 1


async def test_tokens_are_counted_by_a_target_and_cost_nothing(mesh: Mesh) -> None:
    asked = gateway_pb2.CountTokensRequest()
    asked.input.model = "gpt-4.1"
    asked.input.messages.add(role=3).parts.add().text.text = "hi"
    mesh.adapter.scripts["model-1"] = failing(failure("UNSUPPORTED"))
    admitted = admission_pb2.Admission(caller=admission_pb2.Caller(domain="domains/claims"))
    mesh.policy.admission.admission.payload = admitted.SerializeToString()
    answer = await mesh.stub.CountTokens(asked, metadata=KEY)
    assert [question.domain for question in mesh.adapter.asked] == ["domains/claims", "domains/claims"]
    assert (answer.count.input_tokens, answer.count.source) == (11, embed_pb2.COUNT_SOURCE_PROVIDER)
    assert not mesh.policy.reserved


async def test_where_no_target_counts_the_bound_is_told(mesh: Mesh) -> None:
    asked = gateway_pb2.CountTokensRequest()
    asked.input.model = "gpt-4.1"
    asked.input.messages.add(role=3).parts.add().text.text = "hi"
    mesh.adapter.scripts = {f"model-{number}": failing(failure("UNSUPPORTED")) for number in (1, 2)}
    answer = await mesh.stub.CountTokens(asked, metadata=KEY)
    assert (answer.count.input_tokens, answer.count.source) == (1000, embed_pb2.COUNT_SOURCE_ESTIMATED)


async def test_models_of_the_callers_domain_are_listed(mesh: Mesh) -> None:
    answer = await mesh.stub.ListModels(gateway_pb2.ListModelsRequest(), metadata=KEY)
    assert [(model.alias, model.owner) for model in answer.models] == [("gpt-4.1", "domains/claims"), ("sim-echo", "domains/claims")]
