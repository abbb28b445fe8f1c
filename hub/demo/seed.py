"""The demonstration district: organisations, people, published tables, and a licence in each notable state.

Everything is entered by the same actions a person's click calls, each by the role that may do it. The district's
history begins some months ago, so that an expired licence was granted while it could still run: `_earlier` is the hub
with that clock, used before anything of today is written.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from hub.catalog.actions import publish_table, register_table
from hub.catalog.model import CatalogTable
from hub.catalog.rules import TableDraft
from hub.context import Hub
from hub.demo.catalog import ELDER_CARE, FAIR
from hub.demo.codes import fresh, keep, kept, secret_of
from hub.demo.identifiers import credit_code
from hub.demo.ladder import climb
from hub.demo.licences import CURRENT, OVER, licensed, renewed, suspended, without_consent
from hub.demo.parking import PARKING, write_parking
from hub.demo.tables import write_elder_care, write_fair
from hub.demo.visits import VISIT_SUMMARY, write_visit_summary
from hub.errors import ChecksFailed, Refusal
from hub.extracts.actions import issued_rungs, prepare_rungs
from hub.extracts.model import ExtractStatus
from hub.intake.actions import receive_file
from hub.licensing.model import ExtractLevel, Licence
from hub.message import Message, both, msg
from hub.people.accounts import appoint_person, confirm_change
from hub.people.actions import find_person
from hub.people.actor import ROLE_OF_POST, SYSTEM, Actor, OrgKind, Role
from hub.people.appointments import appoint_responsible, posts_filled
from hub.people.model import Credential, Organisation, Person
from hub.people.organisations import found_organisation
from hub.people.sign_in import unsafe_enrol

BACK = timedelta(days=200)
"""Short enough that the rulebook, which decides every grant by that day's thresholds, knows the time."""
TRAINING_TERM = timedelta(days=2 * 365)
POST_TERM = timedelta(days=5 * 365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A demonstration account. Names say what the person does; they are nobody's."""

    id: str
    name_zh: str
    name_en: str
    org: str
    roles: frozenset[Role]
    is_trained: bool = True


ORGANISATIONS: Final = (
    ("bureau", "区数据局", "District data bureau", OrgKind.BUREAU),
    ("centre", "区城运中心", "District urban-operation centre", OrgKind.CENTRE),
    ("mz", "区民政局", "District civil affairs bureau", OrgKind.DEPARTMENT),
    ("wj", "区卫健委", "District health commission", OrgKind.DEPARTMENT),
    ("tj", "区统计局", "District statistics bureau", OrgKind.DEPARTMENT),
    ("cg", "区城管执法局", "District urban management bureau", OrgKind.DEPARTMENT),
    ("kangyang", "示例康养服务", "Example elder-care services", OrgKind.OPERATOR),
    ("pushu", "示例普数科技", "Example data technology", OrgKind.OPERATOR),
    ("tingguan", "示例停管运营", "Example parking operations", OrgKind.OPERATOR),
    ("moxing", "示例模型工坊", "Example model workshop", OrgKind.DEVELOPER),
    ("cac", "区委网信办", "District cyberspace office", OrgKind.CYBERSPACE),
    ("experts", "区数据专家委员会", "District data expert committee", OrgKind.EXPERTS),
    ("audit", "区审计局", "District audit bureau", OrgKind.AUDIT),
)


ATTACHED: Final = {"moxing": "pushu"}
"""Development entities (开发主体) and the operator they are attached to."""


def _account(name: str, zh: str, en: str, org: str, *roles: Role) -> Account:
    return Account(id=name, name_zh=zh, name_en=en, org=org, roles=frozenset(roles))


ACCOUNTS: Final = (
    _account("bureau-officer", "数据局经办人", "Bureau officer", "bureau", Role.BUREAU_OFFICER),
    _account("bureau-assessor", "数据局场景评估员", "Bureau scenario assessor", "bureau", Role.BUREAU_OFFICER),
    _account("cac-supervisor", "网信办监督员", "Cyberspace supervisor", "cac", Role.CAC_SUPERVISOR),
    _account("data-expert", "数据专家委员", "Data expert", "experts", Role.DATA_EXPERT),
    _account("mz-chief", "民政局第一责任人", "Head of civil affairs", "mz", Role.DEPT_CHIEF),
    _account("mz-cdo", "民政局首席数据官", "Civil affairs chief data officer", "mz", Role.DEPT_CDO),
    _account("mz-steward", "民政局数据执行专员", "Civil affairs data steward", "mz", Role.DEPT_STEWARD),
    _account("mz-reviewer", "民政局数源审核员", "Civil affairs provider reviewer", "mz", Role.PROVIDER_REVIEWER),
    _account("tj-chief", "统计局第一责任人", "Head of statistics", "tj", Role.DEPT_CHIEF),
    _account("tj-cdo", "统计局首席数据官", "Statistics chief data officer", "tj", Role.DEPT_CDO),
    _account("wj-chief", "卫健委第一责任人", "Head of the health commission", "wj", Role.DEPT_CHIEF),
    _account("wj-cdo", "卫健委首席数据官", "Health chief data officer", "wj", Role.DEPT_CDO),
    _account("wj-steward", "卫健委数据执行专员", "Health data steward", "wj", Role.DEPT_STEWARD),
    _account("tj-steward", "统计局数据执行专员", "Statistics data steward", "tj", Role.DEPT_STEWARD),
    _account("tj-reviewer", "统计局数源审核员", "Statistics provider reviewer", "tj", Role.PROVIDER_REVIEWER),
    _account("cg-chief", "城管执法局第一责任人", "Head of urban management", "cg", Role.DEPT_CHIEF),
    _account("cg-cdo", "城管执法局首席数据官", "Urban management chief data officer", "cg", Role.DEPT_CDO),
    _account("cg-steward", "城管执法局数据执行专员", "Urban management data steward", "cg", Role.DEPT_STEWARD),
    _account("centre-operator", "城运中心平台运营员", "Centre operator", "centre", Role.CENTRE_OPERATOR),
    _account("centre-reviewer", "城运中心合规审核员", "Centre compliance reviewer", "centre", Role.COMPLIANCE_REVIEWER),
    Account(
        id="centre-reviewer-2",
        name_zh="城运中心合规审核员(培训已过期)",
        name_en="Centre compliance reviewer, training lapsed",
        org="centre",
        roles=frozenset({Role.COMPLIANCE_REVIEWER}),
        is_trained=False,
    ),
    _account("bureau-reviewer", "数据局代码审核员", "Bureau code reviewer", "bureau", Role.COMPLIANCE_REVIEWER),
    _account("release-officer", "城运中心放行员", "Release officer", "centre", Role.RELEASE_OFFICER),
    _account("ky-admin", "康养服务管理员", "Elder-care operator's administrator", "kangyang", Role.LICENSEE_ADMIN),
    _account("ky-analyst", "康养服务分析师", "Elder-care analyst", "kangyang", Role.ANALYST),
    _account("ky-expert", "康养服务合规专家", "Elder-care compliance expert", "kangyang", Role.COMPLIANCE_REVIEWER),
    _account("ps-admin", "普数科技管理员", "Data technology's administrator", "pushu", Role.LICENSEE_ADMIN),
    _account("ps-analyst", "普数科技分析师", "Data technology analyst", "pushu", Role.ANALYST),
    _account("tg-admin", "停管运营管理员", "Parking operator's administrator", "tingguan", Role.LICENSEE_ADMIN),
    _account("tg-analyst", "停管运营分析师", "Parking analyst", "tingguan", Role.ANALYST),
    _account("mx-analyst", "模型工坊分析师", "Model workshop analyst", "moxing", Role.ANALYST),
    _account("auditor", "审计员", "Auditor", "audit", Role.AUDITOR),
)


def is_unfinished(hub: Hub) -> bool:
    """Whether nobody has an account yet, or an earlier seeding was cut off."""
    with hub.reading() as session:
        if not session.scalar(select(func.count(Person.id))):
            return True
    known = kept(hub.settings.state_dir)
    return bool(known) and not known["complete"]


def seed(hub: Hub, *, elder_rows: int = 12_000, say: Callable[[Message], None] = lambda _: None) -> None:
    """Fill an empty state. Takes some seconds: the tables are scanned and their extracts built for real.

    What is there already is left alone, so that a seeding that was cut off is finished by the next.
    """
    then = hub.clock() - BACK
    earlier = Hub(hub.settings, clock=lambda: then)
    appoint_everyone(earlier)
    with tempfile.TemporaryDirectory(prefix="zhakou-seed-") as folder:
        say(msg("Generating and registering the demonstration tables…"))
        elder, fair = Path(folder) / "mz_elder_care.csv", Path(folder) / "fair.csv"
        write_elder_care(elder, rows=elder_rows)
        write_fair(fair)
        _table(earlier, fair, steward="tj-steward", draft=FAIR)
        _table(earlier, elder, steward="mz-steward", draft=ELDER_CARE)
        visits = Path(folder) / "wj_visit_summary.csv"
        write_visit_summary(visits)
        _table(earlier, visits, steward="mz-steward", draft=VISIT_SUMMARY)
        parking = Path(folder) / "cg_session.csv"
        write_parking(parking)
        _table(earlier, parking, steward="cg-steward", draft=PARKING)
    say(msg("Granting licences and building extracts…"))
    over = licensed(earlier, OVER, starts=then, ends=then + BACK / 2)
    _extract(earlier, over, OVER.table_id, requester="ps-analyst")
    now = hub.clock()
    current = licensed(hub, CURRENT, starts=now, ends=now + timedelta(days=3 * 365))
    prepare_rungs(hub, licence_id=current.id)
    _extract(hub, current, CURRENT.table_id, requester="ky-analyst")
    suspended(hub, starts=now, ends=now + timedelta(days=365))
    renewed(hub, over, starts=now, ends=now + timedelta(days=365))
    without_consent(hub)
    keep(hub.settings.state_dir, {**kept(hub.settings.state_dir), "complete": True})


def account_lines(translate: Callable[[str], str]) -> tuple[str, ...]:
    """What the terminal says about the demonstration accounts: one line each, and the password they share."""
    from hub.settings import load_settings

    known = kept(load_settings().state_dir)
    if not known:
        return ()
    chinese = translate("en") == "zh"
    width = max(len(account.id) for account in ACCOUNTS)
    lines = [f"{account.id:<{width}}  {account.name_zh if chinese else account.name_en}" for account in ACCOUNTS]
    return (
        *lines,
        msg("Password of all demonstration accounts: {password}", password=known["password"]).render(translate),
        msg("One-time codes: on the sign-in page, or by `zhakou demo-code ACCOUNT`.").render(translate),
    )


def appoint_everyone(hub: Hub) -> None:
    """Found the organisations and open the demonstration accounts; what is there is left alone."""
    state = hub.settings.state_dir
    if not kept(state):
        keep(state, fresh())
    now = hub.clock()
    with hub.reading() as session:
        known = {*session.scalars(select(Organisation.id)), *session.scalars(select(Person.id))}
        enrolled = set(session.scalars(select(Credential.person_id).where(Credential.sealed_secret != "")))
    for serial, (org_id, name_zh, name_en, kind) in enumerate(ORGANISATIONS, start=1):
        if org_id not in known:
            uscc = credit_code(serial) if kind in (OrgKind.OPERATOR, OrgKind.DEVELOPER) else ""
            found_organisation(
                hub,
                SYSTEM,
                org_id=org_id,
                name_zh=name_zh,
                name_en=name_en,
                kind=kind,
                uscc=uscc,
                attached_to=ATTACHED.get(org_id, ""),
            )
    # The bureau's two officers come first and are the service's to appoint; they appoint the others, one confirming
    # what the other proposes.
    for account in ACCOUNTS:
        if account.id in known:
            continue
        officer, second = (SYSTEM, SYSTEM) if account in ACCOUNTS[:2] else _officers(hub)
        opened = appoint_person(
            hub,
            officer,
            person_id=account.id,
            name_zh=account.name_zh,
            name_en=account.name_en,
            org_id=account.org,
            roles=account.roles,
            trained_until=now + (TRAINING_TERM if account.is_trained else -timedelta(days=1)),
            confidentiality_until=now + TRAINING_TERM,
        )
        if opened.proposed is not None:
            confirm_change(hub, second, change_id=opened.proposed.id)
    demo = kept(state)
    secrets_of = {one.id: secret_of(demo["seed"], one.id) for one in ACCOUNTS if one.id not in enrolled}
    unsafe_enrol(hub, secrets_of, password=demo["password"])
    _make_responsible(hub, _officers(hub)[0])


def _officers(hub: Hub) -> tuple[Actor, Actor]:
    """The two officers of the bureau."""
    return _actor(hub, ACCOUNTS[0].id), _actor(hub, ACCOUNTS[1].id)


def _make_responsible(hub: Hub, officer: Actor) -> None:
    """The three responsibilities of each department, by letters of the demonstration."""
    now = hub.clock()
    for org_id, _, _, kind in ORGANISATIONS:
        if kind is not OrgKind.DEPARTMENT:
            continue
        with hub.reading() as session:
            filled = posts_filled(session, org_id, now)
        for post, role in ROLE_OF_POST.items():
            holder = next(account for account in ACCOUNTS if account.org == org_id and role in account.roles)
            if post not in filled:
                appoint_responsible(
                    hub,
                    officer,
                    org_id=org_id,
                    post=post,
                    person_id=holder.id,
                    starts_at=now,
                    ends_at=now + POST_TERM,
                    letter_ref="演示〔2024〕任命3号",
                )


def _table(hub: Hub, file: Path, *, steward: str, draft: TableDraft) -> None:
    with hub.reading() as session:
        known = session.get(CatalogTable, draft.id)
    if known is not None:
        return
    actor = _actor(hub, steward)
    raw = receive_file(hub, actor, stream=io.BytesIO(file.read_bytes()), name=file.name, no_state_secret=True)
    register_table(hub, actor, draft, raw_digest=raw.digest)
    publish_table(hub, _actor(hub, "bureau-officer"), table_id=draft.id)


def _actor(hub: Hub, person_id: str) -> Actor:
    return find_person(hub, person_id).actor


def _extract(hub: Hub, licence: Licence, table_id: str, *, requester: str) -> None:
    with hub.reading() as session:
        if ExtractLevel.FULL in issued_rungs(session, licence.id, hub.clock()).get(table_id, {}):
            return
    extract = climb(hub, licence_id=licence.id, table_id=table_id, level=ExtractLevel.FULL, requester=requester)
    if extract.status is not ExtractStatus.ISSUED:
        raise ChecksFailed(
            Refusal(
                rule=extract.refusal_code,
                subject=extract.id,
                text=both(en=extract.refusal_en, zh=extract.refusal_zh),
                next_step=msg("The demonstration district cannot be completed; see the log of the extract worker."),
            )
        )
