"""A small model's tokenizer, as makers publish it: every byte is a token, so that each character beyond ASCII is cut over several."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator

from smg_grpc_proto.generated import common_pb2
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

BOS, EOS = "<|begin|>", "<|end|>"
TEMPLATE = (
    "{{ bos_token }}{% if tools %}TOOLS {{ tools | map(attribute='function.name') | join(',') }};{% endif %}"
    "{% for message in messages %}{{ message.role }}: {{ message.content }}"
    "{% for call in message.tool_calls or [] %}[{{ call.function.name }} {{ call.function.arguments.city }}]{% endfor %}"
    "{{ '\\n' }}{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}{% if enable_thinking %}{{ '<think>\\n' }}{% endif %}"
)


def tokenizer() -> Tokenizer:
    """The tokenizer itself."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={letter: index for index, letter in enumerate(alphabet)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(BOS, special=True), AddedToken(EOS, special=True)])
    return made


def files(template: str = TEMPLATE) -> dict[str, str]:
    """What a folder of the model has."""
    settings = {"bos_token": {"content": BOS}, "eos_token": EOS, "chat_template": [{"name": "default", "template": template}]}
    return {"tokenizer.json": tokenizer().to_str(), "tokenizer_config.json": json.dumps(settings)}


def archive(contents: dict[str, str]) -> bytes:
    """The files, as an engine packs them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as written:
        for name, text in contents.items():
            written.writestr(name, text)
    return packed.getvalue()


def chunks(packed: bytes, size: int = 1_000) -> Iterator[common_pb2.GetTokenizerChunk]:
    """The archive, as an engine hands it out."""
    for place in range(0, len(packed), size):
        last = place + size >= len(packed)
        digest = hashlib.sha256(packed).hexdigest() if last else ""
        yield common_pb2.GetTokenizerChunk(data=packed[place : place + size], sha256=digest)
