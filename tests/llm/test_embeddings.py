"""MiniLM in numpy: on tiny random weights in the real file format everywhere, on the real ones where they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from broker.errors import MissingError
from tests.llm.known import HAVE_WEIGHTS, WEIGHTS
from workers.llm.embeddings import MOST_TOKENS, MiniLM

SIZE, INNER, LAYERS, HEADS = 8, 16, 2, 2
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "when", "do", "you", "open", "close", "##d"]


def write_tiny(folder: Path) -> Path:
    """A BERT of two layers with random weights: model.safetensors, config.json, tokenizer.json."""
    random = np.random.default_rng(7)

    def weights(*shape: int) -> np.ndarray:
        return random.normal(0, 0.3, shape).astype(np.float32)

    w = {
        "embeddings.word_embeddings.weight": weights(len(WORDS), SIZE),
        "embeddings.position_embeddings.weight": weights(512, SIZE),
        "embeddings.token_type_embeddings.weight": weights(2, SIZE),
        "embeddings.LayerNorm.weight": weights(SIZE) + 1,
        "embeddings.LayerNorm.bias": weights(SIZE),
        "embeddings.position_ids": np.arange(512)[None],
    }
    for layer in range(LAYERS):
        shapes = {f"attention.self.{part}": (SIZE, SIZE) for part in ("query", "key", "value")}
        shapes |= {"attention.output.dense": (SIZE, SIZE)}
        shapes |= {"intermediate.dense": (INNER, SIZE), "output.dense": (SIZE, INNER)}
        for name, shape in shapes.items():
            w[f"encoder.layer.{layer}.{name}.weight"] = weights(*shape)
            w[f"encoder.layer.{layer}.{name}.bias"] = weights(shape[0])
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            w[f"encoder.layer.{layer}.{name}.weight"] = weights(SIZE) + 1
            w[f"encoder.layer.{layer}.{name}.bias"] = weights(SIZE)
    save_file(w, folder / "model.safetensors")
    config = {"num_attention_heads": HEADS, "num_hidden_layers": LAYERS, "layer_norm_eps": 1e-12}
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer = Tokenizer(WordPiece({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = BertNormalizer(), BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_texts_together_have_the_vectors_they_have_alone(tmp_path: Path) -> None:
    model = MiniLM(write_tiny(tmp_path))
    texts = ["when do you open", "do you close", "you", "when do you closed", "open", "", "xyz " * 400]
    together = model.embed_all(texts)
    assert together.shape == (len(texts), SIZE)
    assert np.allclose(np.linalg.norm(together, axis=1), 1)
    for vector, text in zip(together, texts, strict=True):
        assert np.allclose(vector, model.embed(text), atol=1e-5)


def test_a_vector_of_layers_begins_with_the_last_and_has_three_of_length_one(tmp_path: Path) -> None:
    model = MiniLM(write_tiny(tmp_path))
    texts = ["when do you open", "you"]
    layers = model.layers(texts)
    assert np.array_equal(layers[:, :SIZE], model.embed_all(texts))
    each = layers.reshape(len(texts), -1, SIZE)
    assert np.allclose(np.linalg.norm(each, axis=2), 1)
    assert not np.allclose(each[:, 0], each[:, 1], atol=1e-3)


def test_what_is_read_of_a_text_is_its_layers_and_a_vector_of_each_token_between_its_ends(tmp_path: Path) -> None:
    model = MiniLM(write_tiny(tmp_path))
    texts = ["when do you open", "you", "when do you close"]
    readings = model.read(texts)
    assert np.allclose(np.stack([reading.layers for reading in readings]), model.layers(texts), atol=1e-5)
    assert [[WORDS[token] for token in reading.ids] for reading in readings] == [text.split() for text in texts]
    for reading in readings:
        assert reading.tokens.shape == (len(reading.ids), SIZE)
        assert np.allclose(np.linalg.norm(reading.tokens, axis=1), 1)
    first, _, last = readings
    assert not np.allclose(first.tokens[0], last.tokens[0], atol=1e-3)  # "when", of another question


def test_word_order_and_every_word_count(tmp_path: Path) -> None:
    model = MiniLM(write_tiny(tmp_path))
    assert not np.allclose(model.embed("do you open"), model.embed("you do open"), atol=1e-3)
    assert not np.allclose(model.embed("do you open"), model.embed("do you close"), atol=1e-3)


def test_long_texts_are_cut(tmp_path: Path) -> None:
    model = MiniLM(write_tiny(tmp_path))
    assert np.array_equal(model.embed("you " * MOST_TOKENS), model.embed("you " * (MOST_TOKENS + 50)))


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"\x00junk" * 50])
def test_missing_or_spoilt_weights_name_the_command_that_brings_them(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    write_tiny(tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(MissingError, match=r"python -m workers\.weights"):
        MiniLM(tmp_path)


@pytest.mark.skipif(not HAVE_WEIGHTS, reason="no MiniLM weights: python -m workers.weights")
def test_the_real_model_puts_like_meanings_together() -> None:
    model = MiniLM(WEIGHTS)
    question, near, far = model.embed_all(["when do you open", "Our opening hours are nine to five.", "a red bicycle"])
    assert float(question @ near) == pytest.approx(0.6021, abs=1e-3)
    assert float(question @ far) < 0.2
