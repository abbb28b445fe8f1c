"""Pseudonyms that keep the form of an identifier: digits stay digits, letters letters, separators stay where they are.

What must hold:
1. Two identifiers of one form never meet in one pseudonym: each form is permuted in itself.
2. Separators do not count: 138-0013-8000 and 13800138000 get pseudonyms of the same digits.
3. A form of fewer than a million identifiers is refused: they could all be tried.
4. Characters that are neither digits, Latin letters nor separators are refused, not left standing.

A form of one alphabet goes through FF1 as it is. A mixed form (letters and digits) is numbered through, and its number
goes through FF1 over bits, again and again until it is the number of an identifier of that form (cycle walking).
Source: FF1 (`ff1`); rank, encipher, unrank and cycle walking: Bellare, Ristenpart, Rogaway, Stegers 2009.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.errors import Place
from anonymize.techniques.ff1 import MIN_DOMAIN, encrypt
from anonymize.text import Text

_ALPHABETS: Final = {"0": "0123456789", "A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "a": "abcdefghijklmnopqrstuvwxyz"}
_SEPARATORS: Final = r"[ \-./_:()#+]"
MAX_CHARACTERS: Final = 64

Codes = npt.NDArray[np.int64]
Ranks = npt.NDArray[Any]


def refuse_form(text: pl.Series, place: Place) -> None:
    """Refuse a column whose form can't be kept safely.

    Raises:
        BadInput: values with other characters than digits, Latin letters and separators, too long, or of a form that
            fewer than a million identifiers have.
    """
    core = text.drop_nulls().unique().str.replace_all(_SEPARATORS, "")
    odd = int((core.str.contains(r"[^0-9A-Za-z]") | (core.str.len_chars() > MAX_CHARACTERS)).sum())
    small = sum(_domain(form) < MIN_DOMAIN for form in _forms(core).to_list())
    if not odd and not small:
        return
    zh = [f"有 {odd} 个不同的值含有数字、拉丁字母和分隔符以外的字符，或过长"] if odd else []
    zh += [f"有 {small} 个不同的值过短，同形的标识不足一百万个"] if small else []
    en = [f"{odd} distinct values hold other characters than digits, Latin letters and separators"] if odd else []
    en += [f"{small} distinct values are so short that fewer than a million have their form"] if small else []
    raise place.refuse(
        "column.form_not_kept",
        found=Text("，".join(zh), " and ".join(en)),
        next_step=Text(
            '请在规则中改用 format = "token"，或改正源表。',
            'Use format = "token" in the policy, or correct the source table.',
        ),
    )


def encrypt_form(text: pl.Series, *, key: bytes) -> pl.Series:
    """The pseudonym of each identifier, in its own form.

    Shape: one per row, nulls stay null; `refuse_form` found nothing against it.
    Units: `key` of 32 bytes.
    """
    core = text.str.replace_all(_SEPARATORS, "")
    table = pl.DataFrame({"text": text, "core": core, "form": _forms(core)}).with_row_index("row")
    parts = [
        part.with_columns(code=_encrypted(part["core"], str(form), key=key))
        for (form,), part in table.drop_nulls("text").partition_by("form", as_dict=True).items()
    ]
    if not parts:
        return text.clear().extend_constant(None, len(text))
    coded = table.select("row", "text").join(pl.concat(parts).select("row", "code"), on="row", how="left")
    coded = coded.sort("row")
    apart = coded["text"].str.contains(_SEPARATORS).fill_null(False)
    if not apart.any():
        return coded["code"]
    pairs = zip(coded["text"], coded["code"], apart, strict=True)
    return pl.Series([_respaced(*pair) if spaced else pair[1] for *pair, spaced in pairs], dtype=pl.String)


def made_up_forms(count: int, *, form_of: pl.Series, key: bytes) -> pl.Series:
    """Made-up identifiers, all different, of the form that most of a column's values have (digits if it has none)."""
    forms = _forms(form_of.drop_nulls().str.replace_all(_SEPARATORS, ""))
    common = forms.value_counts(sort=True)
    form = str(common.sort("count", forms.name, descending=True)[forms.name][0]) if len(forms) else "0" * 12
    return _unranked(_permuted(_first_ranks(count, form), form, key=key), form)


