"""Fake: an identifier becomes an invented one that reads like it. For people who look at rows, not for joining.

What must hold:
1. The same value gets the same fake inside one column of one table, and other fakes in every other column, table and
   licence: fakes join nothing. What has to join is pseudonymized.
2. Nothing but the licence's key leads from a fake back to its value, and several values may share a fake.
3. No fake equals a value that stands in the column.
4. Numbers belong to nobody: identity numbers of a division that does not exist, telephone numbers of a range that is
   not assigned, plates of a series that is not issued, addresses of mail under a reserved domain.

Source: names, companies and addresses from Faker (zh_CN); GB 11643 for the check character; RFC 2606 for example.com.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import polars as pl

from anonymize.errors import Place
from anonymize.strict import Fields
from anonymize.techniques.pseudonymize import derive_key, keyed_digest
from anonymize.text import Text

if TYPE_CHECKING:
    from faker import Faker

MOST_FAKES: Final = 50_000
"""Invented values a column at most; beyond that several people share one, as people share names."""
_LABEL: Final = b"zhakou fake v1\x00"


def _resident_number(faker: Faker) -> str:
    born = faker.date_of_birth(minimum_age=18, maximum_age=95)
    front = f"990107{born:%Y%m%d}{faker.random_int(1, 999):03d}"
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(front))
    return front + "10X98765432"[total % 11]


_INVENT: Final[Mapping[str, Callable[[Faker], str]]] = {
    "name": lambda faker: str(faker.name()),
    "company": lambda faker: str(faker.company()),
    "address": lambda faker: str(faker.street_address()),
    "email": lambda faker: f"{faker.user_name()}@example.com",
    "mobile": lambda faker: f"120{faker.random_int(0, 99_999_999):08d}",
    "resident_id": _resident_number,
    "plate": lambda faker: f"沪I{faker.random_int(0, 99_999):05d}",
}
_KIND_WORDS: Final[Mapping[str, Text]] = {
    "name": Text("姓名", "names"),
    "company": Text("单位名称", "names of companies"),
    "address": Text("地址", "addresses"),
    "email": Text("电子邮箱", "e-mail addresses"),
    "mobile": Text("手机号码", "mobile numbers"),
    "resident_id": Text("公民身份号码", "resident identity numbers"),
    "plate": Text("车牌号码", "number plates"),
}


def invent(kind: str, value: str, *, key: bytes) -> str:
    """One invented value of `kind` in the place of `value`: the same for the same key, and never the value itself."""
    secret = derive_key(key, _LABEL + f"{kind}\x00\x00".encode() + value.encode("utf-8", "replace"))
    faker = _faker(secret)
    while (fake := _INVENT[kind](faker)) == value:
        pass
    return fake


@dataclass(frozen=True, slots=True, kw_only=True)
class Fake:
    """Replace each value by an invented one of `kind`."""

    name: ClassVar[str] = "fake"
    whole_column: ClassVar[bool] = True
    uses_key: ClassVar[bool] = True

    kind: str

    @classmethod
    def read(cls, fields: Fields) -> Fake:
        return cls(kind=fields.choice("kind", tuple(_INVENT)))

    def params(self) -> dict[str, Any]:
        return {"kind": self.kind}

    def words(self) -> Text:
        kind = _KIND_WORDS[self.kind]
        return Text(
            f"替换为虚构的{kind.zh}（不属于任何人，不能用于关联）", f"replaced by invented {kind.en} that join nothing"
        )

    def apply(self, values: pl.Series, *, key: bytes, place: Place) -> pl.Series:
        """The invented column.

        Shape: one text per row; nulls and blank texts are null.
        Raises:
            BadInput: the key is too short, or the column is neither text nor whole numbers.
        """
        if not (values.dtype == pl.String or values.dtype.is_integer()):
            raise place.refuse(
                "column.not_replaceable",
                found=Text(
                    "虚构替换要求该列为文本或整数编码", "invented values need a column of text or whole numbers"
                ),
                next_step=Text(
                    "请把该列以文本形式导出，或在规则中删除该列。",
                    "Export the column as text, or drop it in the policy.",
                ),
            )
        text = values.cast(pl.String).str.strip_chars()
        text = text.set(text == "", None)
        real = text.unique().drop_nulls()
        if not len(real):
            return text.alias(values.name)
        secret = derive_key(key, _LABEL + f"{self.kind}\x00{place.table}\x00{place.column}".encode())
        pool = self._pool(secret, free_of=set(real.to_list()), wanted=2 * len(real))
        chosen = keyed_digest(real, key=secret).str.head(15).str.to_integer(base=16, dtype=pl.Int64)
        fakes = pl.Series(pool).gather(pl.Series(chosen.to_numpy() % np.int64(len(pool))))
        table = pl.DataFrame({"real": real, "fake": fakes})
        joined = pl.DataFrame({"real": text}).join(table, on="real", how="left", maintain_order="left")
        return joined["fake"].alias(values.name)

    def _pool(self, secret: str, *, free_of: set[str], wanted: int) -> list[str]:
        """Invented values, none of them in the column, in an order that the key decides."""
        faker = _faker(secret)
        invent = _INVENT[self.kind]
        drawn = dict.fromkeys(invent(faker) for _ in range(min(max(wanted, 1_000), MOST_FAKES)))
        return [fake for fake in drawn if fake not in free_of] or [f"{self.kind}-0"]


def _faker(secret: str) -> Faker:
    from faker import Faker  # a fifth of a second, which tables without fakes don't pay

    faker = Faker("zh_CN")
    faker.seed_instance(int(secret, 16))
    return faker
