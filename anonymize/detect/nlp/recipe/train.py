"""Train LAC's network further, average it with what it was, and write the weights: see README.md.

python -m anonymize.detect.nlp.recipe.train UNER_TRAIN.iob2 names.onnx
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
import optax

from anonymize.detect.nlp.recipe.export import export
from anonymize.detect.nlp.recipe.network import Lac, Weights, load_lac, scores
from anonymize.detect.nlp.recipe.texts import TEMPLATES, Spans, sample

RUNS: Final = ((1, 14_000, 2.5, 78), (2, 40_000, 2.6, 118))
"""Of each training: seed, generated texts, passes over all texts, templates they are made from."""
BATCH: Final = 64
LONGEST: Final = 160
DROPPED: Final = 0.2
UNKNOWN_SHARE: Final = 0.01
"""Characters that are hidden in training, so that rare ones do no harm."""
FIRST_SHARE: Final = 0.2
"""What the first weights keep in the average; the trainings share the rest. Chosen by looking at generated texts and at
the dev part."""
NAME: Final = "zhakou-names-2"
_LABELS: Final = ("PER", "LOC", "ORG")

Sample = tuple[str, Spans]


def read_iob2(path: Path) -> list[Sample]:
    """The sentences of a file of Universal NER."""
    found: list[Sample] = []
    text, spans = "", Spans()
    for line in [*path.read_text("utf-8").split("\n"), ""]:
        if not line:
            if text:
                found.append((text, spans))
            text, spans = "", Spans()
        elif not line.startswith("#"):
            _, word, tag, *_ = line.split("\t")
            if text and _is_latin(text[-1]) and _is_latin(word[0]):
                text += " "
            if tag.startswith("B-"):
                spans.append((tag[2:], len(text), len(text) + len(word)))
            elif tag.startswith("I-") and spans:
                spans[-1] = (spans[-1][0], spans[-1][1], len(text) + len(word))
            text += word
    return found


def _is_latin(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()


def _tags(text: str, spans: Spans) -> list[int]:
    tags = [0] * len(text)
    for label, start, end in spans:
        if label in _LABELS:
            begin = 1 + 2 * _LABELS.index(label)
            tags[start:end] = [begin] + [begin + 1] * (end - start - 1)
    return tags


def _batches(data: list[Sample], chance: np.random.Generator) -> Iterator[list[Sample]]:
    """All samples once, those of like length together."""
    order = chance.permutation(len(data))
    batches: list[list[int]] = []
    for at in range(0, len(order), 2048):
        chunk = sorted((int(i) for i in order[at : at + 2048]), key=lambda i: len(data[i][0]))
        batches += [chunk[i : i + BATCH] for i in range(0, len(chunk), BATCH)]
    for position in chance.permutation(len(batches)):
        yield [data[i] for i in batches[position]]


def _arrays(lac: Lac, batch: list[Sample], chance: np.random.Generator) -> tuple[Any, Any, Any]:
    steps = (max(len(text) for text, _ in batch) + 15) // 16 * 16
    codes = np.full((BATCH, steps), lac.unknown)
    mask = np.zeros((BATCH, steps), bool)
    tags = np.zeros((BATCH, steps), np.int32)
    for row, (text, spans) in enumerate(batch):
        codes[row, : len(text)], mask[row, : len(text)] = lac.codes(text), True
        tags[row, : len(text)] = _tags(text, spans)
    return np.where(chance.random(codes.shape) < UNKNOWN_SHARE, lac.unknown, codes), mask, tags


def train(lac: Lac, data: list[Sample], *, seed: int, passes: float) -> Weights:
    """The weights after so many passes over the data."""
    steps = int(passes * len(data) / BATCH)
    schedule = optax.warmup_cosine_decay_schedule(0, 1e-3, 100, steps, 1e-5)
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule))
    weights, state = lac.weights, optimiser.init(lac.weights)

    def loss(weights: Weights, codes: Any, mask: Any, tags: Any, key: Any) -> Any:
        sure = jax.nn.log_softmax(scores(lac, weights, codes, mask, key=key, drop=DROPPED), -1)
        missed = -jnp.take_along_axis(sure, tags[..., None], -1)[..., 0]
        return (missed * mask).sum() / mask.sum()

    @jax.jit  # type: ignore[untyped-decorator]
    def step(weights: Weights, state: Any, codes: Any, mask: Any, tags: Any, key: Any) -> Any:
        value, slope = jax.value_and_grad(loss)(weights, codes, mask, tags, key)
        change, state = optimiser.update(slope, state, weights)
        return optax.apply_updates(weights, change), state, value

    chance, key = np.random.default_rng(seed), jax.random.PRNGKey(seed)
    done = 0
    while done < steps:
        for batch in _batches(data, chance):
            key, now = jax.random.split(key)
            weights, state, value = step(weights, state, *_arrays(lac, batch, chance), now)
            done += 1
            if done % 50 == 0:
                print(f"{done} of {steps}: {float(value):.4f}", flush=True)
            if done >= steps:
                break
    return weights


def main(uner: Path, out: Path) -> None:
    lac = load_lac()
    natural = read_iob2(uner)
    average = {name: FIRST_SHARE * np.asarray(value) for name, value in lac.weights.items()}
    for seed, generated, passes, templates in RUNS:
        chance = random.Random(seed)  # noqa: S311 - made-up texts, not keys
        made = [sample(chance, TEMPLATES[:templates]) for _ in range(generated)]
        cut = [
            (text[:LONGEST], [span for span in spans if span[2] <= LONGEST])
            for text, spans in [*natural, *natural, *made]
        ]
        trained = train(lac, cut, seed=seed, passes=passes)
        for name, value in trained.items():
            average[name] += (1 - FIRST_SHARE) / len(RUNS) * np.asarray(value)
    export(lac, average, out, name=NAME)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
