"""Who a caller is, and what it may call: certificates, tokens, the table, resource templates."""

import pytest

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_runtime.access import CallTable, MeshOrigin, PublicOrigin, ServiceTokens, client_keys
from llm_mesh_runtime.access.identity import service_of_names
from llm_mesh_runtime.access.resources import check, expander
from llm_mesh_runtime.access.revision import Revisions
from llm_mesh_runtime.access.table import MAY_CALL
from llm_mesh_runtime.access.tokens import HEADER
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.links.tls import certificate_name
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings import MeshSettings, SettingsError, load

SECRET = b"a secret of tests, at least 32 bytes"


class Arrived:
    """The transport of a call that has arrived with this metadata and these names in its certificate."""

    def __init__(self, *metadata: tuple[str, str | bytes], names: tuple[bytes, ...] = ()) -> None:
        self._metadata = metadata
        self._names = names

    def invocation_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        return self._metadata

    def time_remaining(self) -> None:
        return None

    def auth_context(self) -> dict[str, tuple[bytes, ...]]:
        return {"x509_subject_alternative_name": self._names}


def test_a_token_names_its_caller_to_the_callee_that_it_was_made_for() -> None:
    tokens = ServiceTokens(SECRET)
    token = tokens.token("gateway", "policy")
    assert tokens.caller_of(token, "policy") == "gateway"
    assert tokens.caller_of(token, "policy") == "gateway"  # from what is known already
    assert tokens.caller_of(token, "router") == ""
    assert ServiceTokens(b"another secret, which others have").caller_of(token, "policy") == ""


@pytest.mark.parametrize("part", range(5))
def test_a_token_that_was_altered_anywhere_is_refused(part: int) -> None:
    tokens = ServiceTokens(SECRET)
    parts = tokens.token("gateway", "policy").split(".")
    parts[part] = "9999999999" if part == 3 else parts[part] + "x"
    assert tokens.caller_of(".".join(parts), "policy") == ""


@pytest.mark.parametrize("token", ["", "v1", "v1.a.b.c.d", "v1.gateway.policy.1.\xe4", "." * 4, "x" * 10_000])
def test_garbage_is_no_token(token: str) -> None:
    assert ServiceTokens(SECRET).caller_of(token, "policy") == ""


