"""Pseudonyms and masks: the published vectors, the same person the same code, and nothing that joins two licences."""

from __future__ import annotations

import hmac

import polars as pl
import pytest

from anonymize.errors import BadInput, Place
from anonymize.row_order import key_id, sort_rows
from anonymize.techniques.mask import Mask
from anonymize.techniques.pseudonymize import Pseudonymize, derive_key, keyed_digest
from tests.anonymize_cases import KEY, OTHER_KEY

PLACE = Place(table="t.csv", column="id")


def _codes(values: list[object], *, key: bytes = KEY, domain: str = "person", fold_case: bool = True) -> list[str]:
    technique = Pseudonymize(domain=domain, fold_case=fold_case)
    return technique.apply(pl.Series("id", values), key=key, place=PLACE).to_list()


@pytest.mark.parametrize(
    ("key", "text", "digest"),
    [
        ("\x0b" * 20, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            "Jefe",
            "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
    ],
)
def test_keyed_digest_agrees_with_rfc_4231(key: str, text: str, digest: str) -> None:
    """Cases 1 and 2 of RFC 4231, section 4; the others have keys or data that are no text."""
    assert keyed_digest(pl.Series([text]), key=key).to_list() == [digest]


def test_keyed_digest_agrees_with_the_standard_library() -> None:
    texts = ["", "310107198001010012", "张三", "x" * 200]
    expected = [hmac.digest(b"k" * 64, text.encode(), "sha256").hex() for text in texts]
    assert keyed_digest(pl.Series(texts), key="k" * 64).to_list() == expected


def test_failure_of_the_plug_in_leads_nobody_to_the_key() -> None:
    """polars shows the failed expression in its message; nothing of it may hang on the refusal."""
    with pytest.raises(BadInput) as refused:
        keyed_digest(pl.Series([1.5]), key="the key of a licence")
    assert refused.value.code == "pseudonym.failed"
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def test_pseudonym_is_the_front_of_the_hmac_under_the_domains_own_key() -> None:
    key = hmac.digest(KEY, b"zhakou pseudonym v1\x00person", "sha256").hex()
    assert _codes(["007"]) == [hmac.digest(key.encode(), b"007", "sha256").hex()[:32]]


def test_same_identifier_gets_the_same_pseudonym_as_text_or_number() -> None:
    assert _codes(["123", " 123 "]) == _codes([123]) * 2


def test_letter_case_counts_only_when_asked() -> None:
    assert len(set(_codes(["1x", "1X"]))) == 1
    assert len(set(_codes(["1x", "1X"], fold_case=False))) == 2


def test_domains_do_not_join() -> None:
    assert _codes(["123"], domain="person") != _codes(["123"], domain="firm")


def test_keys_do_not_join() -> None:
    assert _codes(["123"], key=KEY) != _codes(["123"], key=OTHER_KEY)


def test_nothing_stays_nothing() -> None:
    assert _codes(["1", None, " "])[1:] == [None, None]


def test_short_key_is_refused_without_being_shown() -> None:
    with pytest.raises(BadInput) as refused:
        _codes(["1"], key=b"sixteen bytes key")
    assert refused.value.code == "key.too_short"
    assert "sixteen" not in refused.value.sentence("en")


def test_column_that_is_no_identifier_is_refused() -> None:
    with pytest.raises(BadInput) as refused:
        _codes([1.5])
    assert refused.value.code == "column.not_an_identifier"


def test_key_id_tells_keys_apart_and_holds_no_part_of_them() -> None:
    assert key_id(KEY) != key_id(OTHER_KEY)
    assert key_id(KEY) not in KEY.hex()


def test_uses_of_a_key_are_separate() -> None:
    assert derive_key(KEY, b"one") != derive_key(KEY, b"two")


def test_rows_are_ordered_by_the_key_and_not_by_the_source() -> None:
    frame = pl.DataFrame({"a": list(range(50)), "b": ["x", None] * 25})
    ordered = sort_rows(frame, key=KEY)
    assert ordered.equals(sort_rows(frame.reverse(), key=KEY))
    assert not ordered.equals(sort_rows(frame, key=OTHER_KEY))
    assert ordered.sort("a").equals(frame)


def test_mask_keeps_the_ends_and_hides_length() -> None:
    column = pl.Series("c", ["31010719800101", "310108", "3101", None, ""])
    assert Mask(keep_start=2, keep_end=2).apply(column, key=KEY, place=PLACE).to_list() == [
        "31***01",
        "31***08",
        "***",
        None,
        "***",
    ]
    assert Mask(keep_start=0, keep_end=0).apply(pl.Series("c", [12]), key=KEY, place=PLACE).to_list() == ["***"]


def test_mask_over_other_types_is_refused() -> None:
    with pytest.raises(BadInput):
        Mask(keep_start=1, keep_end=1).apply(pl.Series("c", [1.5]), key=KEY, place=PLACE)


def test_full_width_and_composed_spellings_of_an_identifier_are_one_person() -> None:
    assert (
        len(
            set(
                _codes(
                    [
                        "31010719800101001x",
                        "31010719800101001X",
                        "３１０１０７１９８００１０１００１Ｘ",
                        " 31010719800101001x",
                    ]
                )
            )
        )
        == 1
    )
    assert len(set(_codes(["\u00e9", "e\u0301"]))) == 1
    assert len(set(_codes(["ｎ", "n"], fold_case=False))) == 2


@pytest.mark.parametrize("key", [bytes(32), b"a" * 64, b"secret" * 8])
def test_key_that_is_not_random_is_refused(key: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        _codes(["x"], key=key)
    assert refused.value.code == "key.not_random"
