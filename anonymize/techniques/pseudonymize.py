"""Pseudonymize: an identifier becomes a keyed code that joins within one licence and nowhere else.

What must hold:
1. The key belongs to one licence and never leaves this process: not in an error, a log, a plan or the manifest.
2. The same identifier in the same `domain` gives the same pseudonym in all tables of that licence.
3. Different domains or different keys never join: each domain has its own key, derived from the licence's.
4. Nothing but the key can turn a pseudonym back; a plain hash of an ID number could be found by trying them all.

A *token* is the front of an HMAC. A *form-preserving* pseudonym has the length, the separators and the kinds of
characters of its identifier; it is an encryption (`form`), so whoever holds the key can also turn it back.

Source: HMAC, RFC 2104 and FIPS 198-1; test vectors RFC 4231. SM3, GB/T 32905-2016, and HMAC-SM3, GB/T 15852.2-2024.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import polars as pl
import polars_hash as plh
from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.hmac import HMAC

from anonymize.errors import BadInput, Place
from anonymize.strict import Fields, refuse_setting
from anonymize.techniques.distinct import once
from anonymize.techniques.form import encrypt_form, refuse_form
from anonymize.text import Text

MIN_DISTINCT_BYTES: Final = 8
"""32 random bytes hold fewer different ones with a chance below 1 in 10^30; zeros and repeated words do."""
MIN_KEY_BYTES: Final = 32
"""As long as the digest: shorter keys weaken HMAC-SHA-256 (RFC 2104, section 3)."""
DEFAULT_LENGTH: Final = 32
"""Hexadecimal characters kept of the 64: 128 bits, two of a billion identifiers meet with odds below 1 in 10**20."""
MIN_LENGTH: Final = 24
SHA256: Final = "hmac-sha256"
SM3_NAME: Final = "hmac-sm3"
TOKEN: Final = "token"  # noqa: S105 - the name of a format, no secret
PRESERVING: Final = "preserving"
_TOKEN_WORDS: Final[Mapping[str, str]] = {SHA256: "HMAC-SHA-256", SM3_NAME: "HMAC-SM3"}
_LABELS: Final[Mapping[str, bytes]] = {
    SHA256: b"zhakou pseudonym v1\x00",
    SM3_NAME: b"zhakou pseudonym sm3 v1\x00",
    PRESERVING: b"zhakou pseudonym ff1 v1\x00",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudonymize:
    """Replace each value by the first `length` hexadecimal characters of its HMAC, or by a code of its own form.

    Values are compared as text without surrounding blanks; with `fold_case` (the default) lower-case letters count as
    capitals and full-width ones as plain ones (Unicode NFKC), so that a citizen number ending in x, X and Ｘ is one
    person.
    """

    name: ClassVar[str] = "pseudonymize"
    whole_column: ClassVar[bool] = False
    uses_key: ClassVar[bool] = True

    domain: str
    length: int = DEFAULT_LENGTH
    fold_case: bool = True
    algorithm: str = SHA256
    format: str = TOKEN

    @classmethod
    def read(cls, fields: Fields) -> Pseudonymize:
        form = fields.choice("format", (TOKEN, PRESERVING)) if fields.has("format") else TOKEN
        for name in ("length", "algorithm") if form == PRESERVING else ():
            if fields.has(name):
                raise refuse_setting(
                    fields.at(name),
                    zh="不适用于 preserving：假名与标识同样长，由 FF1（AES-256）加密得到",
                    en="is not for preserving: a pseudonym of the same form is encrypted by FF1 (AES-256)",
                )
        return cls(
            domain=fields.text("domain"),
            length=fields.integer("length", low=MIN_LENGTH, high=64, default=DEFAULT_LENGTH),
            fold_case=fields.boolean("fold_case", default=True),
            algorithm=fields.choice("algorithm", tuple(_TOKEN_WORDS)) if fields.has("algorithm") else SHA256,
            format=form,
        )

    def params(self) -> dict[str, Any]:
        if self.format == PRESERVING:
            return {"domain": self.domain, "format": self.format, "fold_case": self.fold_case}
        algorithm = {} if self.algorithm == SHA256 else {"algorithm": self.algorithm}
        return {"domain": self.domain, "length": self.length, "fold_case": self.fold_case, **algorithm}

    def words(self) -> Text:
        if self.format == PRESERVING:
            return Text(
                f"替换为本协议专用密钥加密得到的同形假名（域 {self.domain}，FF1；长度、分隔符和字符种类不变）",
                f"replaced by pseudonyms of the same form, encrypted under this licence's own key (domain "
                f"{self.domain}, FF1; length, separators and kinds of characters stay)",
            )
        name = _TOKEN_WORDS[self.algorithm]
        return Text(
            f"替换为本协议专用密钥生成的假名（域 {self.domain}，{name} 前 {self.length} 个十六进制字符）",
            f"replaced by pseudonyms under this licence's own key "
            f"(domain {self.domain}, first {self.length} hexadecimal characters of {name})",
        )

    def apply(self, values: pl.Series, *, key: bytes, place: Place) -> pl.Series:
        """The pseudonyms of a column.

        Shape: one text per row, of `length` characters or the form of the identifier; nulls and blank texts are null.
        Raises:
            BadInput: the key is too short, the column can't be an identifier or its form not be kept, or two values
                met in one pseudonym.
        """
        if not (values.dtype == pl.String or values.dtype.is_integer()):
            raise place.refuse(
                "column.not_an_identifier",
                found=Text("假名化要求该列为文本或整数", "pseudonyms need a column of text or whole numbers"),
                next_step=Text(
                    "请把该列以文本形式导出，或在规则中删除该列。",
                    "Export the column as text, or drop it in the policy.",
                ),
            )
        return once(values, lambda distinct: self._codes(distinct, key=key, place=place)).alias(values.name)

    def _codes(self, values: pl.Series, *, key: bytes, place: Place) -> pl.Series:
        text = values.cast(pl.String)
        text = (text.str.normalize("NFKC").str.to_uppercase() if self.fold_case else text).str.strip_chars()
        text = text.set(text == "", None)
        codes = self._encode(text, key=key, place=place)
        if codes.n_unique() != text.n_unique():
            raise place.refuse(
                "column.pseudonyms_collide",
                found=Text("两个不同的标识得到了同一假名", "two different identifiers met in one pseudonym"),
                next_step=Text("请在规则中增大 length。", "Set a larger length in the policy."),
            )
        return codes

    def _encode(self, text: pl.Series, *, key: bytes, place: Place) -> pl.Series:
        kind = PRESERVING if self.format == PRESERVING else self.algorithm
        secret = derive_key(key, _LABELS[kind] + self.domain.encode())
        if kind == PRESERVING:
            refuse_form(text, place)
            return encrypt_form(text, key=bytes.fromhex(secret))
        digest = keyed_digest if kind == SHA256 else keyed_sm3
        return digest(text, key=secret).str.head(self.length)


def check_key(key: bytes) -> None:
    """Refuse a key too short, or too plain, to protect anything.

    Raises:
        BadInput: fewer than `MIN_KEY_BYTES` bytes, or bytes that no random source gives.
    """
    if len(key) < MIN_KEY_BYTES:
        raise BadInput(
            code="key.too_short",
            subject="key",
            text=Text(f"密钥被拒绝：不足 {MIN_KEY_BYTES} 字节。", f"Key refused: fewer than {MIN_KEY_BYTES} bytes."),
            next_step=Text(
                "请为该协议生成 32 字节的随机密钥。",
                "Make a random key of 32 bytes for this licence, e.g. openssl rand 32.",
            ),
        )
    if len(set(key)) < MIN_DISTINCT_BYTES:
        raise BadInput(
            code="key.not_random",
            subject="key",
            text=Text("密钥被拒绝：不是随机字节。", "Key refused: its bytes are not random."),
            next_step=Text(
                "请为该协议生成 32 字节的随机密钥。",
                "Make a random key of 32 bytes for this licence, e.g. openssl rand 32.",
            ),
        )


def derive_key(key: bytes, label: bytes) -> str:
    """The key for one use, derived from the licence's key: 64 hexadecimal characters, themselves the HMAC key.

    Text, because the plug-in takes only keys that are UTF-8; 64 bytes are exactly one block of SHA-256.
    """
    check_key(key)
    return hmac.digest(key, label, "sha256").hex()


def keyed_digest(text: pl.Series, *, key: str) -> pl.Series:
    """HMAC-SHA-256 of each text as 64 hexadecimal characters; the key is used as UTF-8.

    Shape: one per row, nulls stay null.
    Raises:
        BadInput: the plug-in failed; its own message is not passed on, since it may show the plan and so the key.
    """
    codes: pl.Series | None
    try:
        codes = pl.DataFrame({"text": text}).select(plh.col("text").chash.hmac_sha256(key=key)).to_series()
    except pl.exceptions.PolarsError:
        codes = None
    if codes is None:  # Raised outside the handler: no chained traceback may lead to the plan and the key in it.
        raise BadInput(
            code="pseudonym.failed",
            subject="polars-hash",
            text=Text("假名化失败。", "Pseudonymizing failed."),
            next_step=Text("请运行 zhakou doctor 检查安装的组件。", "Run zhakou doctor to check what is installed."),
        )
    return codes


def keyed_sm3(text: pl.Series, *, key: str) -> pl.Series:
    """HMAC-SM3 of each text as 64 hexadecimal characters; the key is used as UTF-8.

    Shape: one per row, nulls stay null.
    """
    start = HMAC(key.encode(), SM3())

    def digest(value: str) -> str:
        one = start.copy()
        one.update(value.encode())
        return one.finalize().hex()

    return pl.Series([None if value is None else digest(value) for value in text.to_list()], dtype=pl.String)