def test_a_token_expires_and_is_renewed_before(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, now = ServiceTokens(SECRET), 1_000_000.0
    monkeypatch.setattr("llm_mesh_runtime.access.tokens.time.time", lambda: now)
    token = tokens.token("gateway", "policy")
    assert tokens.token("gateway", "policy") == token
    assert tokens.caller_of(token, "policy") == "gateway"
    now += 200
    assert tokens.token("gateway", "policy") != token
    assert tokens.caller_of(token, "policy") == "gateway"
    now += 200
    assert tokens.caller_of(token, "policy") == ""
    assert ServiceTokens(SECRET).caller_of(token, "policy") == ""


def test_tokens_need_a_secret() -> None:
    with pytest.raises(ValueError, match="secret"):
        ServiceTokens(b"")


@pytest.mark.parametrize("service", ["policy", "adapter/openai"])
def test_a_certificate_names_its_service(service: str) -> None:
    assert service_of_names([certificate_name(service)]) == service
    assert service_of_names(["localhost", f"spiffe://mesh.example/llm-mesh/{service}"]) == service


@pytest.mark.parametrize("names", [[], ["policy"], ["policy.example.org"], ["spiffe://mesh.example/other/policy"]])
def test_other_certificates_name_nobody(names: list[str]) -> None:
    assert service_of_names(names) == ""


def test_the_mesh_listener_believes_certificates_and_tokens_and_hides_the_token() -> None:
    tokens = ServiceTokens(SECRET)
    token = (HEADER, tokens.token("gateway", "policy"))
    by_token = MeshOrigin("policy", tokens, mutual_tls=False)(Arrived(token, ("x-a", "b")))  # type: ignore[arg-type]  # a part of it
    assert (by_token.calling, by_token.metadata) == ("gateway", {"x-a": "b"})
    mutual = MeshOrigin("policy", None, mutual_tls=True)
    assert mutual(Arrived(names=(b"router.llm-mesh",))).calling == "router"  # type: ignore[arg-type]  # likewise
    assert mutual(Arrived(token)).calling == ""  # type: ignore[arg-type]  # likewise
    plain = MeshOrigin("policy", tokens, mutual_tls=False)
    assert plain(Arrived(names=(b"router.llm-mesh",))).calling == ""  # type: ignore[arg-type]  # likewise


def test_the_public_listener_believes_nobody() -> None:
    token = (HEADER, ServiceTokens(SECRET).token("gateway", "policy"))
    arrived = PublicOrigin()(Arrived(token, ("llm-mesh-x", "y"), ("x-a", "b"), names=(b"router.llm-mesh",)))  # type: ignore[arg-type]  # a part
    assert (arrived.calling, arrived.metadata) == ("", {"x-a": "b"})


def test_a_certificate_stands_for_a_key_where_its_client_sends_none() -> None:
    origin = PublicOrigin(client_keys([Secret("mesh.claims.example mk_claims")]))
    known, other = (b"mesh.claims.example",), (b"mesh.evil.example",)
    assert origin(Arrived(names=known)).metadata == {"authorization": "Bearer mk_claims"}  # type: ignore[arg-type]  # a part of it
    assert origin(Arrived(names=other)).metadata == {}  # type: ignore[arg-type]  # likewise
    assert origin(Arrived()).metadata == {}  # type: ignore[arg-type]  # likewise
    own = {"authorization": "Bearer mk_own"}
    assert origin(Arrived(*own.items(), names=known)).metadata == own  # type: ignore[arg-type]  # likewise


@pytest.mark.parametrize("entries", [["mk_alone"], [" "], ["a mk_1", "a mk_2"]])
def test_a_wrong_entry_is_refused_without_its_key(entries: list[str]) -> None:
    with pytest.raises(ValueError, match="grpc_client_keys") as raised:
        client_keys(map(Secret, entries))
    assert "mk_" not in str(raised.value)


def test_keys_of_certificates_need_certificates_that_are_checked() -> None:
    with pytest.raises(ValueError, match="grpc_tls_client_ca"):
        MeshSettings(grpc_client_keys={"ONE": Secret("a mk_1")})
    with pytest.raises(ValueError, match="tls_certificate"):
        MeshSettings(grpc_tls_client_ca="ca.pem")
    with pytest.raises(SettingsError, match="claims-eu"):
        load(MeshSettings, "mesh", {"LLM_MESH_ID": "Claims EU"})


def test_the_table_allows_what_it_lists_and_nothing_else() -> None:
    table = CallTable()
    assert all(table.allows(a.replace("*", "x"), b.replace("*", "x")) for a, b in MAY_CALL)
    assert table.allows("gateway", "adapter/openai")
    assert table.allows("policy", "policy")
    for caller, callee in [("adapter/openai", "gateway"), ("router", "adapter/openai"), ("edge", "router"), ("", "policy")]:
        assert not table.allows(caller, callee)
    assert table.allows("newcomer", "policy", "/llm_mesh.policy.v1.PolicyService/Authorize")
    assert not table.allows("newcomer", "policy", "/llm_mesh.policy.v1.PolicyService/Settle")


def test_the_table_is_extended_by_pairs() -> None:
    assert CallTable(extended=["billing>observability"]).allows("billing", "observability")
    with pytest.raises(ValueError, match="caller>callee"):
        CallTable(extended=["billing"])


def test_templates_are_filled_from_the_request() -> None:
    request = policy_pb2.AuthorizeRequest(resource="domains/x", project="p")
    assert expander("models")(request) == "models"
    assert expander("{resource}/models/{project}")(request) == "domains/x/models/p"
    sealed = policy_pb2.AuthorizeResponse(caller={"domain": "domains/x"})
    assert expander("{caller.domain}")(sealed) == "domains/x"
    with pytest.raises(MeshError) as raised:
        expander("{resource}")(policy_pb2.AuthorizeRequest(resource="x" * 2000))
    assert raised.value.field == "resource"


def test_templates_that_name_no_plain_field_are_refused_at_the_start() -> None:
    check("{resource}", policy_pb2.AuthorizeRequest.DESCRIPTOR)
    for template, message in [("{nothing}", resources_pb2.Seal.DESCRIPTOR), ("{caller}", policy_pb2.AuthorizeResponse.DESCRIPTOR)]:
        with pytest.raises(ValueError, match=r"field|message"):
            check(template, message)


def test_decisions_end_with_their_revision_and_with_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("llm_mesh_runtime.access.revision.time.monotonic", lambda: now)
    revisions = Revisions()
    revisions.seen(5)
    generation = revisions.generation
    now += 100
    assert revisions.current(5)
    assert not revisions.current(4)
    revisions.seen(6)
    assert not revisions.current(5)
    assert revisions.generation != generation
    revisions.lost()
    assert revisions.current(6)
    now += 1.5
    assert not revisions.current(6)
    revisions.seen(6)
    assert revisions.current(6)
