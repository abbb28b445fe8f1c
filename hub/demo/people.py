"""The people of the demonstration district: ten departments and the statistics bureau with their three responsible
people, the bodies that license, supervise and review, the operators (DOMAIN.md §6.4). Names say what a person does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeAlias

from sqlalchemy import select

from hub.context import Hub
from hub.demo.codes import fresh, keep, kept, secret_of
from hub.demo.identifiers import credit_code
from hub.message import msg
from hub.people.accounts import appoint_person, confirm_change
from hub.people.actions import find_person
from hub.people.actor import ROLE_OF_POST, SYSTEM, Actor, OrgKind, Role
from hub.people.appointments import appoint_responsible, posts_filled
from hub.people.model import Credential, Organisation, Person
from hub.people.organisations import found_organisation
from hub.people.sign_in import unsafe_enrol

TRAINING_TERM: Final = timedelta(days=2 * 365)
POST_TERM: Final = timedelta(days=5 * 365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A demonstration account. Names say what the person does; they are nobody's."""

    id: str
    name_zh: str
    name_en: str
    org: str
    roles: frozenset[Role]
    is_trained: bool = True
    is_listed: bool = True
    """Whether the licences of the demonstration name the person among those who work under them."""


Founded: TypeAlias = tuple[str, str, str, OrgKind]
"""Id, Chinese and English name, kind."""

ORGANISATIONS: Final = (
    ("bureau", "区数据局", "District data bureau", OrgKind.BUREAU),
    ("kangyang", "示例康养服务", "Example elder-care services", OrgKind.OPERATOR),
    ("mz", "区民政局", "District civil affairs bureau", OrgKind.DEPARTMENT),
    ("centre", "区城运中心", "District urban-operation centre", OrgKind.CENTRE),
    ("cac", "区委网信办", "District cyberspace office", OrgKind.CYBERSPACE),
    ("experts", "区数据专家委员会", "District data expert committee", OrgKind.EXPERTS),
    ("audit", "区审计局", "District audit bureau", OrgKind.AUDIT),
    ("pushu", "示例普数科技", "Example data technology", OrgKind.OPERATOR),
    ("moxing", "示例模型工坊", "Example model workshop", OrgKind.DEVELOPER),
    ("tingguan", "示例停管运营", "Example parking operations", OrgKind.OPERATOR),
    ("tj", "区统计局", "District statistics bureau", OrgKind.DEPARTMENT),
    ("wj", "区卫健委", "District health commission", OrgKind.DEPARTMENT),
    ("cg", "区城管执法局", "District urban management bureau", OrgKind.DEPARTMENT),
)
"""Those who take part in the walk; whoever matters first comes first."""

ATTACHED: Final = {"moxing": "pushu"}
"""Development entities (开发主体) and the operator they are attached to."""


def _account(name: str, zh: str, en: str, org: str, *roles: Role) -> Account:
    return Account(id=name, name_zh=zh, name_en=en, org=org, roles=frozenset(roles))


