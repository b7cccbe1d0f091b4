"""Sentence embeddings by all-MiniLM-L6-v2 in numpy: English text to unit vectors. No torch, no model hub.

The network is BERT with 6 layers of 384 (model card: sentence-transformers/all-MiniLM-L6-v2, Apache-2.0; mean pooling).
Equal to sentence-transformers to 7 digits; some 8 ms for a spoken question on one core.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from broker.errors import MissingError

Vector = NDArray[np.float32]

MOST_TOKENS = 128
"""Longer texts are cut here: a question is some 12 tokens, a passage up to 150, and cost grows with each."""

MOST_CHARACTERS = 2000

LAYERS = 3
"""The last ones, whose vectors `layers` gives: those before say more of the words, the last of the meaning."""

BATCH = 16
"""Texts at once: 2.5 times faster than one by one, a few MB of memory."""


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


@dataclass(frozen=True)
class Reading:
    """What the model makes of a text."""

    layers: Vector
    """Unit vectors of the last three layers one after the other, the last first: shape [3 * 384]."""
    ids: NDArray[np.int64]
    """The text's tokens, without those that mark its ends: shape [tokens]."""
    tokens: Vector
    """Each token's unit vector in this text, of the last layer: shape [tokens, 384]."""


class MiniLM:
    """A loaded model. `embed` is a pure function and may be called from several threads."""

    name = "all-MiniLM-L6-v2"

    def __init__(self, folder: Path) -> None:
        """Loads model.safetensors, config.json and tokenizer.json (0.2 s). Raises MissingError."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            config = json.loads((folder / "config.json").read_text())
            weights = load_file(folder / "model.safetensors")
            tokenizer_json = (folder / "tokenizer.json").read_text()
            self._tokenizer = _tokenizer(tokenizer_json)
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
        return self.embed_all([text])[0]

    def word(self, word: str) -> Vector:
        """The unit vector of a word by itself, from the input table; a look-up, not a run of the network."""
        vector = (self._words[self._tokenizer.encode(word).ids[1:-1]] - self._mean_word).sum(axis=0)
        return vector / (np.linalg.norm(vector) + np.float32(1e-9))

    def embed_all(self, texts: list[str]) -> Vector:
        """Unit vectors, shape [len(texts), 384]."""
        return self.layers(texts)[:, : self.size]

    def layers(self, texts: list[str]) -> Vector:
        """Unit vectors of the last three layers, the last first: shape [len(texts), 3 * 384]. What `embed_all` gives is
        the first third. Texts of one length share one reading of the weights."""
        vectors = np.zeros((len(texts), LAYERS * self.size), np.float32)
        for places, _, states in self._batches(texts):
            vectors[places] = _layers(states)
        return vectors

    def read(self, texts: list[str]) -> list[Reading]:
        """The same with every token's vector, for one run of the model."""
        readings: dict[int, Reading] = {}
        for places, ids, states in self._batches(texts):
            layers = _layers(states)
            tokens = states[-1][:, 1:-1]
            tokens = tokens / np.linalg.norm(tokens, axis=2, keepdims=True)
            readings |= {at: Reading(layers[n], ids[n, 1:-1], tokens[n]) for n, at in enumerate(places)}
        return [readings[at] for at in range(len(texts))]

    def _batches(self, texts: list[str]) -> Iterator[tuple[list[int], NDArray[np.int64], list[Vector]]]:
        """Texts of one length together: their places, their ids [texts, tokens], and the `_states` of these."""
        of_length: dict[int, list[tuple[int, list[int]]]] = {}
        for at, text in enumerate(texts):
            ids = self._ids(text)
            of_length.setdefault(len(ids), []).append((at, ids))
        for group in of_length.values():
            for start in range(0, len(group), BATCH):
                batch = group[start : start + BATCH]
                together = np.array([ids for _, ids in batch])
                yield [at for at, _ in batch], together, self._states(together)

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text[:MOST_CHARACTERS]).ids
        return ids

    def _states(self, ids: NDArray[np.int64]) -> list[Vector]:
        """The states of ids [texts, tokens] before the first layer and after each, shape [texts, tokens, 384]."""
        x = self._norm(self._words[ids] + self._places[: ids.shape[1]], self._first_norm)
        states = [x]
        for layer in self._layers:
            x = self._norm(x + _times(self._attend(x, layer), layer.out) + layer.out_bias, layer.norm1)
            up = _gelu(_times(x, layer.up) + layer.up_bias)
            x = self._norm(x + _times(up, layer.down) + layer.down_bias, layer.norm2)
            states.append(x)
        return states

    def _attend(self, x: Vector, layer: _Layer) -> Vector:
        texts, tokens, size = x.shape
        parts = (_times(x, layer.qkv) + layer.qkv_bias).reshape(texts, tokens, 3, self._heads, size // self._heads)
        query, key, value = parts.transpose(2, 0, 3, 1, 4)
        scores = query @ key.swapaxes(-1, -2) / np.float32(np.sqrt(size // self._heads))
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed: Vector = (scores @ value).transpose(0, 2, 1, 3).reshape(texts, tokens, size)
        return mixed

    def _norm(self, x: Vector, gain_and_bias: tuple[Vector, Vector]) -> Vector:
        centred = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + np.float32(self._epsilon))
        normed: Vector = centred / spread * gain_and_bias[0] + gain_and_bias[1]
        return normed


def _layers(states: list[Vector]) -> Vector:
    """Unit vectors of the last layers, from the states of texts of one length."""
    means = [of_layer.mean(axis=1) for of_layer in states[: -LAYERS - 1 : -1]]
    return np.concatenate([mean / np.linalg.norm(mean, axis=1, keepdims=True) for mean in means], axis=1)


def _tokenizer(description: str) -> Any:
    """Any: the library has no types. Raises ValueError where the library raises a bare Exception."""
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_str(description)
    except Exception as error:
        raise ValueError(f"tokenizer.json: {error}") from error


def _times(x: Vector, weights: Vector) -> Vector:
    """x [texts, tokens, in] by weights [in, out], as one product of matrices."""
    product: Vector = (x.reshape(-1, x.shape[-1]) @ weights).reshape(*x.shape[:-1], -1)
    return product


def _gelu(x: Vector) -> Vector:
    gelu: Vector = x * np.float32(0.5) * (1 + erf(x * np.float32(0.70710678)))
    return gelu
