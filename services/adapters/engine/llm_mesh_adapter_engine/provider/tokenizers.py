"""Tokenizers and chat templates of models, from a folder or as engines hand them out. Loaded with the first endpoint that needs them."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
from google.protobuf.message import DecodeError
from smg_grpc_proto.generated import common_pb2
from tokenizers import Tokenizer

from llm_mesh_adapter_engine.provider.options import EngineOptions
from llm_mesh_adapter_engine.provider.templates import ChatTemplate

_VOCABULARY: Final = "tokenizer.json"
_SETTINGS: Final = "tokenizer_config.json"
_TEMPLATES: Final = ("chat_template.jinja", "chat_template.json")
_FILES: Final = (_VOCABULARY, _SETTINGS, *_TEMPLATES)
_MOST_BYTES: Final = 256 * 1024 * 1024
_MOST_VOCABULARY: Final = 60 * 1024 * 1024
"""The largest that is published has 35 MB."""
_NO_VOCABULARY: Final = f"a tokenizer without {_VOCABULARY}: only this form is known"
_SPECIAL: Final = ("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token")


class HuggingFaceText:
    """Implements `TextModel` by the files that models are published with."""

    def __init__(self, files: Mapping[str, bytes], template: str) -> None:
        if _VOCABULARY not in files:
            raise ValueError(_NO_VOCABULARY)
        with _failing(f"{_VOCABULARY} is none"):
            self._tokenizer = Tokenizer.from_str(files[_VOCABULARY].decode())
        settings = _object(files, _SETTINGS)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        special = {name: _content(settings[name]) for name in _SPECIAL if settings.get(name)}
        text = template or _template(files, settings)
        self.template = ChatTemplate(text, special) if text else None

    def encode(self, text: str, *, special: bool) -> Sequence[int]:
        """See `TextModel`."""
        with _failing("its tokenizer fails at a text"):
            (encoded,) = self._tokenizer.encode_batch_fast([text], add_special_tokens=special)  # lets other threads go on, unlike `encode`
            ids: Sequence[int] = encoded.ids
        return ids

    def decode(self, tokens: Sequence[int]) -> str:
        """See `TextModel`."""
        with _failing("its tokenizer fails at its tokens"):
            return self._tokenizer.decode(list(tokens), skip_special_tokens=True)

    def token(self, token: int) -> str:
        """See `TextModel`."""
        with _failing("its tokenizer fails at its tokens"):
            return self._tokenizer.decode([token], skip_special_tokens=False)


class TokenizerFiles(NamedTuple):
    """What a model's tokenizer and chat template are made of."""

    files: Mapping[str, bytes]
    template: str
    """In the place of the tokenizer's own."""

    @property
    def vocabulary(self) -> bytes:
        """Its `tokenizer.json`. `ValueError` where there is none, or one that is larger than any that is published."""
        made = self.files.get(_VOCABULARY)
        if made is None:
            raise ValueError(_NO_VOCABULARY)
        if len(made) > _MOST_VOCABULARY:
            raise ValueError(f"a {_VOCABULARY} of more than {_MOST_VOCABULARY} bytes")
        return made


def unpacked(options: EngineOptions, chunks: Sequence[bytes]) -> TokenizerFiles:
    """The files that the setting names, else those that came from the engine. `ValueError` where there are none. Runs in a thread."""
    try:
        files = _from_folder(Path(options.tokenizer)) if options.tokenizer else _from_engine(chunks)
        template = Path(options.chat_template).read_text(encoding="utf-8") if options.chat_template else ""
    except OSError as error:
        raise ValueError(f"{error.filename or 'a file'}: {error.strerror}") from None
    return TokenizerFiles(files, template)


@contextmanager
def _failing(what: str) -> Iterator[None]:
    """`ValueError` for whatever the library raises, panics of its own language included, which are no `Exception`."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise ValueError(f"{what}: {error}") from None


def _from_folder(path: Path) -> dict[str, bytes]:
    folder = path.parent if path.is_file() else path
    files = {name: (folder / name).read_bytes() for name in _FILES if (folder / name).is_file()}
    return files | ({_VOCABULARY: path.read_bytes()} if path.is_file() else {})


def _from_engine(chunks: Sequence[bytes]) -> dict[str, bytes]:
    """The files of the archive whose pieces these are; nothing else is unpacked, and no more than a bound."""
    try:
        pieces = [common_pb2.GetTokenizerChunk.FromString(chunk) for chunk in chunks]
        archive = b"".join(piece.data for piece in pieces)
        if not pieces or hashlib.sha256(archive).hexdigest() != pieces[-1].sha256.lower():
            raise ValueError("a tokenizer that is not whole")
        with zipfile.ZipFile(io.BytesIO(archive)) as unpacked:
            entries = [entry for entry in unpacked.infolist() if entry.filename in _FILES]
            if sum(entry.file_size for entry in entries) > _MOST_BYTES:
                raise ValueError(f"a tokenizer of more than {_MOST_BYTES} bytes")
            return {entry.filename: unpacked.read(entry) for entry in entries}
    except (DecodeError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError):  # the last one: encrypted, or packed as nobody can here
        raise ValueError("a tokenizer that is no archive") from None


def _template(files: Mapping[str, bytes], settings: Mapping[str, Any]) -> str:
    """The template: a file of its own wins, then that of the settings, of several the one named `default`."""
    if _TEMPLATES[0] in files:
        return files[_TEMPLATES[0]].decode()
    template = _object(files, _TEMPLATES[1]).get("chat_template") or settings.get("chat_template") or ""
    if isinstance(template, list):
        named = {each.get("name"): each.get("template") for each in template if isinstance(each, dict)}
        template = named.get("default") or next(iter(named.values()), "")
    return template if isinstance(template, str) else ""


def _object(files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    try:
        value = orjson.loads(files.get(name, b"{}"))
    except orjson.JSONDecodeError:
        raise ValueError(f"{name} is no JSON") from None
    return value if isinstance(value, dict) else {}


def _content(value: object) -> str:
    """A special token is a text, or an object with one."""
    text = value.get("content") if isinstance(value, dict) else value
    return text if isinstance(text, str) else ""