ACCOUNTS: Final = (
    _account("bureau-officer", "数据局经办人", "Bureau officer", "bureau", Role.BUREAU_OFFICER),
    _account("bureau-assessor", "数据局场景评估员", "Bureau scenario assessor", "bureau", Role.BUREAU_OFFICER),
    _account("bureau-reviewer", "数据局代码审核员", "Bureau code reviewer", "bureau", Role.COMPLIANCE_REVIEWER),
    _account("ky-admin", "康养服务管理员", "Elder-care operator's administrator", "kangyang", Role.LICENSEE_ADMIN),
    _account("ky-analyst", "康养服务分析师", "Elder-care analyst", "kangyang", Role.ANALYST),
    Account(
        id="ky-newcomer",
        name_zh="康养服务新入职分析师（未列入人员名单）",
        name_en="Elder-care analyst, newly hired, on no personnel list",
        org="kangyang",
        roles=frozenset({Role.ANALYST}),
        is_listed=False,
    ),
    _account("ky-expert", "康养服务合规专家", "Elder-care compliance expert", "kangyang", Role.COMPLIANCE_REVIEWER),
    _account("mz-chief", "民政局第一责任人", "Head of civil affairs", "mz", Role.DEPT_CHIEF),
    _account("mz-cdo", "民政局首席数据官", "Civil affairs chief data officer", "mz", Role.DEPT_CDO),
    _account("mz-steward", "民政局数据执行专员", "Civil affairs data steward", "mz", Role.DEPT_STEWARD),
    _account("mz-reviewer", "民政局数源审核员", "Civil affairs provider reviewer", "mz", Role.PROVIDER_REVIEWER),
    _account("centre-operator", "城运中心平台运营员", "Centre operator", "centre", Role.CENTRE_OPERATOR),
    _account("centre-reviewer", "城运中心合规审核员", "Centre compliance reviewer", "centre", Role.COMPLIANCE_REVIEWER),
    Account(
        id="centre-reviewer-2",
        name_zh="城运中心合规审核员（培训已过期）",
        name_en="Centre compliance reviewer, training lapsed",
        org="centre",
        roles=frozenset({Role.COMPLIANCE_REVIEWER}),
        is_trained=False,
    ),
    _account("release-officer", "城运中心放行员", "Release officer", "centre", Role.RELEASE_OFFICER),
    _account("cac-supervisor", "网信办监督员", "Cyberspace supervisor", "cac", Role.CAC_SUPERVISOR),
    _account("data-expert", "数据专家委员", "Data expert", "experts", Role.DATA_EXPERT),
    _account("auditor", "审计员", "Auditor", "audit", Role.AUDITOR),
    _account("ps-admin", "普数科技管理员", "Data technology's administrator", "pushu", Role.LICENSEE_ADMIN),
    _account("ps-analyst", "普数科技分析师", "Data technology analyst", "pushu", Role.ANALYST),
    _account("mx-analyst", "模型工坊分析师", "Model workshop analyst", "moxing", Role.ANALYST),
    _account("tg-admin", "停管运营管理员", "Parking operator's administrator", "tingguan", Role.LICENSEE_ADMIN),
    _account("tg-analyst", "停管运营分析师", "Parking analyst", "tingguan", Role.ANALYST),
    _account("tj-chief", "统计局第一责任人", "Head of statistics", "tj", Role.DEPT_CHIEF),
    _account("tj-cdo", "统计局首席数据官", "Statistics chief data officer", "tj", Role.DEPT_CDO),
    _account("tj-steward", "统计局数据执行专员", "Statistics data steward", "tj", Role.DEPT_STEWARD),
    _account("tj-reviewer", "统计局数源审核员", "Statistics provider reviewer", "tj", Role.PROVIDER_REVIEWER),
    _account("wj-chief", "卫健委第一责任人", "Head of the health commission", "wj", Role.DEPT_CHIEF),
    _account("wj-cdo", "卫健委首席数据官", "Health chief data officer", "wj", Role.DEPT_CDO),
    _account("wj-steward", "卫健委数据执行专员", "Health data steward", "wj", Role.DEPT_STEWARD),
    _account("cg-chief", "城管执法局第一责任人", "Head of urban management", "cg", Role.DEPT_CHIEF),
    _account("cg-cdo", "城管执法局首席数据官", "Urban management chief data officer", "cg", Role.DEPT_CDO),
    _account("cg-steward", "城管执法局数据执行专员", "Urban management data steward", "cg", Role.DEPT_STEWARD),
)
"""Those who take part in the walk, grouped by organisation; the bureau's two officers first."""

OTHER_DEPARTMENTS: Final = (
    ("rs", "区人社局", "District human resources bureau", OrgKind.DEPARTMENT),
    ("sj", "区市场监管局", "District market regulation bureau", OrgKind.DEPARTMENT),
    ("ga", "区公安分局", "District public security bureau", OrgKind.DEPARTMENT),
    ("rx", "区城运热线办", "District 12345 hotline office", OrgKind.DEPARTMENT),
    ("fg", "区房管局", "District housing bureau", OrgKind.DEPARTMENT),
    ("jy", "区教育局", "District education bureau", OrgKind.DEPARTMENT),
    ("fr", "区发展改革委", "District development and reform commission", OrgKind.DEPARTMENT),
)
"""The other departments of DOMAIN.md §6.2, without a table yet; `fr` keeps the base library of legal entities."""

