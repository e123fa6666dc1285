"""Archives with tokenizers of an engine that is broken or hostile: refused by name, and nothing else happens."""

from __future__ import annotations

import hashlib
import io
import zipfile

import pytest

pytest.importorskip("smg_grpc_proto")
from smg_grpc_proto.generated import common_pb2

from llm_mesh_adapter_engine.provider.options import EngineOptions
from llm_mesh_adapter_engine.provider.tokenizers import unpacked


def archive() -> bytearray:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("tokenizer.json", "{}" * 1000)
    return bytearray(written.getvalue())


def encrypted() -> bytearray:
    raw = archive()
    raw[6] |= 1
    raw[raw.rfind(b"PK\x01\x02") + 8] |= 1
    return raw


def broken() -> bytearray:
    raw = archive()
    raw[44:50] = b"\xff" * 6
    return raw


def unknown_packing() -> bytearray:
    raw = archive()
    place = raw.rfind(b"PK\x01\x02")
    raw[8:10] = raw[place + 10 : place + 12] = (99).to_bytes(2, "little")
    return raw


@pytest.mark.parametrize("made", [encrypted, broken, unknown_packing, lambda: archive()[:-30]])
def test_an_archive_that_nobody_can_unpack_is_none(made: object) -> None:
    data = bytes(made())  # type: ignore[operator]
    chunk = common_pb2.GetTokenizerChunk(data=data, sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(ValueError, match="no archive"):
        unpacked(EngineOptions(), [chunk.SerializeToString()])
