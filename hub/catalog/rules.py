"""May a table be registered or published, and if not, why.

Rules here: `table.owner` (a steward registers for their own department), `table.basis_missing` (restricted sharing or
opening needs its legal basis), `table.state_secret` (refused at registration), `table.marked_secret` (found out later),
`table.reason_missing`, `table.columns` (the description must name exactly the file's
columns), `table.identifier_open` (a table with direct identifiers cannot be open without conditions),
`table.id`, `table.taken`,
`table.provider` (shared-in data name the department that shared them, other data name none), `table.shared_in_open`
(what was got by sharing or negotiation is not opened),
`table.status` (only a draft is published), `table.responsibility` (the three people of the department are in date).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass

from hub.catalog.model import TABLE_MOVES, ColumnClass, Grade, OpenType, Origin, ShareType, TableStatus, UpdateCycle
from hub.errors import Refusal
from hub.message import msg
from hub.people.actor import Actor, OrgKind, Post
from hub.people.rules import RESPONSIBILITY, Verb, refusals_to_act
from hub.secrecy import BASIS as SECRECY_BASIS

CATALOG_BASIS = "普陀区公共数据管理办法 第九条"
_ID = re.compile(r"[a-z][a-z0-9_]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDraft:
    """What a steward says of one column."""

    name: str
    name_zh: str
    column_class: ColumnClass
    grade: Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDraft:
    """What a steward says of a table."""

    id: str
    title_zh: str
    title_en: str
    description: str
    owner_org: str
    share_type: ShareType
    share_basis: str
    open_type: OpenType
    open_basis: str
    update_cycle: UpdateCycle
    state_secret: bool
    columns: tuple[ColumnDraft, ...]
    origin: Origin = Origin.COLLECTED
    provider_org: str = ""


def table_grade(columns: Sequence[ColumnDraft]) -> Grade:
    """Grade of a table: the highest of its columns (就高从严, GB/T 43697—2024)."""
    return max((column.grade for column in columns), default=Grade.L4)


def refusals_to_register(
    draft: TableDraft,
    actor: Actor,
    file_columns: Sequence[str],
    *,
    filled: Set[Post],
    departments: Collection[str] = (),
) -> tuple[Refusal, ...]:
    """Everything against this steward registering this description of a file with `file_columns`.

    Args:
        filled: The posts of the draft's department whose holders are in date.
        departments: Every department of the district; one of them shared a table that was shared in.
    """
    found = list(refusals_to_act(actor, Verb.REGISTER_TABLE))
    found.extend(_origin(draft, departments))
    found.extend(_responsibility(draft.owner_org, filled))
    if draft.owner_org != actor.org_id:
        found.append(
            Refusal(
                rule="table.owner",
                subject=draft.id,
                text=msg("A steward registers tables of their own department only."),
                next_step=msg("Let the steward of department {org} register it.", org=draft.owner_org),
                basis=CATALOG_BASIS,
            )
        )
    if draft.state_secret:
        found.append(
            Refusal(
                rule="table.state_secret",
                subject=draft.id,
                text=msg("Data that concern state secrets cannot enter the platform."),
                next_step=msg("Handle them under the secrecy laws, outside of this platform."),
                basis=SECRECY_BASIS,
            )
        )
    if draft.share_type is not ShareType.UNCONDITIONAL and not draft.share_basis.strip():
        found.append(_basis(draft.id, "share", "普陀区公共数据管理办法 第十五条"))
    if draft.open_type is not OpenType.UNCONDITIONAL and not draft.open_basis.strip():
        found.append(_basis(draft.id, "open", "普陀区公共数据管理办法 第十七条"))
    identifying = any(column.column_class is ColumnClass.DIRECT_ID for column in draft.columns)
    if draft.open_type is OpenType.UNCONDITIONAL and identifying:
        found.append(
            Refusal(
                rule="table.identifier_open",
                subject=draft.id,
                text=msg("A table with direct identifiers cannot be open without conditions."),
                next_step=msg("Choose conditional opening or not open, with its legal basis."),
                basis="普陀区公共数据管理办法 第十七条",
            )
        )
    named = [column.name for column in draft.columns]
    if sorted(named) != sorted(file_columns) or len(set(named)) != len(named) or not named:
        missing = sorted(set(file_columns) - set(named))
        extra = sorted(set(named) - set(file_columns))
        found.append(
            Refusal(
                rule="table.columns",
                subject=draft.id,
                text=msg(
                    "The description must name each column of the file once: {missing} missing, {extra} not in it.",
                    missing=len(missing),
                    extra=len(extra),
                ),
                next_step=msg("Give each column of the file a class and a grade."),
                basis=CATALOG_BASIS,
            )
        )
    if not (draft.title_zh.strip() and draft.title_en.strip() and draft.description.strip()):
        found.append(
            Refusal(
                rule="table.title",
                subject=draft.id,
                text=msg("Title (Chinese and English) and description are required."),
                next_step=msg("Fill them in."),
                basis="上海市数据条例 第二十八条",
            )
        )
    return tuple(found)


def refusals_of_id(table_id: str) -> tuple[Refusal, ...]:
    """Everything against a table being called so."""
    if _ID.fullmatch(table_id):
        return ()
    return (
        Refusal(
            rule="table.id",
            subject="",
            text=msg("The table id is not of the form a-z, 0-9 and _, with 2 to 41 characters."),
            next_step=msg("Choose such an id, for example `mz_elder_care`."),
            basis=CATALOG_BASIS,
        ),
    )


def refusals_of_taken(table_id: str, *, taken: bool) -> tuple[Refusal, ...]:
    """Everything against registering under an id: one data item has one entry."""
    if not taken:
        return ()
    return (
        Refusal(
            rule="table.taken",
            subject=table_id,
            text=msg("Table {table} is registered already.", table=table_id),
            next_step=msg("Choose another id for another table."),
            basis="普陀区公共数据管理办法 第十条",
        ),
    )


def _origin(draft: TableDraft, departments: Collection[str]) -> tuple[Refusal, ...]:
    found = []
    shared_by_another = draft.provider_org in departments and draft.provider_org != draft.owner_org
    if bool(draft.provider_org) != (draft.origin is Origin.SHARED_IN) or (draft.provider_org and not shared_by_another):
        found.append(
            Refusal(
                rule="table.provider",
                subject=draft.id,
                text=msg("Data that were shared in name the other department that shared them; other data name none."),
                next_step=msg("Choose the origin and the department that belong together."),
                basis="普陀区公共数据管理办法 第十四条",
            )
        )
    if draft.origin in (Origin.SHARED_IN, Origin.NEGOTIATED) and draft.open_type is not OpenType.NONE:
        found.append(
            Refusal(
                rule="table.shared_in_open",
                subject=draft.id,
                text=msg("What a department got by sharing or negotiation does not go into its open list."),
                next_step=msg("Choose not open; the department whose data they are can open them."),
                basis="普陀区公共数据管理办法 第十八条",
            )
        )
    return tuple(found)


def refusals_to_publish(
    *,
    status: TableStatus,
    table_id: str,
    owner_org: str,
    actor: Actor,
    filled: Set[Post],
    state_secret: bool = False,
) -> tuple[Refusal, ...]:
    """Everything against this officer publishing the table now; `filled` as in `refusals_to_register`."""
    found = list(refusals_to_act(actor, Verb.PUBLISH_TABLE))
    if state_secret:
        found.append(_secret(table_id))
    found.extend(_responsibility(owner_org, filled))
    if TableStatus.PUBLISHED not in TABLE_MOVES[status]:
        found.append(
            Refusal(
                rule="table.status",
                subject=table_id,
                text=msg("Table {table} is {status}; only a draft can be published.", table=table_id, status=status),
                next_step=msg("Nothing is left to do if it is published already."),
                basis=CATALOG_BASIS,
            )
        )
    return tuple(found)


def refusals_to_mark_secret(
    *, table_id: str, owner_org: str, state_secret: bool, reason: str, actor: Actor
) -> tuple[Refusal, ...]:
    """Everything against marking a registered table as concerning state secrets. The mark is never taken back."""
    found = list(refusals_to_act(actor, Verb.BAR_TABLE))
    if actor.org_kind is OrgKind.DEPARTMENT and actor.org_id != owner_org:
        found.append(
            Refusal(
                rule="table.owner",
                subject=table_id,
                text=msg("A steward marks tables of their own department."),
                next_step=msg("Tell the bureau, which can mark every table."),
                basis=RESPONSIBILITY,
            )
        )
    if state_secret:
        found.append(_secret(table_id))
    if not reason.strip():
        found.append(
            Refusal(
                rule="table.reason_missing",
                subject=table_id,
                text=msg("A decision needs a written reason."),
                next_step=msg("Write who found it and what the secrecy review says; nothing of the content itself."),
                basis=SECRECY_BASIS,
            )
        )
    return tuple(found)


def _secret(table_id: str) -> Refusal:
    return Refusal(
        rule="table.marked_secret",
        subject=table_id,
        text=msg("Table {table} is marked as concerning state secrets.", table=table_id),
        next_step=msg("Nothing more can be done with it on this platform."),
        basis=SECRECY_BASIS,
    )


def _responsibility(org_id: str, filled: Set[Post]) -> tuple[Refusal, ...]:
    missing = sorted(post.value for post in Post if post not in filled)
    if not missing:
        return ()
    return (
        Refusal(
            rule="table.responsibility",
            subject=org_id,
            text=msg(
                "Nobody in date answers for the data of department {org} as {posts}.",
                org=org_id,
                posts=", ".join(missing),
            ),
            next_step=msg("Let the bureau enter the appointment of each of the three; then try again."),
            basis=RESPONSIBILITY,
        ),
    )


def _basis(table_id: str, which: str, basis: str) -> Refusal:
    texts = {
        "share": msg("Sharing that is not unconditional needs its legal basis."),
        "open": msg("Opening that is not unconditional needs its legal basis."),
    }
    return Refusal(
        rule="table.basis_missing",
        subject=table_id,
        text=texts[which],
        next_step=msg("Name the law, regulation or rule and its article."),
        basis=basis,
    )