_THREE: Final = (
    ("chief", "第一责任人", "head", Role.DEPT_CHIEF),
    ("cdo", "首席数据官", "chief data officer", Role.DEPT_CDO),
    ("steward", "数据执行专员", "data steward", Role.DEPT_STEWARD),
)

OTHER_ACCOUNTS: Final = tuple(
    _account(
        f"{org}-{post}", f"{zh.removeprefix('区')}{post_zh}", f"{en.removeprefix('District ')}: {post_en}", org, role
    )
    for org, zh, en, _ in OTHER_DEPARTMENTS
    for post, post_zh, post_en, role in _THREE
)
"""Their three responsible people."""


UNLISTED: Final = frozenset(account.id for account in ACCOUNTS if not account.is_listed)
"""Who is on no licence's personnel list, and is refused at every step under one."""


def accounts_by_organisation() -> Iterator[tuple[str, str, Sequence[Account]]]:
    """Chinese and English name of each organisation, and its accounts; who matters first comes first."""
    for org_id, name_zh, name_en, _ in ORGANISATIONS + OTHER_DEPARTMENTS:
        yield name_zh, name_en, [account for account in ACCOUNTS + OTHER_ACCOUNTS if account.org == org_id]


def account_lines(translate: Callable[[str], str], state_dir: Path) -> tuple[str, ...]:
    """What the terminal says about the demonstration accounts: by organisation, and the password they share."""
    known = kept(state_dir)
    if not known:
        return ()
    chinese = translate("en") == "zh"
    width = max(len(account.id) for account in ACCOUNTS)
    lines = []
    for name_zh, name_en, accounts in accounts_by_organisation():
        lines.append(name_zh if chinese else name_en)
        if accounts[0] in OTHER_ACCOUNTS:
            lines.append("  " + "  ".join(account.id for account in accounts))
        else:
            lines += [f"  {one.id:<{width}}  {one.name_zh if chinese else one.name_en}" for one in accounts]
    return (
        *lines,
        msg("Password of all demonstration accounts: {password}", password=known["password"]).render(translate),
        msg("One-time codes: on the sign-in page, or by `zhakou demo-code ACCOUNT`.").render(translate),
    )


def appoint_cast(hub: Hub) -> None:
    """Those who take part in the walk, and nobody else."""
    _appoint(hub, ORGANISATIONS, ACCOUNTS)


def appoint_everyone(hub: Hub) -> None:
    """The whole district: the cast and the other departments."""
    _appoint(hub, ORGANISATIONS + OTHER_DEPARTMENTS, ACCOUNTS + OTHER_ACCOUNTS)


def _appoint(hub: Hub, organisations: Sequence[Founded], accounts: Sequence[Account]) -> None:
    """Found the organisations and open the demonstration accounts; what is there is left alone."""
    state = hub.settings.state_dir
    if not kept(state):
        keep(state, fresh())
    now = hub.clock()
    with hub.reading() as session:
        known = {*session.scalars(select(Organisation.id)), *session.scalars(select(Person.id))}
        enrolled = set(session.scalars(select(Credential.person_id).where(Credential.sealed_secret != "")))
    for serial, (org_id, name_zh, name_en, kind) in enumerate(organisations, start=1):
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
    for account in accounts:
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
    secrets_of = {one.id: secret_of(demo["seed"], one.id) for one in accounts if one.id not in enrolled}
    unsafe_enrol(hub, secrets_of, password=demo["password"])
    _make_responsible(hub, organisations, accounts)


def _officers(hub: Hub) -> tuple[Actor, Actor]:
    """The two officers of the bureau."""
    return _actor(hub, ACCOUNTS[0].id), _actor(hub, ACCOUNTS[1].id)


def _make_responsible(hub: Hub, organisations: Sequence[Founded], accounts: Sequence[Account]) -> None:
    """The three responsibilities of each department, by letters of the demonstration."""
    officer, now = _officers(hub)[0], hub.clock()
    for org_id, _, _, kind in organisations:
        if kind is not OrgKind.DEPARTMENT:
            continue
        with hub.reading() as session:
            filled = posts_filled(session, org_id, now)
        for post, role in ROLE_OF_POST.items():
            holder = next(account for account in accounts if account.org == org_id and role in account.roles)
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


def _actor(hub: Hub, person_id: str) -> Actor:
    return find_person(hub, person_id).actor
