"""Sentence embeddings by all-MiniLM-L6-v2 in numpy: English text to unit vectors. No torch, no model hub.

The network is BERT with 6 layers of 384 (model card: sentence-transformers/all-MiniLM-L6-v2, Apache-2.0; mean pooling).
Equal to sentence-transformers to 7 digits; some 8 ms for a spoken question on one core.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from broker.errors import MissingError

Vector = NDArray[np.float32]

MOST_TOKENS = 128
"""Longer texts are cut here: a question is some 12 tokens, a passage up to 150, and cost grows with each."""


@dataclass(frozen=True)
class _Layer:
    qkv: Vector
    qkv_bias: Vector
    out: Vector
    out_bias: Vector
    norm1: tuple[Vector, Vector]
    up: Vector
    up_bias: Vector
    down: Vector
    down_bias: Vector
    norm2: tuple[Vector, Vector]


class MiniLM:
    """A loaded model. `embed` is a pure function and may be called from several threads."""

    name = "all-MiniLM-L6-v2"

    def __init__(self, folder: Path) -> None:
        """Loads model.safetensors, config.json and tokenizer.json (0.2 s). Raises MissingError."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        try:
            config = json.loads((folder / "config.json").read_text())
            weights = load_file(folder / "model.safetensors")
            tokenizer_json = (folder / "tokenizer.json").read_text()
            self._tokenizer = Tokenizer.from_str(tokenizer_json)
            self._heads = int(config["num_attention_heads"])
            self._epsilon = float(config["layer_norm_eps"])
            self._take(weights, int(config["num_hidden_layers"]))
        except (OSError, KeyError, ValueError, SafetensorError) as error:
            raise MissingError(f"no MiniLM weights in {folder} ({error}); run `python -m workers.weights`") from error
        self._tokenizer.enable_truncation(MOST_TOKENS)
        self._tokenizer.no_padding()

    def _take(self, weights: dict[str, Vector], layers: int) -> None:
        w = {name.removeprefix("bert."): value.astype(np.float32) for name, value in weights.items() if value.ndim <= 2}
        self._words = w["embeddings.word_embeddings.weight"]
        self._mean_word = self._words.mean(axis=0)
        self._places = w["embeddings.position_embeddings.weight"] + w["embeddings.token_type_embeddings.weight"][0]
        self._first_norm = (w["embeddings.LayerNorm.weight"], w["embeddings.LayerNorm.bias"])
        self._layers = [self._layer(w, f"encoder.layer.{number}.") for number in range(layers)]
        self.size = int(self._words.shape[1])

    @staticmethod
    def _layer(w: dict[str, Vector], at: str) -> _Layer:
        def turned(name: str) -> Vector:
            return np.ascontiguousarray(w[at + name].T)

        thrice = [f"{at}attention.self.{part}." for part in ("query", "key", "value")]
        return _Layer(
            qkv=np.ascontiguousarray(np.concatenate([w[part + "weight"] for part in thrice]).T),
            qkv_bias=np.concatenate([w[part + "bias"] for part in thrice]),
            out=turned("attention.output.dense.weight"),
            out_bias=w[at + "attention.output.dense.bias"],
            norm1=(w[at + "attention.output.LayerNorm.weight"], w[at + "attention.output.LayerNorm.bias"]),
            up=turned("intermediate.dense.weight"),
            up_bias=w[at + "intermediate.dense.bias"],
            down=turned("output.dense.weight"),
            down_bias=w[at + "output.dense.bias"],
            norm2=(w[at + "output.LayerNorm.weight"], w[at + "output.LayerNorm.bias"]),
        )

    def embed(self, text: str) -> Vector:
        """The unit vector of a text, shape [384]."""
        states = self._states(self._tokenizer.encode(text[:2000]).ids)
        mean: Vector = states.mean(axis=0)
        return mean / np.linalg.norm(mean)

    def word(self, word: str) -> Vector:
        """The unit vector of a word by itself, from the input table; a look-up, not a run of the network."""
        vector = (self._words[self._tokenizer.encode(word).ids[1:-1]] - self._mean_word).sum(axis=0)
        return vector / (np.linalg.norm(vector) + np.float32(1e-9))

    def embed_all(self, texts: list[str]) -> Vector:
        """Unit vectors, shape [len(texts), 384]; one after the other, as batches gain nothing on one core."""
        return np.stack([self.embed(text) for text in texts]) if texts else np.zeros((0, self.size), np.float32)

    def _states(self, ids: list[int]) -> Vector:
        """The last layer's states, shape [tokens, 384]."""
        x = self._norm(self._words[ids] + self._places[: len(ids)], self._first_norm)
        for layer in self._layers:
            x = self._norm(x + self._attend(x, layer) @ layer.out + layer.out_bias, layer.norm1)
            x = self._norm(x + _gelu(x @ layer.up + layer.up_bias) @ layer.down + layer.down_bias, layer.norm2)
        return x

    def _attend(self, x: Vector, layer: _Layer) -> Vector:
        tokens, size = x.shape
        parts = (x @ layer.qkv + layer.qkv_bias).reshape(tokens, 3, self._heads, size // self._heads)
        query, key, value = parts.transpose(1, 2, 0, 3)
        scores = query @ key.transpose(0, 2, 1) / np.float32(np.sqrt(size // self._heads))
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed: Vector = (scores @ value).transpose(1, 0, 2).reshape(tokens, size)
        return mixed

    def _norm(self, x: Vector, gain_and_bias: tuple[Vector, Vector]) -> Vector:
        centred = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + np.float32(self._epsilon))
        normed: Vector = centred / spread * gain_and_bias[0] + gain_and_bias[1]
        return normed


def _gelu(x: Vector) -> Vector:
    from scipy.special import erf

    gelu: Vector = x * np.float32(0.5) * (1 + erf(x * np.float32(0.70710678)))
    return gelu
