"""FF1: encryption that turns n numerals of a radix into n numerals of that radix, many texts at once.

The rounds of all texts go through AES together; the standard's own test vectors are in the tests. No library does it
column by column: those at hand encrypt one text a call, or need a newer Python.

Source: NIST SP 800-38G, Recommendation for Block Cipher Modes of Operation: Methods for Format-Preserving Encryption
(2016), algorithm 7, with the larger smallest domain of its revision 1.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

MIN_DOMAIN: Final = 1_000_000
"""Fewest texts of a length there must be (radix ** length), revision 1, section 5.2."""
MAX_RADIX: Final = 2**16
_ROUNDS: Final = 10
_BLOCK: Final = 16

Numerals = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[Any]


def encrypt(key: bytes, numerals: Numerals, *, radix: int, tweak: bytes = b"") -> Numerals:
    """The numerals encrypted.

    Shape: one text per row, all of one length; each numeral from 0 to radix - 1.
    Units: `key` of 16, 24 or 32 bytes.
    Raises:
        ValueError: the domain is too small for the standard, or the radix too large.
    """
    count, length = numerals.shape
    if not 2 <= radix <= MAX_RADIX or radix**length < MIN_DOMAIN:
        raise ValueError("the domain is outside of what FF1 allows")
    left, right = length // 2, length - length // 2
    wide = max(1, ((radix**right - 1).bit_length() + 7) // 8)
    digest = 4 * ((wide + 3) // 4) + 4
    aes = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - the block function of FF1's own mode
    head = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([_ROUNDS, left % 256])
    head += length.to_bytes(4, "big") + len(tweak).to_bytes(4, "big")
    front = tweak + bytes(-(len(tweak) + wide + 1) % _BLOCK)
    a, b = _number(numerals[:, :left], radix), _number(numerals[:, left:], radix)
    for turn in range(_ROUNDS):
        modulus = radix ** (left if turn % 2 == 0 else right)
        fixed = np.frombuffer(head + front + bytes([turn]), dtype=np.uint8)
        blocks = np.concatenate([np.broadcast_to(fixed, (count, len(fixed))), _as_bytes(b, wide)], axis=1)
        stream = _stream(aes, _cbc_mac(aes, blocks), digest)
        a, b = b, (a + _remainder(stream, modulus)) % modulus
    return np.concatenate([_numerals(a, left, radix), _numerals(b, right, radix)], axis=1)


def _number(numerals: Numerals, radix: int) -> Numbers:
    """Rows of numerals as numbers: 64 bits while they and a sum of two fit, Python's own beyond."""
    fits = radix ** numerals.shape[1] < 2**62
    total: Numbers = np.zeros(len(numerals), dtype=np.int64 if fits else object)
    for numeral in numerals.T:
        total = total * radix + (numeral if fits else numeral.astype(object))
    return total


def _numerals(numbers: Numbers, length: int, radix: int) -> Numerals:
    made = np.empty((len(numbers), length), dtype=np.int64)
    for place in range(length - 1, -1, -1):
        made[:, place] = (numbers % radix).astype(np.int64)
        numbers = numbers // radix
    return made


def _as_bytes(numbers: Numbers, width: int) -> Bytes:
    made = np.empty((len(numbers), width), dtype=np.uint8)
    for place in range(width - 1, -1, -1):
        made[:, place] = (numbers % 256).astype(np.uint8)
        numbers = numbers // 256
    return made


def _cbc_mac(aes: Any, blocks: Bytes) -> Bytes:
    """PRF of algorithm 6: the last block of CBC over each row."""
    state = np.zeros((len(blocks), _BLOCK), dtype=np.uint8)
    for start in range(0, blocks.shape[1], _BLOCK):
        state = _aes(aes, state ^ blocks[:, start : start + _BLOCK])
    return state


def _stream(aes: Any, state: Bytes, length: int) -> Bytes:
    """Step 6 iii: as many bytes as asked for, from the state and its encrypted successors."""
    parts = [state]
    for number in range(1, -(-length // _BLOCK)):
        counter = np.frombuffer(number.to_bytes(_BLOCK, "big"), dtype=np.uint8)
        parts.append(_aes(aes, state ^ counter))
    return np.concatenate(parts, axis=1)[:, :length]


def _aes(aes: Any, blocks: Bytes) -> Bytes:
    out = aes.update(np.ascontiguousarray(blocks).tobytes())
    return np.frombuffer(out, dtype=np.uint8).reshape(blocks.shape)


def _remainder(stream: Bytes, modulus: int) -> Numbers:
    """The bytes of each row, as one number, modulo `modulus`."""
    if modulus < 2**31:
        words = stream.reshape(len(stream), -1, 4).astype(np.uint64) @ np.array(
            [2**24, 2**16, 2**8, 1], dtype=np.uint64
        )
        rest = np.zeros(len(stream), dtype=np.uint64)
        for word in words.T:
            rest = ((rest << np.uint64(32)) | word) % np.uint64(modulus)
        return rest.astype(np.int64)
    exact = [int.from_bytes(row, "big") % modulus for row in stream.tolist()]
    return np.array(exact, dtype=np.int64 if modulus < 2**62 else object)
