"""The network that comes with the package: characters in, names out.

Two bidirectional GRU layers over characters (the network of Baidu LAC, further trained: see recipe/README.md), run by
onnxruntime on one core, decoded by Viterbi so that no name begins in its middle. It never touches the network.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from anonymize.detect.nlp.model import Label, Span

WEIGHTS: Final = Path(__file__).with_name("weights") / "names.onnx"
PIECE: Final = 120
"""Characters read at once, at most; longer texts are cut at the ends of sentences, else of clauses, else anywhere."""
BATCH: Final = 32
UNKNOWN: Final = "\ufffd"
_LABELS: Final = (Label.PERSON, Label.PLACE, Label.ORGANIZATION)
_OUTSIDE: Final = 0
_INSIDE: Final = np.array([2, 4, 6])
_NEVER: Final = np.float32(-1e9)
_SENTENCE: Final = re.compile(r"[。！？!?\n\r]")
_CLAUSE: Final = re.compile(r"[，；,;、 \t]")

Scores = npt.NDArray[np.float32]


def _transitions() -> Scores:
    """What each tag costs after each: a name goes on only behind its own begin or middle."""
    costs = np.zeros((7, 7), dtype=np.float32)
    for inside in _INSIDE:
        costs[[tag for tag in range(7) if tag not in (inside, inside - 1)], inside] = _NEVER
    return costs


_COSTS: Final = _transitions()


class Tagger:
    """Finds names with the weights that come with the package."""

    def __init__(self, weights: Path = WEIGHTS) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        content = weights.read_bytes()
        self._session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        known = self._session.get_modelmeta().custom_metadata_map
        self._codes = {letter: number for number, letter in enumerate(known["characters"])}
        self._codes |= {odd: self._codes[plain] for odd, plain in known["same"].split("\t")}
        self._unknown = self._codes[UNKNOWN]
        self._version = f"{known['name']}+{hashlib.sha256(content).hexdigest()[:12]}"

    @property
    def version(self) -> str:
        return self._version

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        pieces = [(number, start, text[start:end]) for number, text in enumerate(texts) for start, end in cut(text)]
        pieces.sort(key=lambda piece: len(piece[2]))
        found: list[list[Span]] = [[] for _ in texts]
        for at in range(0, len(pieces), BATCH):
            batch = pieces[at : at + BATCH]
            for (number, offset, _), spans in zip(batch, self._tag([piece for _, _, piece in batch]), strict=True):
                found[number] += [Span(one.label, one.start + offset, one.end + offset, one.score) for one in spans]
        return [sorted(spans, key=lambda span: span.start) for spans in found]

    def _tag(self, pieces: Sequence[str]) -> list[list[Span]]:
        lengths = np.array([len(piece) for piece in pieces])
        codes = np.full((len(pieces), int(lengths.max())), self._unknown, dtype=np.int64)
        for row, piece in enumerate(pieces):
            codes[row, : len(piece)] = [self._codes.get(letter, self._unknown) for letter in piece]
        (scores,) = self._session.run(None, {"codes": codes, "lengths": lengths.astype(np.int32)})
        return [_spans(*found) for found in zip(decode(scores, lengths), scores, strict=True)]


def cut(text: str) -> Iterator[tuple[int, int]]:
    """Where a text is cut into pieces that are read at once."""
    start = 0
    while len(text) - start > PIECE:
        window = text[start : start + PIECE]
        ends = [match.end() for match in _SENTENCE.finditer(window)] or [
            match.end() for match in _CLAUSE.finditer(window, PIECE // 2)
        ]
        end = start + (ends[-1] if ends else PIECE)
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)


def decode(scores: Scores, lengths: npt.NDArray[np.int64]) -> list[list[int]]:
    """The likeliest tags of each piece.

    Shape: `scores` pieces x characters x 7 tags (outside; begin and inside of each label), logarithms.
    """
    pieces, longest, tags = scores.shape
    back = np.zeros((pieces, longest, tags), dtype=np.int8)
    best = scores[:, 0].copy()
    best[:, _INSIDE] = _NEVER
    last = best.copy()
    for at in range(1, longest):
        through = best[:, :, None] + _COSTS
        back[:, at] = through.argmax(axis=1)
        best = through.max(axis=1) + scores[:, at]
        last = np.where((lengths - 1 == at)[:, None], best, last)
    tag = last.argmax(axis=1)
    paths = np.zeros((pieces, longest), dtype=np.int8)
    for at in range(longest - 1, -1, -1):
        inside = lengths - 1 >= at
        paths[inside, at] = tag[inside]
        tag = np.where(inside, back[np.arange(pieces), at, tag], tag)
    return [path[:length].tolist() for path, length in zip(paths, lengths, strict=True)]


def _spans(path: Sequence[int], scores: Scores) -> list[Span]:
    spans: list[Span] = []
    at = 0
    while at < len(path):
        start, tag = at, path[at]
        at += 1
        if tag == _OUTSIDE:
            continue
        while at < len(path) and path[at] == tag + 1:
            at += 1
        sure = float(np.exp(scores[np.arange(start, at), path[start:at]]).mean())
        spans.append(Span(_LABELS[tag // 2], start, at, min(1.0, sure)))
    return spans
