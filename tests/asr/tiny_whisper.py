"""A Whisper of random weights in CTranslate2's own format: a few megabytes, nonsense words, the real loading code."""

from __future__ import annotations

from pathlib import Path
from string import ascii_letters
from typing import Any

import numpy as np

WIDTH, HEADS, LAYERS = 32, 2, 1
LANGUAGES = ("en", "zh", "de", "es")
MULTILINGUAL = ""
"""The token that only the multilingual Whispers have, by which CTranslate2 4.8 knows them."""


def build(folder: Path) -> Path:
    """Writes the folder (model.bin, config.json, tokenizer.json, vocabulary) and returns it."""
    from ctranslate2.specs import WhisperSpec

    folder.mkdir(parents=True, exist_ok=True)
    tokens = _tokenizer(folder / "tokenizer.json")
    random = np.random.default_rng(0)

    def noise(*shape: int) -> np.ndarray:
        return random.normal(0, 0.05, shape).astype(np.float32)

    def linear(spec: Any, outputs: int, inputs: int) -> None:
        spec.weight, spec.bias = noise(outputs, inputs), np.zeros(outputs, np.float32)

    def norm(spec: Any) -> None:
        spec.gamma, spec.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)

    def feed_forward(spec: Any) -> None:
        norm(spec.layer_norm)
        linear(spec.linear_0, 4 * WIDTH, WIDTH)
        linear(spec.linear_1, WIDTH, 4 * WIDTH)

    def attention(spec: Any, first: int) -> None:
        norm(spec.layer_norm)
        outputs = (3 * WIDTH,) if first == 3 else (WIDTH, 2 * WIDTH)
        for part, size in zip(spec.linear, (*outputs, WIDTH), strict=True):
            linear(part, size, WIDTH)

    model = WhisperSpec(LAYERS, HEADS, LAYERS, HEADS)
    encoder, decoder = model.encoder, model.decoder
    linear_shapes = ((encoder.conv1, 80), (encoder.conv2, WIDTH))
    for convolution, inputs in linear_shapes:
        convolution.weight, convolution.bias = noise(WIDTH, inputs, 3), np.zeros(WIDTH, np.float32)
    encoder.position_encodings.encodings = noise(1500, WIDTH)
    decoder.position_encodings.encodings = noise(448, WIDTH)
    embeddings = noise(len(tokens), WIDTH)
    # Letters lie along one axis and the decoder leans to it: it writes, instead of ending or stamping times.
    embeddings[[len(token) == 1 and token in ascii_letters for token in tokens], 0] += 1
    decoder.embeddings.weight = decoder.projection.weight = embeddings
    decoder.scale_embeddings = False
    norm(encoder.layer_norm)
    decoder.layer_norm.gamma = np.full(WIDTH, 0.2, np.float32)
    decoder.layer_norm.beta = np.eye(WIDTH, dtype=np.float32)[0] * 4
    for layer in encoder.layer:
        attention(layer.self_attention, 3)
        feed_forward(layer.ffn)
    for layer in decoder.layer:
        attention(layer.self_attention, 3)
        attention(layer.attention, 1)
        feed_forward(layer.ffn)
    model.register_vocabulary(tokens)
    model.config.suppress_ids = []
    model.config.suppress_ids_begin = []
    model.config.lang_ids = [tokens.index(f"<|{language}|>") for language in LANGUAGES]
    model.config.alignment_heads = [[LAYERS - 1, 0]]
    model.validate()
    model.optimize(quantization="int8")
    model.save(str(folder))
    return folder


def _tokenizer(path: Path) -> list[str]:
    """Byte-level, without merges, with Whisper's special tokens; returns the vocabulary by id."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    alphabet = [*sorted(pre_tokenizers.ByteLevel.alphabet()), MULTILINGUAL]
    tokenizer = Tokenizer(models.BPE(vocab={sign: n for n, sign in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{language}|>" for language in LANGUAGES)]
    names = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
    special += [f"<|{name}|>" for name in names]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    tokenizer.add_tokens([AddedToken(f"<|{n * 0.02:.2f}|>", normalized=False) for n in range(1501)])
    tokenizer.save(str(path))
    return [str(tokenizer.id_to_token(n)) for n in range(tokenizer.get_vocab_size())]
