"""Accounts and organisations by the pages of the bureau, and the first sign-in of whoever gets one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.context import Hub
from hub.errors import HubError, NotAllowed, NotFound
from hub.ledger.actions import read_entries
from hub.people.accounts import (
    appoint_person,
    change_roles,
    close_account,
    confirm_change,
    decline_change,
    recover_officer,
    reset_sign_in,
    sign_out_person,
)
from hub.people.actions import find_person, record_training
from hub.people.actor import OrgKind, Post, Role
from hub.people.appointments import posts_filled
from hub.people.model import AccountChange, ChangeStatus, Credential, OrganisationStatus, Person, PersonStatus
from hub.people.organisations import found_organisation, move_organisation
from hub.people.sign_in import begin_enrolment, finish_enrolment, session_goes_on, sign_in, sign_in_vouched
from hub.people.totp import code_of, fresh_secret, step_of
from tests import factories
from tests.factories import NOW, Watch, actor
from tests.integration.web_house import Browser, House, open_house

OFFICER, SECOND = "bureau-officer", "bureau-assessor"
OWN = "lantern otter maple river"
USCC = "91990107MA00000153"


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def hub(tmp_path: Path, watch: Watch) -> Hub:
    return factories.district(tmp_path / "state", clock=watch)


@pytest.fixture
def house(hub: Hub) -> Iterator[House]:
    with open_house(hub) as house:
        yield house


def refused(hub: Hub, act: object, *codes: str) -> None:
    with pytest.raises(HubError) as error:
        act()  # type: ignore[operator]
    assert {refusal.rule for refusal in error.value.refusals} == set(codes)


def opened(hub: Hub, *, person_id: str = "newcomer", org: str = "mz", role: Role = Role.PROVIDER_REVIEWER) -> object:
    return appoint_person(
        hub,
        actor(hub, OFFICER),
        person_id=person_id,
        name_zh="新来的人",
        name_en="Somebody new",
        org_id=org,
        roles=frozenset({role}),
    )


def let_in(hub: Hub, role: Role = Role.DEPT_STEWARD) -> object:
    """Opened by one officer and confirmed by the other."""
    change = opened(hub, role=role).proposed  # type: ignore[attr-defined]
    return confirm_change(hub, actor(hub, SECOND), change_id=change.id)


def given(hub: Hub, person_id: str, *roles: Role) -> None:
    """Other roles, given by one officer and confirmed by the other."""
    change = change_roles(hub, actor(hub, OFFICER), person_id=person_id, roles=frozenset(roles)).proposed
    assert change is not None
    confirm_change(hub, actor(hub, SECOND), change_id=change.id)


def kinds(hub: Hub, count: int = 5) -> list[str]:
    with hub.reading() as session:
        return [entry.kind for entry in read_entries(session, limit=count)]


def enrolled(hub: Hub, person_id: str, first: str, secret: str) -> tuple[str, ...]:
    begun = begin_enrolment(hub, username=person_id, first_password=first)
    code = code_of(secret, step_of(hub.clock()))
    return finish_enrolment(hub, begun, password=OWN, secret=secret, code=code)


# --- opening, changing, closing ---------------------------------------------------------------------------------------


def test_whoever_may_decide_on_releases_comes_in_after_two_officers(hub: Hub) -> None:
    done = opened(hub, role=Role.PROVIDER_REVIEWER)
    change = done.proposed  # type: ignore[attr-defined]
    with pytest.raises(NotFound):
        find_person(hub, "newcomer")
    refused(hub, lambda: confirm_change(hub, actor(hub, OFFICER), change_id=change.id), "change.own")
    refused(hub, lambda: confirm_change(hub, actor(hub, "auditor"), change_id=change.id), "role.missing")
    confirmed = confirm_change(hub, actor(hub, SECOND), change_id=change.id)
    assert find_person(hub, "newcomer").actor.has(Role.PROVIDER_REVIEWER)
    assert enrolled(hub, "newcomer", confirmed.first_password, fresh_secret())
    refused(hub, lambda: confirm_change(hub, actor(hub, SECOND), change_id=change.id), "change.decided")


def test_others_come_in_after_one_officer(hub: Hub) -> None:
    assert opened(hub, org="kangyang", role=Role.ANALYST).proposed is None  # type: ignore[attr-defined]
    assert find_person(hub, "newcomer").status is PersonStatus.ACTIVE
    assert kinds(hub, 1) == ["person.appointed"]


def test_declined_account_stays_closed(hub: Hub) -> None:
    change = opened(hub, role=Role.PROVIDER_REVIEWER).proposed  # type: ignore[attr-defined]
    decline_change(hub, actor(hub, OFFICER), change_id=change.id)  # who proposed it may take it back
    with pytest.raises(NotFound):
        find_person(hub, "newcomer")
    refused(hub, lambda: confirm_change(hub, actor(hub, SECOND), change_id=change.id), "change.decided")


def test_reviewing_role_added_later_takes_two_and_is_asked_again_when_confirmed(hub: Hub) -> None:
    let_in(hub)
    after = frozenset({Role.PROVIDER_REVIEWER})
    change = change_roles(hub, actor(hub, OFFICER), person_id="newcomer", roles=after).proposed
    assert change is not None
    assert not find_person(hub, "newcomer").actor.has(Role.PROVIDER_REVIEWER)
    close_account(hub, actor(hub, OFFICER), person_id="newcomer")
    refused(hub, lambda: confirm_change(hub, actor(hub, SECOND), change_id=change.id), "change.decided")


def test_roles_proposed_before_others_were_given_are_given_no_more(hub: Hub) -> None:
    let_in(hub)
    stale = change_roles(
        hub, actor(hub, OFFICER), person_id="newcomer", roles=frozenset({Role.PROVIDER_REVIEWER})
    ).proposed
    assert stale is not None
    given(hub, "newcomer", Role.DEPT_CDO)
    refused(hub, lambda: confirm_change(hub, actor(hub, SECOND), change_id=stale.id), "change.decided")
    assert find_person(hub, "newcomer").actor.roles == {Role.DEPT_CDO}


def test_every_change_of_roles_says_before_and_after(hub: Hub) -> None:
    let_in(hub)
    given(hub, "newcomer", Role.DEPT_CDO)
    with hub.reading() as session:
        bodies = [entry.body for entry in read_entries(session, limit=3)]
    assert any('"after":"dept_cdo"' in body and '"before":"dept_steward"' in body for body in bodies)


@pytest.mark.parametrize(
    ("roles", "codes"),
    [
        ({Role.RELEASE_OFFICER}, {"role.organisation"}),
        ({Role.DEPT_STEWARD, Role.PROVIDER_REVIEWER}, {"role.conflict"}),
        (set(), {"role.missing"}),
        ({Role.DEPT_STEWARD}, {"account.unchanged"}),
    ],
)
def test_roles_that_cannot_be_held_are_not_given_later_either(hub: Hub, roles: set[Role], codes: set[str]) -> None:
    let_in(hub)
    refused(
        hub,
        lambda: change_roles(hub, actor(hub, OFFICER), person_id="newcomer", roles=frozenset(roles)),
        *codes,
    )


def test_post_ends_with_the_role_that_it_needs(hub: Hub) -> None:
    given(hub, "mz-cdo", Role.DEPT_CHIEF)
    with hub.reading() as session:
        assert Post.CHIEF_DATA_OFFICER not in posts_filled(session, "mz", hub.clock())
        assert Post.DATA_STEWARD in posts_filled(session, "mz", hub.clock())
    close_account(hub, actor(hub, OFFICER), person_id="mz-steward")
    with hub.reading() as session:
        assert Post.DATA_STEWARD not in posts_filled(session, "mz", hub.clock())
    assert "responsible.ended" in kinds(hub)


def test_nobody_changes_their_own_account(hub: Hub) -> None:
    officer = actor(hub, OFFICER)
    refused(hub, lambda: reset_sign_in(hub, officer, person_id=OFFICER), "account.self")
    refused(hub, lambda: close_account(hub, officer, person_id=OFFICER), "account.self", "account.last_officers")
    roles = frozenset({Role.BUREAU_OFFICER, Role.COMPLIANCE_REVIEWER})
    refused(hub, lambda: change_roles(hub, officer, person_id=OFFICER, roles=roles), "account.self")


def test_two_officers_stay(hub: Hub) -> None:
    refused(hub, lambda: close_account(hub, actor(hub, OFFICER), person_id=SECOND), "account.last_officers")


@pytest.mark.parametrize("person", ["auditor", "ky-admin", "mz-cdo", "release-officer"])
def test_nobody_but_the_bureau_touches_accounts(hub: Hub, person: str) -> None:
    someone = actor(hub, person)
    for act in (
        lambda: close_account(hub, someone, person_id="ky-analyst"),
        lambda: reset_sign_in(hub, someone, person_id="ky-analyst"),
        lambda: sign_out_person(hub, someone, person_id="ky-analyst"),
        lambda: change_roles(hub, someone, person_id="ky-analyst", roles=frozenset({Role.LICENSEE_ADMIN})),
        lambda: move_organisation(hub, someone, org_id="mz", to=OrganisationStatus.DISSOLVED),
    ):
        refused(hub, act, "role.missing")


def test_assessor_comes_in_until_the_last_day_and_not_after(hub: Hub, watch: Watch) -> None:
    officer = actor(hub, OFFICER)
    found_organisation(hub, officer, org_id="eval", name_zh="评估所", name_en="Assessors", kind=OrgKind.ASSESSOR)
    given = {"person_id": "eva", "name_zh": "评估员", "name_en": "Assessor", "org_id": "eval"}
    roles = frozenset({Role.THIRD_PARTY_ASSESSOR})
    refused(hub, lambda: appoint_person(hub, officer, **given, roles=roles), "account.organisation", "account.last_day")
    move_organisation(
        hub, officer, org_id="eval", to=OrganisationStatus.ACTIVE, entity_check="核1", confidentiality_ref="密1"
    )
    appoint_person(hub, officer, **given, roles=roles, access_until=NOW + timedelta(days=30))
    sign_in_vouched(hub, username="eva", session="s", is_strong=True)
    assert session_goes_on(hub, session="s", person_id="eva")
    watch.move(days=30)
    with pytest.raises(NotFound):
        find_person(hub, "eva")
    assert not session_goes_on(hub, session="s", person_id="eva")
    with pytest.raises(NotAllowed):
        sign_in_vouched(hub, username="eva", session="t", is_strong=True)


# --- organisations ----------------------------------------------------------------------------------------------------


def test_organisation_is_entered_admitted_and_its_end_shuts_its_people_out(hub: Hub) -> None:
    officer = actor(hub, OFFICER)
    found_organisation(hub, officer, org_id="neu", name_zh="新机构", name_en="New", kind=OrgKind.OPERATOR, uscc=USCC)
    refused(hub, lambda: opened(hub, org="neu", role=Role.ANALYST), "account.organisation")
    refused(
        hub,
        lambda: move_organisation(hub, officer, org_id="neu", to=OrganisationStatus.ACTIVE),
        "organisation.record",
    )
    move_organisation(
        hub,
        officer,
        org_id="neu",
        to=OrganisationStatus.ACTIVE,
        entity_check="核验〔2026〕1号",
        confidentiality_ref="密1",
    )
    opened(hub, org="neu", role=Role.ANALYST)
    newcomer = find_person(hub, "newcomer").actor
    sign_in_vouched(hub, username="newcomer", session="s", is_strong=True)
    move_organisation(hub, officer, org_id="neu", to=OrganisationStatus.MERGED, merged_into="pushu")
    assert not session_goes_on(hub, session="s", person_id="newcomer")
    with pytest.raises(NotFound):
        find_person(hub, "newcomer")
    with pytest.raises(NotAllowed) as error:
        change_roles(hub, newcomer, person_id="ky-admin", roles=frozenset({Role.ANALYST}))
    assert "person.closed" in {refusal.rule for refusal in error.value.refusals}


def test_developer_sides_with_its_operator(hub: Hub) -> None:
    officer = actor(hub, OFFICER)
    given = {"org_id": "dev", "name_zh": "开发", "name_en": "Dev", "kind": OrgKind.DEVELOPER, "uscc": USCC}
    refused(hub, lambda: found_organisation(hub, officer, **given), "organisation.attached")
    refused(hub, lambda: found_organisation(hub, officer, **given, attached_to="mz"), "organisation.attached")
    found_organisation(hub, officer, **given, attached_to="kangyang")
    move_organisation(
        hub, officer, org_id="dev", to=OrganisationStatus.ACTIVE, entity_check="核1", confidentiality_ref="密1"
    )
    opened(hub, org="dev", role=Role.ANALYST)
    newcomer = actor(hub, "newcomer")
    assert newcomer.sides_with("kangyang")
    assert newcomer.sides_with("dev")
    assert not newcomer.sides_with("pushu")
    assert not actor(hub, "auditor").sides_with("")


# --- first sign-in and reset ------------------------------------------------------------------------------------------


def test_first_password_opens_enrolment_once_and_no_sign_in(hub: Hub) -> None:
    opened(hub, org="kangyang", role=Role.ANALYST)
    first = reset_sign_in(hub, actor(hub, OFFICER), person_id="newcomer").first_password
    secret = fresh_secret()
    code = code_of(secret, step_of(hub.clock()))
    with pytest.raises(NotAllowed):
        sign_in(hub, username="newcomer", password=first, code=code, session="s")
    assert len(enrolled(hub, "newcomer", first, secret)) == 10
    refused(hub, lambda: begin_enrolment(hub, username="newcomer", first_password=first), "enrol.wrong")
    with pytest.raises(NotAllowed):  # the code that proved the enrolment opens nothing again
        sign_in(hub, username="newcomer", password=OWN, code=code, session="s")
    sign_in(hub, username="newcomer", password=OWN, code=code_of(secret, step_of(hub.clock()) + 1), session="s")


def test_enrolment_begun_twice_is_finished_once(hub: Hub) -> None:
    opened(hub, org="kangyang", role=Role.ANALYST)
    first = reset_sign_in(hub, actor(hub, OFFICER), person_id="newcomer").first_password
    late = begin_enrolment(hub, username="newcomer", first_password=first)
    enrolled(hub, "newcomer", first, fresh_secret())
    secret = fresh_secret()
    code = code_of(secret, step_of(hub.clock()))
    refused(hub, lambda: finish_enrolment(hub, late, password=OWN, secret=secret, code=code), "enrol.over")


def test_first_password_runs_out(hub: Hub, watch: Watch) -> None:
    opened(hub, org="kangyang", role=Role.ANALYST)
    first = reset_sign_in(hub, actor(hub, OFFICER), person_id="newcomer").first_password
    begun = begin_enrolment(hub, username="newcomer", first_password=first)
    watch.move(hours=hub.settings.first_password_hours)
    refused(hub, lambda: begin_enrolment(hub, username="newcomer", first_password=first), "enrol.wrong")
    code = code_of("A" * 32, step_of(hub.clock()))
    refused(hub, lambda: finish_enrolment(hub, begun, password=OWN, secret="A" * 32, code=code), "enrol.over")


def test_reset_of_a_reviewer_ends_the_old_sign_in_now_and_opens_the_new_one_after_two(hub: Hub) -> None:
    sign_in_vouched(hub, username="mz-reviewer", session="s", is_strong=True)
    done = reset_sign_in(hub, actor(hub, OFFICER), person_id="mz-reviewer")
    assert done.first_password == ""
    assert done.proposed is not None
    assert not session_goes_on(hub, session="s", person_id="mz-reviewer")
    with hub.reading() as session:
        assert session.get(Credential, "mz-reviewer") is None
    refused(hub, lambda: confirm_change(hub, actor(hub, OFFICER), change_id=done.proposed.id), "change.own")
    again = reset_sign_in(hub, actor(hub, SECOND), person_id="mz-reviewer")  # the first one falls
    assert again.proposed is not None
    with hub.reading() as session:
        assert session.get_one(AccountChange, done.proposed.id).status is ChangeStatus.DECLINED
    first = confirm_change(hub, actor(hub, OFFICER), change_id=again.proposed.id).first_password
    assert enrolled(hub, "mz-reviewer", first, fresh_secret())


def test_first_password_is_in_no_event_and_not_in_the_database(hub: Hub) -> None:
    opened(hub, org="kangyang", role=Role.ANALYST)
    changed = reset_sign_in(hub, actor(hub, OFFICER), person_id="newcomer")
    with hub.reading() as session:
        told = "".join(entry.body for entry in read_entries(session, limit=10_000))
    assert changed.first_password not in told + repr(changed)
    raw = b"".join(path.read_bytes() for path in hub.settings.state_dir.glob("zhakou.sqlite*"))
    assert changed.first_password.encode() not in raw


# --- the way back in --------------------------------------------------------------------------------------------------


def test_officer_is_let_back_in_only_when_none_can_act_and_for_some_days(hub: Hub, watch: Watch) -> None:
    refused(hub, lambda: recover_officer(hub, person_id=OFFICER), "officer.not_needed")
    watch.move(days=3 * 365)  # all training has lapsed
    refused(hub, lambda: recover_officer(hub, person_id="auditor"), "officer.account")
    first = recover_officer(hub, person_id=OFFICER).first_password
    assert kinds(hub, 2) == ["sign_in.handed_over", "officer.recovered"]
    assert enrolled(hub, OFFICER, first, fresh_secret())
    until = hub.clock() + timedelta(days=300)
    record_training(hub, actor(hub, OFFICER), person_id=SECOND, trained_until=until, confidentiality_until=until)
    refused(hub, lambda: recover_officer(hub, person_id=OFFICER), "officer.not_needed")
    watch.move(days=7)
    refused(
        hub,
        lambda: close_account(hub, actor(hub, OFFICER), person_id="ky-admin"),
        "person.training_lapsed",
        "person.confidentiality_lapsed",
    )


def test_last_but_one_officer_who_lost_the_telephone_is_let_back_in(hub: Hub) -> None:
    change = reset_sign_in(hub, actor(hub, OFFICER), person_id=SECOND).proposed
    assert change is not None
    refused(hub, lambda: confirm_change(hub, actor(hub, OFFICER), change_id=change.id), "change.own")
    refused(hub, lambda: recover_officer(hub, person_id=OFFICER), "officer.not_needed")
    first = recover_officer(hub, person_id=SECOND).first_password
    assert enrolled(hub, SECOND, first, fresh_secret())
    refused(hub, lambda: recover_officer(hub, person_id=SECOND), "officer.not_needed")
    with hub.reading() as session:
        assert session.get_one(AccountChange, change.id).status is ChangeStatus.DECLINED


# --- pages ------------------------------------------------------------------------------------------------------------


def enrol_by_pages(browser: Browser, name: str, first: str) -> str:
    """Through both pages to the recovery codes; the secret that was shown."""
    answer = browser.post("enrol", {"name": name, "first": first})
    assert answer.status_code == 303, answer.text
    page = browser.get("enrol/own")
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page.text)
    assert secret is not None
    assert "<svg" in page.text
    return secret[1].replace(" ", "")


def test_bureau_opens_an_account_and_the_person_enrols_by_the_pages(house: House) -> None:
    officer = house.browser_of(OFFICER)
    officer.get("people/new")
    form = {"id": "newcomer", "name_zh": "新人", "name_en": "Newcomer", "org": "kangyang", "roles": "analyst"}
    assert officer.post("people/new", form).status_code == 303
    officer.get("people/newcomer/account")
    page = officer.post("people/newcomer/reset")
    first = re.search(r'id="first-password">([a-z0-9-]+)<', page.text)
    assert first is not None
    assert page.headers["cache-control"] == "no-store"
    assert first[1] not in officer.get("people/newcomer/account").text
    person = house.stranger()
    secret = enrol_by_pages(person, "newcomer", first[1])
    code = code_of(secret, step_of(house.hub.clock()))
    fields = {"password": OWN, "repeat": OWN, "code": code}
    assert "password.repeat" in person.post("enrol/own", {**fields, "repeat": "another one entirely"}).text
    assert "password.common" in person.post("enrol/own", {**fields, "password": "a" * 12, "repeat": "a" * 12}).text
    assert "enrol.code" in person.post("enrol/own", {**fields, "code": "000000"}).text
    done = person.post("enrol/own", fields)
    assert len(re.findall(r"<li><code>[a-z0-9-]{19}</code>", done.text)) == 10
    assert "enrol.stale" in person.post("enrol/own", fields).text  # once
    again = house.stranger()
    assert again.post("enrol", {"name": "newcomer", "first": first[1]}).status_code == 403  # the first password is used
    sign_in(
        house.hub, username="newcomer", password=OWN, code=code_of(secret, step_of(house.hub.clock()) + 1), session="s"
    )


def test_enrolment_page_opens_nothing_else_and_to_nobody_else(house: House) -> None:
    officer = house.browser_of(OFFICER)
    officer.get("people/ky-analyst/account")
    first = re.search(r'id="first-password">([a-z0-9-]+)<', officer.post("people/ky-analyst/reset").text)
    assert first is not None
    person, thief = house.stranger(), house.stranger()
    enrol_by_pages(person, "ky-analyst", first[1])
    assert person.get("people").status_code == 303  # no session of the portal
    assert thief.get("enrol/own").status_code == 403
    other = house.stranger()
    enrol_by_pages(other, "ky-analyst", first[1])
    assert person.get("enrol/own").status_code == 403  # the later one took its place
    assert other.post("enrol/own", {"csrf_token": "x", "password": OWN, "repeat": OWN, "code": "1"}).status_code == 403


def test_enrolment_form_of_a_foreign_page_is_refused(house: House) -> None:
    stranger = house.stranger()
    answer = stranger.post("enrol", {"name": "a", "first": "b"}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert "web.foreign_origin" in answer.text


def test_guessing_first_passwords_shuts_the_page(house: House) -> None:
    stranger = house.stranger()
    for _ in range(10):
        assert stranger.post("enrol", {"name": "ky-analyst", "first": "wrong"}).status_code == 403
    assert stranger.post("enrol", {"name": "ky-analyst", "first": "wrong"}).status_code == 429


@pytest.mark.parametrize("step", ["password", "recovery"])
def test_stolen_session_cannot_guess_the_password_without_end(house: House, step: str) -> None:
    thief = house.browser_of("ky-analyst")
    thief.get("account")
    guess = {"password": "guess", "code": "000000", "new": OWN, "repeat": OWN}
    for _ in range(10):
        assert "sign_in.again" in thief.post(f"account/{step}", guess).text
    assert "enrol.wait" in thief.post(f"account/{step}", guess).text


def test_signing_out_everywhere_ends_every_browser(house: House) -> None:
    one, other = house.browser_of("ky-analyst"), house.browser_of("ky-analyst")
    assert one.get("account").status_code == 200
    assert other.get("account").status_code == 200
    assert one.post("account/sign-out").status_code == 303
    for browser in (one, other):
        assert browser.get("account").status_code == 303


def test_account_page_shows_refused_sign_ins_too(house: House) -> None:
    with pytest.raises(NotAllowed):
        sign_in(house.hub, username="ky-analyst", password="wrong", code="000000", session="s")
    assert "badge-bad" in house.browser_of("ky-analyst").get("account").text


@pytest.mark.parametrize(
    "path", ["account/sign-out", "account/password", "people/ky-admin/reset", "people/ky-admin/close"]
)
def test_form_without_the_token_of_the_session_changes_nothing(house: House, path: str) -> None:
    browser = house.browser_of(OFFICER)
    answer = browser.post(path, {"csrf_token": "forged"})
    assert answer.status_code == 403
    assert "form.stale" in answer.text
    with house.hub.reading() as session:
        assert session.get_one(Person, "ky-admin").status is PersonStatus.ACTIVE


def test_second_officer_confirms_by_the_page(house: House) -> None:
    officer, second = house.browser_of(OFFICER), house.browser_of(SECOND)
    officer.get("people/new")
    form = {"id": "newcomer", "name_zh": "新人", "name_en": "New", "org": "mz", "roles": "provider_reviewer"}
    assert officer.post("people/new", form).headers["location"].endswith("people/changes")
    officer.get("people/changes")
    with house.hub.reading() as session:
        change = session.query(AccountChange).filter_by(person_id="newcomer").one()
    assert "change.own" in officer.post(f"people/changes/{change.id}/confirm").text
    second.get("people/changes")
    assert 'id="first-password"' in second.post(f"people/changes/{change.id}/confirm").text


def test_organisation_is_entered_and_admitted_by_the_pages(house: House) -> None:
    officer = house.browser_of(OFFICER)
    officer.get("people/organisations")
    form = {"id": "neu", "name_zh": "新机构", "name_en": "New", "kind": "operator", "uscc": "91990107MA00000154"}
    assert "organisation.uscc" in officer.post("people/organisations", form).text
    assert officer.post("people/organisations", {**form, "uscc": USCC}).status_code == 303
    officer.get("people/organisations/neu")
    assert "organisation.record" in officer.post("people/organisations/neu/move", {"to": "active"}).text
    admitted = {"to": "active", "entity_check": "核验〔2026〕1号", "confidentiality_ref": "保密〔2026〕1号"}
    assert officer.post("people/organisations/neu/move", admitted).status_code == 303
    assert "核验〔2026〕1号" in officer.get("people/organisations/neu").text


@pytest.mark.parametrize("person", ["ky-admin", "mz-cdo"])
def test_others_see_their_own_people_and_organisation_alone(house: House, person: str) -> None:
    browser = house.browser_of(person)
    assert browser.get("people/organisations").status_code == 200
    assert browser.get("people/organisations/pushu").status_code == 404
    assert browser.get("people/ps-admin/account").status_code == 404
    assert browser.get("people/changes").status_code == 200
    assert browser.get(f"people/{person}/account").status_code == 200
    assert browser.post("people/ps-admin/close").status_code in (403, 404)
