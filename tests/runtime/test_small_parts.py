"""Secrets, seals, the clock: small parts that everything rests on."""

import copy
import hashlib
import hmac
import itertools
import pickle
from datetime import UTC

import pytest

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh_policy.domain.sealed import ADMISSION, CALLER, GRANT
from llm_mesh_policy.screening.domain.seals import SCREEN_STATE
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.context import new_request_id
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.seals import Seals, derive
from llm_mesh_runtime.secret import Secret


def test_a_secret_shows_nowhere_and_is_not_copied_into_other_processes() -> None:
    secret = Secret("hunter2")
    for shown in (str(secret), repr(secret), f"{secret}", f"{secret!r:>20}", repr([secret]), repr({"key": secret})):
        assert "hunter2" not in shown
    assert secret.reveal() == "hunter2"
    assert secret == Secret("hunter2")
    assert secret != Secret("hunter3")
    assert not Secret("")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.copy(secret)


KIND = "llm_mesh.policy.v1.Admission"


def test_a_seal_holds_for_its_audience_type_and_payload_only() -> None:
    seals = Seals(b"s" * 32)
    mac = seals.seal("router", KIND, b"payload")
    assert seals.verify("router", KIND, b"payload", mac)
    assert not seals.verify("policy", KIND, b"payload", mac)
    assert not seals.verify("router", KIND + "s", b"payload", mac)
    assert not seals.verify("router", KIND, b"payloae", mac)
    assert not seals.verify("router", KIND, b"payload", mac[:-1])
    assert not Seals(b"t" * 32).verify("router", KIND, b"payload", mac)


def test_a_seal_is_the_hmac_of_audience_type_and_payload() -> None:
    key = hashlib.sha256(b"given").digest()
    seals = Seals(b"s" * 32, keys={"policy": b"given"})
    tag = KIND.encode() + b"\x00"
    for payload in (b"", b"payload", b"x" * 10_000):
        assert seals.seal("policy", KIND, payload) == hmac.digest(key, b"policy\x00" + tag + payload, "sha256")
        derived = derive(b"s" * 32, "seal/router")
        assert seals.seal("router", KIND, payload) == hmac.digest(derived, b"router\x00" + tag + payload, "sha256")


def test_a_sealed_message_opens_for_each_audience_and_nobody_else() -> None:
    seals = Seals(b"s" * 32)
    sealed = seals.sealed(KIND, b"payload", "router", "policy")
    assert seals.opened("router", KIND, sealed) == seals.opened("policy", KIND, sealed) == b"payload"
    for forged in (
        resources_pb2.Sealed(payload=b"payload"),
        resources_pb2.Sealed(payload=b"other", seals=sealed.seals),
        seals.sealed(KIND, b"x" * (64 * 1024 + 1), "router"),
        seals.sealed(KIND, b"payload", "adapter/openai"),
    ):
        with pytest.raises(MeshError) as raised:
            seals.opened("router", KIND, forged)
        assert raised.value.reason_name == "INVALID_SEAL"


SEALED_KINDS = (CALLER, ADMISSION, GRANT, SCREEN_STATE)


@pytest.mark.parametrize(("made", "read"), list(itertools.product(SEALED_KINDS, repeat=2)))
def test_what_is_sealed_as_one_type_opens_as_no_other(made: str, read: str) -> None:
    seals = Seals(b"s" * 32)
    sealed = seals.sealed(made, b"payload", "policy")
    if made == read:
        assert seals.opened("policy", read, sealed) == b"payload"
        return
    with pytest.raises(MeshError) as raised:
        seals.opened("policy", read, sealed)
    assert raised.value.reason_name == "INVALID_SEAL"


def test_given_keys_know_their_audience_alone() -> None:
    alone = Seals(keys={"adapter/openai": b"key"})
    assert alone.knows("adapter/openai")
    assert not alone.knows("policy")
    with pytest.raises(LookupError):
        alone.seal("policy", KIND, b"")
    assert not alone.verify("policy", KIND, b"", b"")


def test_derived_keys_differ_by_purpose_and_secret() -> None:
    assert len({derive(b"a", "x"), derive(b"a", "y"), derive(b"b", "x")}) == 3


def test_the_clock_tells_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_fresh_request_ids_are_unlike_each_other_and_sort_by_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = []
    for milliseconds in (1_700_000_000_000, 1_700_000_000_001, 1_800_000_000_000):
        monkeypatch.setattr("time.time_ns", lambda milliseconds=milliseconds: milliseconds * 1_000_000)
        ids.append({new_request_id() for _ in range(100)})
    assert [len(some) for some in ids] == [100, 100, 100]
    assert all(len(one) == 32 and int(one, 16) for some in ids for one in some)
    assert max(ids[0]) < min(ids[1])
    assert max(ids[1]) < min(ids[2])
