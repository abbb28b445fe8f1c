"""R19: no column or key is named as an identifier of persons, or as a pseudonym column of the extract.

Definition: a name that says resident number, telephone, name of a person and the like; a name equal to a column
of codes of the extract. Default: BLOCK; FLAG for bare "name", which places and products have too. Names of counts
(身份证数量, id_count) are no identifiers. Source: OpenSAFELY refuses any CSV with a patient_id header (R19).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from anonymize.detect.attributes import KINDS
from anonymize.detect.entity import EntityKind
from anonymize.detect.headers import header_words, last_word_end
from anonymize.detect.registry import RECOGNIZERS
from anonymize.policy import ColumnClass
from anonymize.screen.context import Context
from anonymize.screen.findings import finding, limited
from anonymize.screen.roles import Role, named_role
from anonymize.screen.shown import shown
from anonymize.screen.subject import Subject
from anonymize.screen.verdict import Code, Finding, Level
from anonymize.text import Text

_PEOPLE_KEYS: Final = frozenset(
    {
        "person id",
        "patient id",
        "resident id",
        "citizen id",
        "elder id",
        "household id",
        "user id",
        "customer id",
        "pseudonym",
        "pid",
        "uid",
    }
)
_AMBIGUOUS: Final = frozenset(
    {
        EntityKind.COORDINATES, EntityKind.IP, EntityKind.MAC, EntityKind.ORGANIZATION, EntityKind.DATE_OF_BIRTH,
        EntityKind.ADDRESS, EntityKind.WECHAT, EntityKind.QQ, EntityKind.CN_LANDLINE,
        EntityKind.EMAIL, EntityKind.SCHOOL_ROLL,
    }
)  # fmt: skip
_WHOLE_ONLY: Final = frozenset(
    {
        "xm",
        "mail",
        "cell",
        "name",
        "fax",
        "account no",
        "户主",
        "业主",
        "负责人",
        "联系人",
        "申请人",
        "当事人",
        "家长",
    }
)


class Headers:
    """Names of columns and keys."""

    id = "R19"

    def check(self, subject: Subject, context: Context) -> Iterator[Finding]:
        pseudonyms = {name.strip().lower() for index in context.extracts for name in index.pseudonyms}
        found: list[Finding] = []
        seen: set[str] = set()
        names = [(grid.column_place(i), head) for grid in subject.grids for i, head in enumerate(grid.header)]
        for where, name in [*names, *subject.names]:
            if not name.strip() or name in seen:
                continue
            seen.add(name)
            level = Level.BLOCK if name.strip().lower() in pseudonyms else identifier_level(name)
            if level is not None:
                found.append(self._named(subject, where, name, level))
        yield from limited(found)

    def _named(self, subject: Subject, where: str, name: str, level: Level) -> Finding:
        return finding(
            self.id,
            Code.LINK_KEY,
            level,
            subject.name,
            where=where,
            text=Text(
                f"列名或键名「{shown(name)}」表明为个人标识。",
                f'The name "{shown(name)}" says that this identifies persons.',
            ),
            next_step=Text("请删除该列，或改为汇总数。", "Drop the column, or aggregate over it."),
        )


def identifier_level(name: str) -> Level | None:
    """Whether a name says that its column identifies persons, and how surely; None: it does not."""
    whole, latin = header_words(name)
    if latin.strip() in _PEOPLE_KEYS:
        return Level.BLOCK
    if named_role(name) in {Role.COUNT, Role.SHARE, Role.CHANGE, Role.MEASURE}:
        return None
    best = max(((last_word_end(name, r.headers), r.kind) for r in RECOGNIZERS), key=lambda item: item[0])
    (end, length), kind = best
    if end == 0 or KINDS[kind].column_class is not ColumnClass.DIRECT_ID:
        return None
    exact = whole.strip() if not latin.strip() else latin.strip()
    word = exact[max(0, len(exact) - length) :]
    whole_name = length >= len(exact)
    if kind is EntityKind.PERSON and word == "name":
        return Level.FLAG if whole_name else None
    if kind in _AMBIGUOUS or word in _WHOLE_ONLY:
        return Level.FLAG if whole_name else None
    if kind is EntityKind.CN_CREDIT_CODE:
        return Level.FLAG
    return Level.BLOCK if whole_name or end >= len(whole.strip()) - 1 else Level.FLAG


RULE: Final = Headers()