def _forms(core: pl.Series) -> pl.Series:
    digits = core.str.replace_all("[0-9]", "0")
    return digits.str.replace_all("[A-Z]", "A").str.replace_all("[a-z]", "a").alias("form")


def _domain(form: str) -> int:
    size = 1
    for kind in form:
        size *= len(_ALPHABETS.get(kind, "?"))
    return size


def _encrypted(core: pl.Series, form: str, *, key: bytes) -> pl.Series:
    return _unranked(_permuted(_numerals(core, form), form, key=key), form)


def _numerals(core: pl.Series, form: str) -> Codes:
    """Each character as its place in its alphabet; one row per text."""
    codes = np.frombuffer("".join(core.to_list()).encode("ascii"), dtype=np.uint8).reshape(len(core), len(form))
    return codes.astype(np.int64) - np.array([ord(kind) for kind in form], dtype=np.int64)


def _unranked(numerals: Codes, form: str) -> pl.Series:
    codes = (numerals + np.array([ord(kind) for kind in form], dtype=np.int64)).astype(np.uint8)
    return pl.Series(np.ascontiguousarray(codes).view(f"S{len(form)}").ravel().astype(f"U{len(form)}").tolist())


def _permuted(numerals: Codes, form: str, *, key: bytes) -> Codes:
    if form == "0" * len(form):
        return encrypt(key, numerals, radix=10)
    if len(set(form)) == 1:
        return encrypt(key, numerals, radix=26, tweak=form[:1].encode())
    size = _domain(form)
    bits = (size - 1).bit_length()
    ranks = _rank(numerals, form)
    outside = np.ones(len(ranks), dtype=bool)
    while outside.any():
        drawn = encrypt(key, _to_bits(ranks[outside], bits), radix=2, tweak=form.encode())
        ranks[outside] = _from_bits(drawn)
        outside[outside] = (ranks[outside] >= size).astype(bool)
    return _unrank(ranks, form)


def _rank(numerals: Codes, form: str) -> Ranks:
    exact = numerals if _domain(form) < 2**61 else numerals.astype(object)
    ranks: Ranks = np.zeros(len(numerals), dtype=exact.dtype)
    for place, kind in enumerate(form):
        ranks = ranks * len(_ALPHABETS[kind]) + exact[:, place]
    return ranks


def _unrank(ranks: Ranks, form: str) -> Codes:
    numerals = np.empty((len(ranks), len(form)), dtype=np.int64)
    for place in range(len(form) - 1, -1, -1):
        radix = len(_ALPHABETS[form[place]])
        numerals[:, place] = (ranks % radix).astype(np.int64)
        ranks = ranks // radix
    return numerals


def _to_bits(ranks: Ranks, bits: int) -> Codes:
    made = np.empty((len(ranks), bits), dtype=np.int64)
    for place in range(bits - 1, -1, -1):
        made[:, place] = (ranks % 2).astype(np.int64)
        ranks = ranks // 2
    return made


def _from_bits(bits: Codes) -> Ranks:
    exact = bits if bits.shape[1] < 62 else bits.astype(object)
    ranks: Ranks = np.zeros(len(bits), dtype=exact.dtype)
    for bit in exact.T:
        ranks = ranks * 2 + bit
    return ranks


def _first_ranks(count: int, form: str) -> Codes:
    exact = _domain(form) >= 2**61
    return _unrank(np.arange(count).astype(object) if exact else np.arange(count), form)


def _respaced(text: str, code: str) -> str:
    """The code with the separators of the text between its characters."""
    left = iter(code)
    return "".join(next(left) if character.isalnum() else character for character in text)
