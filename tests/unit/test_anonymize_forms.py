"""Other pseudonyms than HMAC-SHA-256: HMAC-SM3 and FF1, each against its published answers."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any

import numpy as np
import polars as pl
import pytest

from anonymize.errors import BadInput, Place
from anonymize.policy import parse_policy
from anonymize.techniques.distinct import once
from anonymize.techniques.ff1 import encrypt
from anonymize.techniques.form import made_up_forms
from anonymize.techniques.pseudonymize import Pseudonymize, keyed_sm3
from tests.anonymize_cases import KEY, OTHER_KEY, PSEUDONYM, QUASI_KEPT, policy_text

PLACE = Place(table="t.csv", column="id")
NUMERALS = "0123456789abcdefghijklmnopqrstuvwxyz"
KEY_128 = "2B7E151628AED2A6ABF7158809CF4F3C"
KEY_192 = KEY_128 + "EF4359D8D580AA4F"
KEY_256 = KEY_192 + "7F036D6F04FC6A94"
TWEAK = "39383736353433323130"
LONG_TWEAK = "3737373770717273373737"


def _preserving(values: list[Any], *, key: bytes = KEY, domain: str = "person", **settings: Any) -> list[str]:
    technique = Pseudonymize(domain=domain, format="preserving", **settings)
    return technique.apply(pl.Series("id", values), key=key, place=PLACE).to_list()


@pytest.mark.parametrize(
    ("key", "tweak", "radix", "plain", "cipher"),
    [
        (KEY_128, "", 10, "0123456789", "2433477484"),
        (KEY_128, TWEAK, 10, "0123456789", "6124200773"),
        (KEY_128, LONG_TWEAK, 36, "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
        (KEY_192, "", 10, "0123456789", "2830668132"),
        (KEY_192, TWEAK, 10, "0123456789", "2496655549"),
        (KEY_192, LONG_TWEAK, 36, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
        (KEY_256, "", 10, "0123456789", "6657667009"),
        (KEY_256, TWEAK, 10, "0123456789", "1001623463"),
        (KEY_256, LONG_TWEAK, 36, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
    ],
)
def test_ff1_agrees_with_the_samples_of_nist(key: str, tweak: str, radix: int, plain: str, cipher: str) -> None:
    """The nine FF1 samples that NIST publishes beside SP 800-38G."""
    numerals = np.array([[NUMERALS.index(numeral) for numeral in plain]] * 3)
    answer = encrypt(bytes.fromhex(key), numerals, radix=radix, tweak=bytes.fromhex(tweak))
    assert ["".join(NUMERALS[numeral] for numeral in row) for row in answer] == [cipher] * 3


@pytest.mark.parametrize(("radix", "length"), [(10, 6), (10, 7), (2, 20), (26, 5), (10, 40), (2, 130)])
def test_ff1_permutes_its_domain(radix: int, length: int) -> None:
    drawn = np.unique(np.random.default_rng(3).integers(0, radix, (2_000, length)), axis=0)
    made = encrypt(bytes(32), drawn, radix=radix)
    assert len(np.unique(made, axis=0)) == len(drawn)
    assert ((made >= 0) & (made < radix)).all()


def test_ff1_refuses_domains_below_a_million() -> None:
    with pytest.raises(ValueError, match="domain"):
        encrypt(bytes(32), np.zeros((1, 5), dtype=np.int64), radix=10)


def test_hmac_sm3_agrees_with_the_standard_library() -> None:
    """Where OpenSSL offers SM3, hashlib calculates the same by another way."""
    texts = ["", "310107198001010012", "张三", "x" * 200]
    expected = [hmac.new(b"k" * 64, text.encode(), lambda: hashlib.new("sm3")).hexdigest() for text in texts]
    assert keyed_sm3(pl.Series([*texts, None]), key="k" * 64).to_list() == [*expected, None]


def test_sm3_is_the_standards_own() -> None:
    """GB/T 32905-2016, example 1: the digest of "abc"."""
    assert hashlib.new("sm3", b"abc").hexdigest() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_algorithms_do_not_join() -> None:
    column = pl.Series("id", ["13800138000"])
    codes = {
        Pseudonymize(domain="p", algorithm=name).apply(column, key=KEY, place=PLACE)[0]
        for name in ("hmac-sha256", "hmac-sm3")
    }
    assert len(codes) == 2


def test_form_of_an_identifier_stays() -> None:
    values = ["13800138000", "310107198001010012", "AB-1234.567x", "a1b2c3d4e5", "(021) 6234-5678", None, " "]
    made = _preserving(values, fold_case=False)
    shape = [
        None if text is None else re.sub("[a-z]", "a", re.sub("[A-Z]", "A", re.sub("[0-9]", "0", text)))
        for text in values[:5]
    ]
    assert [re.sub("[a-z]", "a", re.sub("[A-Z]", "A", re.sub("[0-9]", "0", text))) for text in made[:5]] == shape
    assert all(after != before for after, before in zip(made[:5], values[:5], strict=True))
    assert made[5:] == [None, None]


def test_separators_do_not_count() -> None:
    spaced, plain = _preserving(["138-0013-8000", "13800138000"])
    assert spaced.replace("-", "") == plain


def test_case_is_folded_as_for_tokens() -> None:
    assert len(set(_preserving(["31010719800101001x", "31010719800101001X"]))) == 1


def test_whole_numbers_get_pseudonyms_that_may_begin_with_zero() -> None:
    assert _preserving([13800138000]) == _preserving(["13800138000"])


def test_keys_and_domains_do_not_join() -> None:
    values = [str(13_800_000_000 + number) for number in range(200)]
    made = [_preserving(values), _preserving(values, key=OTHER_KEY), _preserving(values, domain="firm")]
    assert len({code for codes in made for code in codes}) == 600


def test_mixed_forms_are_permuted_in_themselves() -> None:
    values = [f"A{number:05d}" for number in range(3_000)] + [f"{number:05d}A" for number in range(3_000)]
    made = _preserving(values)
    assert len(set(made)) == 6_000
    assert all(re.fullmatch("[A-Z][0-9]{5}", code) for code in made[:3_000])


@pytest.mark.parametrize("value", ["12345", "ABCD", "沪A12345", "张三", "---", "1" * 65])
def test_form_that_can_not_be_kept_safely_is_refused_by_count(value: str) -> None:
    with pytest.raises(BadInput) as refused:
        _preserving([value, "13800138000"])
    assert refused.value.code == "column.form_not_kept"
    assert "1 distinct values" in refused.value.text.en
    assert value not in refused.value.sentence("zh")


def test_number_in_full_width_digits_is_the_same_number() -> None:
    wide, plain = _preserving(["１３８００１３８０００", "13800138000"])
    assert wide == plain != "13800138000"


@pytest.mark.parametrize("extra", [{"length": 32}, {"algorithm": "hmac-sm3"}])
def test_settings_of_tokens_are_not_for_forms(extra: dict[str, Any]) -> None:
    column = {**PSEUDONYM, "params": {"domain": "p", "format": "preserving", **extra}}
    with pytest.raises(BadInput) as refused:
        parse_policy(policy_text({"q": QUASI_KEPT, "x": column}))
    assert refused.value.subject == f"columns.x.params.{next(iter(extra))}"


def test_made_up_identifiers_have_the_form_most_have() -> None:
    made = made_up_forms(500, form_of=pl.Series(["AB123456", "CD-123456", "1234567"]), key=bytes(32))
    assert made.n_unique() == 500
    assert made.str.contains("^[A-Z]{2}[0-9]{6}$").all()


@pytest.mark.parametrize("count", [10, 20_000])
def test_work_on_distinct_values_gives_what_work_on_all_gives(count: int) -> None:
    column = pl.Series("x", ["a", "b", None, "c", "a"] * count)
    assert once(column, lambda values: values.str.to_uppercase()).equals(column.str.to_uppercase())
