"""Writes a very small model of the llama architecture with random weights: a real engine gives real tokens, and nothing is downloaded.

Runs in the environment of `make e2e-llama`, not in the project's own: `python tiny_model.py OUT`.
"""

from __future__ import annotations

import string
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import gguf  # type: ignore[import-not-found]  # of the other environment
import numpy as np  # type: ignore[import-not-found]  # likewise

SEED = 1815
WIDTH, HIDDEN, LAYERS, HEADS, CONTEXT = 48, 96, 2, 4, 4096
SPREAD = 0.25
WORDS = "and answer be for gateway hello in is it mesh model no of one policy prompt route that the to token two was with yes"
TEMPLATE = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}assistant:"


@dataclass(frozen=True)
class Token:
    """A piece of text that the model knows."""

    text: str
    kind: gguf.TokenType


def vocabulary() -> list[Token]:
    """Control tokens, some words, every printable character, and bytes that are text by themselves.

    Other bytes would give what no stream can show: the server holds a piece back until it is whole UTF-8, which noise never becomes.
    """
    controls = [Token("<unk>", gguf.TokenType.UNKNOWN), Token("<s>", gguf.TokenType.CONTROL), Token("</s>", gguf.TokenType.CONTROL)]
    octets = [Token(f"<0x{octet:02X}>", gguf.TokenType.BYTE) for octet in range(128)]
    words = [Token(f"\u2581{word}", gguf.TokenType.NORMAL) for word in WORDS.split()]
    letters = [Token(letter, gguf.TokenType.NORMAL) for letter in "\u2581\n" + string.ascii_letters + string.digits + string.punctuation]
    return controls + octets + words + letters


def tensors(tokens: int) -> Iterator[tuple[str, np.ndarray]]:
    """The weights: noise, but where a norm wants ones."""
    noise = np.random.default_rng(SEED)

    def random(*shape: int) -> np.ndarray:
        return (noise.standard_normal(shape) * SPREAD).astype(np.float32)

    ones = np.ones(WIDTH, dtype=np.float32)
    yield "token_embd.weight", random(tokens, WIDTH)
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        yield f"{block}.attn_norm.weight", ones
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield f"{block}.{part}.weight", random(WIDTH, WIDTH)
        yield f"{block}.ffn_norm.weight", ones
        yield f"{block}.ffn_gate.weight", random(HIDDEN, WIDTH)
        yield f"{block}.ffn_up.weight", random(HIDDEN, WIDTH)
        yield f"{block}.ffn_down.weight", random(WIDTH, HIDDEN)
    yield "output_norm.weight", ones
    yield "output.weight", random(tokens, WIDTH)


def write(path: str) -> None:
    """Write the model."""
    known = vocabulary()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(known))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([token.text.encode() for token in known])
    writer.add_token_types([token.kind for token in known])
    writer.add_token_scores([-float(place) for place in range(len(known))])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(TEMPLATE)
    for name, values in tensors(len(known)):
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    write(sys.argv[1])
