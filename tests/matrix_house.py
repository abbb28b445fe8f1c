"""One thing in every state of every entity, reached through the actions of the hub, and every act that can be tried.

A scene is a district in which things lie about; states that exclude each other lie in different scenes. An act is a
verb with arguments that are right but for who tries it and in which state, so that a refusal is about these two.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from anonymize.privacy.dp.loss import Composition
from hub.catalog.actions import mark_state_secret, publish_table, register_table
from hub.catalog.model import Origin, TableStatus
from hub.closing.actions import close_licence, discard_evidence
from hub.context import Hub, open_hub
from hub.demo.ladder import PURPOSE, REASON
from hub.demo.licences import give_opinions
from hub.demo.people import ACCOUNTS
from hub.extracts.actions import revoke_extract, run_extract, start_extract
from hub.extracts.model import Extract, ExtractRequest, ExtractRequestStatus, ExtractStatus
from hub.extracts.requests import decide_extract, request_extract, withdraw_extract_request
from hub.gate.actions import cast_vote, expire_approvals, look_at_files, submit_export, withdraw_export
from hub.gate.model import Decision, ExportRequest, ProductForm, RequestStatus
from hub.intake.actions import receive_file
from hub.intake.model import RawFile
from hub.licensing.actions import (
    decide_scenario,
    file_scenario,
    give_opinion,
    resume_licence,
    suspend_licence,
    terminate_licence,
)
from hub.licensing.agreements import (
    draft_licence,
    enter_filing,
    grant_licence,
    record_deliberation,
    revise_licence,
    sign_licence,
)
from hub.licensing.annex import decide_personnel, propose_personnel, remove_personnel
from hub.licensing.model import ExtractLevel, Lane, Licence, LicenceStatus, PersonnelStatus, Stance
from hub.noisy.actions import ask_noisy, grant_budget
from hub.people.accounts import (
    appoint_person,
    change_roles,
    close_account,
    confirm_change,
    declare_interests,
    decline_change,
    reset_sign_in,
    sign_out_person,
)
from hub.people.actions import record_training
from hub.people.actor import Actor, OrgKind, Post, Role
from hub.people.appointments import appoint_responsible, end_appointment, list_appointments
from hub.people.model import ChangeStatus, OrganisationStatus, PersonStatus
from hub.people.organisations import found_organisation, move_organisation
from hub.products.actions import deliver_release, issue_grant, redeem_grant
from hub.register.actions import apply_registration, decide_registration, meter_usage, propose_product
from hub.register.amendments import apply_amendment, decide_amendment, decide_objection, raise_objection
from hub.register.charging import enter_account, enter_cap, permit_income, set_price
from hub.register.model import (
    AmendmentStatus,
    ChargeUnit,
    ObjectionStatus,
    PaperKind,
    RegistrationField,
    RegistrationStatus,
    RegistrationType,
)
from hub.register.papers import publish_paper
from hub.runs.actions import decide_run, perform_run, request_run, start_run, withdraw_run
from hub.runs.model import RunOrder, RunStatus
from hub.settings import Settings
from hub.sharing.actions import decide_consent, list_consents, withdraw_consent
from hub.sharing.model import ConsentStatus
from hub.workspaces.actions import choose_rung, close_workspace, mount_extracts, open_workspace
from hub.workspaces.kernels import start_kernel
from hub.workspaces.model import WorkspaceStatus
from sandbox.sealed import Ending, Ran
from tests import factories
from tests.factories import STATED, Watch, actor
from tests.noisy_cases import request_text

WORDS = "逐格看过，每格八十人，可以出域。"
ANY = "any"
"""The state of an act that is about nothing that is there already."""

QUESTION = request_text({"kind": "count", "epsilon": 1}, table="clinic_visits", unit="serial")

R, S = RequestStatus, RegistrationStatus


@dataclass(slots=True)
class Scene:
    """Where things lie: entity → state → id, and the time at which it was left."""

    things: dict[str, dict[str, str]] = field(default_factory=dict)
    now: datetime = factories.NOW

    def put(self, entity: str, state: str, thing: str) -> None:
        self.things.setdefault(entity, {})[str(state)] = thing


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A verb as it is tried on a thing. `name` is the verb, with a variant after a colon where it has several."""

    name: str
    entity: str
    do: Callable[[Hub, Actor, str], object]

    @property
    def verb(self) -> str:
        return self.name.split(":")[0]


# -- scenes ------------------------------------------------------------------------------------------------------------


def everyday(folder: Path) -> tuple[Hub, Scene]:
    """Nearly everything at once, under one licence in force."""
    watch, scene = Watch(), Scene()
    hub = factories.district(folder, clock=watch)
    _people(hub, scene)
    room = factories.opened(hub, days=600, lane=Lane.INDUSTRY)
    scene.put("licence", LicenceStatus.ACTIVE, "l-0001")
    _grant_budget(hub, actor(hub, "bureau-officer"), "l-0001", unit="serial")
    scene.put("workspace", WorkspaceStatus.OPEN, room.workspace_id)
    scene.put("extract", ExtractStatus.ISSUED, _newest(hub, Extract))
    scene.put("extract_request", ExtractRequestStatus.APPROVED, _newest(hub, ExtractRequest))
    _personnel(hub, scene)
    _tables(hub, scene)
    _scenarios(hub, scene)
    _asked(hub, scene)
    _grants(hub, scene, room, watch)
    stale = _approved(hub, room).id
    _products(hub, scene, room, watch)
    expire_approvals(hub)
    scene.put("request", R.EXPIRED, stale)
    _requests(hub, scene, room)
    _runs(hub, scene, room)
    scene.now = watch.now
    return hub, scene


def _personnel(hub: Hub, scene: Scene) -> None:
    """Changes of the personnel list, for people who try nothing themselves."""
    admin, officer = actor(hub, "ky-admin"), actor(hub, "bureau-officer")
    for serial, state in enumerate(PersonnelStatus):
        person = appoint_person(
            hub,
            officer,
            person_id=f"ky-hired-{serial}",
            name_zh="演示",
            name_en="Demonstration",
            org_id="kangyang",
            roles=frozenset({Role.ANALYST}),
            trained_until=_days(hub, 700),
            confidentiality_until=_days(hub, 700),
        ).person
        change = propose_personnel(hub, admin, licence_id="l-0001", person_id=person.id, reason=WORDS).id
        if state is not PersonnelStatus.PROPOSED:
            is_in_force = state is PersonnelStatus.IN_FORCE
            decide_personnel(hub, officer, change_id=change, acknowledge=is_in_force, reason=WORDS)
        scene.put("personnel", state, change)


def stopped(folder: Path) -> tuple[Hub, Scene]:
    """A workspace that was stopped, an extract that was revoked, another whose build is under way."""
    scene, hub = Scene(), factories.working(folder)
    room = factories.room(hub)
    close_workspace(hub, workspace_id=room.workspace_id, reason="stopped")
    scene.put("workspace", WorkspaceStatus.CLOSED, room.workspace_id)
    issued = _newest(hub, Extract)
    revoke_extract(hub, actor(hub, "mz-steward"), extract_id=issued, reason=REASON)
    scene.put("extract", ExtractStatus.REVOKED, issued)
    building = factories.begun(hub, "l-0001")
    scene.put("extract", ExtractStatus.BUILDING, building.id)
    return hub, scene


def agreements(folder: Path) -> tuple[Hub, Scene]:
    """An agreement in every state but in force, and a scenario on which one can be drafted."""
    scene, hub = Scene(), factories.district(folder)
    officer = actor(hub, "bureau-officer")
    factories.published(hub)

    def ready() -> str:
        return factories.approved_scenario(hub, table_ids=["clinic_visits"])

    for state in LicenceStatus:
        if state is LicenceStatus.ACTIVE:
            continue
        if state is LicenceStatus.EXITED:
            _exited(hub, scene, ready())
            continue
        past = state in (LicenceStatus.SUSPENDED, LicenceStatus.TERMINATED)
        licence = factories.agreed(hub, ready(), until=LicenceStatus.ACTIVE if past else state).id
        if state is LicenceStatus.SUSPENDED:
            suspend_licence(hub, officer, licence_id=licence, reason=WORDS)
        elif past:
            terminate_licence(hub, officer, licence_id=licence, reason=WORDS)
        scene.put("licence", state, licence)
    strict = factories.agreed(hub, ready(), policy=factories.POLICY.replace("k = 5", "k = 500"))
    scene.put("extract", ExtractStatus.REFUSED, factories.built(hub, strict.id).id)
    scene.put("scenario", "ready", ready())
    return hub, scene


def _exited(hub: Hub, scene: Scene, scenario_id: str) -> None:
    """A licence under which there was work, closed for good."""
    officer = actor(hub, "bureau-officer")
    licence = factories.agreed(hub, scenario_id).id
    scene.put("extract", ExtractStatus.DESTROYED, factories.built(hub, licence).id)
    room = open_workspace(hub, actor(hub, "ky-analyst"), licence_id=licence)
    close_workspace(hub, workspace_id=room.workspace_id, reason="stopped")
    terminate_licence(hub, officer, licence_id=licence, reason=WORDS)
    close_licence(hub, officer, licence_id=licence, typed=licence, reason=WORDS)
    scene.put("licence", LicenceStatus.EXITED, licence)
    scene.put("workspace", WorkspaceStatus.DESTROYED, room.workspace_id)


def _people(hub: Hub, scene: Scene) -> None:
    officer, other = actor(hub, "bureau-officer"), actor(hub, "bureau-assessor")

    def account(name: str, role: Role, org: str = "kangyang") -> Any:
        return appoint_person(
            hub,
            officer,
            person_id=name,
            name_zh="演示",
            name_en="Demonstration",
            org_id=org,
            roles=frozenset({role}),
        )

    account("spare", Role.ANALYST)
    scene.put("person", PersonStatus.ACTIVE, "spare")
    account("gone", Role.ANALYST)
    close_account(hub, officer, person_id="gone")
    scene.put("person", PersonStatus.CLOSED, "gone")
    decided = {ChangeStatus.CONFIRMED: confirm_change, ChangeStatus.DECLINED: decline_change}
    for state in ChangeStatus:
        change = account(f"rv-{state.value}", Role.PROVIDER_REVIEWER, "mz").proposed
        if state in decided:
            decided[state](hub, other, change_id=change.id)
        scene.put("change", state, change.id)
    scene.put("person", PersonStatus.PROPOSED, "rv-proposed")
    for name in ("proposed", "active", "dissolved", "merged"):
        found_organisation(
            hub, officer, org_id=f"o-{name}", name_zh="演示单位", name_en="Demonstration", kind=OrgKind.DEPARTMENT
        )
        if name != "proposed":
            _admit(hub, officer, f"o-{name}")
        scene.put("organisation", OrganisationStatus(name), f"o-{name}")
    move_organisation(hub, officer, org_id="o-dissolved", to=OrganisationStatus.DISSOLVED)
    move_organisation(hub, officer, org_id="o-merged", to=OrganisationStatus.MERGED, merged_into="mz")
    posts = [one for one in list_appointments(hub, officer) if one.org_id == "tj"]
    end_appointment(hub, officer, appointment_id=posts[0].id)
    scene.put("appointment", "over", posts[0].id)
    scene.put("appointment", "active", posts[1].id)


def _admit(hub: Hub, by: Actor, org_id: str) -> object:
    return move_organisation(
        hub, by, org_id=org_id, to=OrganisationStatus.ACTIVE, entity_check="核对", confidentiality_ref="保密1号"
    )


def _tables(hub: Hub, scene: Scene) -> None:
    scene.put("table", TableStatus.PUBLISHED, "clinic_visits")
    scene.put("table", TableStatus.DRAFT, _register(hub, "drafted"))
    barred = _register(hub, "barred")
    mark_state_secret(hub, actor(hub, "mz-steward"), table_id=barred, reason=WORDS)
    scene.put("table", "barred", barred)
    shared = _register(hub, "shared", origin=Origin.SHARED_IN, provider_org="wj")
    publish_table(hub, actor(hub, "bureau-officer"), table_id=shared)


def _register(hub: Hub, table_id: str, **changes: Any) -> str:
    draft = factories.clinic_draft(id=table_id, **changes)
    return register_table(hub, actor(hub, "mz-steward"), draft, raw_digest=_raw(hub)).id


def _raw(hub: Hub) -> str:
    with hub.reading() as session:
        return session.query(RawFile).filter_by(org_id="mz").first().digest


def _scenarios(hub: Hub, scene: Scene) -> None:
    """Each on the shared-in table, so that each has a request for consent of its own."""
    officer, steward = actor(hub, "bureau-officer"), actor(hub, "wj-steward")
    for state in ("filed", "heard", "approved", "refused"):
        scenario = _scenario(hub, actor(hub, "ky-admin")).id
        scene.put("scenario", state, scenario)
        consent = list_consents(hub, officer)[0].id
        if state == "refused":
            decide_scenario(hub, officer, scenario_id=scenario, approve=False, reason=WORDS)
        elif state != "filed":
            give_opinions(hub, scenario)
        if state == "approved":
            decide_scenario(hub, officer, scenario_id=scenario, approve=True, reason=WORDS)
        said = {
            "filed": ConsentStatus.REQUESTED,
            "heard": ConsentStatus.GIVEN,
            "approved": ConsentStatus.REFUSED,
            "refused": ConsentStatus.WITHDRAWN,
        }[state]
        if said is not ConsentStatus.REQUESTED:
            decide_consent(hub, steward, consent_id=consent, give=said is not ConsentStatus.REFUSED, reason=WORDS)
        if said is ConsentStatus.WITHDRAWN:
            withdraw_consent(hub, steward, consent_id=consent, reason=WORDS)
        scene.put("consent", said, consent)


def _scenario(hub: Hub, by: Actor) -> Any:
    purpose = "按街道汇总就诊次数，衔接服务。"
    return file_scenario(hub, by, title="衔接", purpose=purpose, lane=Lane.PUBLIC, table_ids=["shared"])


def _asked(hub: Hub, scene: Scene) -> None:
    """Requests for the sampled rung, one after the other."""
    analyst, steward = actor(hub, "ky-analyst"), actor(hub, "mz-steward")

    def ask() -> Any:
        return request_extract(
            hub,
            analyst,
            licence_id="l-0001",
            table_id="clinic_visits",
            level=ExtractLevel.SAMPLED,
            purpose=PURPOSE,
        )

    refused = ask()
    decide_extract(hub, steward, request_id=refused.id, digest=refused.digest, approve=False, reason=REASON)
    scene.put("extract_request", ExtractRequestStatus.REFUSED, refused.id)
    withdrawn = ask()
    withdraw_extract_request(hub, analyst, request_id=withdrawn.id)
    scene.put("extract_request", ExtractRequestStatus.WITHDRAWN, withdrawn.id)
    scene.put("extract_request", ExtractRequestStatus.REQUESTED, ask().id)


def _submitted(hub: Hub, room: Any, **given: Any) -> ExportRequest:
    return factories.submitted(hub, room, **given)


def _approved(hub: Hub, room: Any) -> ExportRequest:
    request = _submitted(hub, room)
    for person in ("mz-reviewer", "centre-reviewer"):
        request = _vote(hub, actor(hub, person), request.id)
    return request


def _released(hub: Hub, room: Any, recipient: str = "ky-analyst") -> str:
    request = _approved(hub, room)
    deliver_release(hub, actor(hub, "release-officer"), request_id=request.id, recipient_id=recipient)
    return request.id


def _vote(hub: Hub, by: Actor, request_id: str, decision: Decision = Decision.APPROVE) -> ExportRequest:
    with hub.reading() as session:
        digest = session.get_one(ExportRequest, request_id).digest
    return cast_vote(hub, by, request_id=request_id, digest=digest, decision=decision, reason=WORDS)


def _requests(hub: Hub, scene: Scene, room: Any) -> None:
    analyst = actor(hub, "ky-analyst")
    cut_off = _cut_off(hub, room)
    scene.put("request", R.CHECKING, cut_off)
    rows = b"\n".join(factories.clinic_csv().splitlines()[:120])
    blocked = _submitted(hub, room, slugs=[factories.put(hub, room, slug="rows", payload=rows)])
    scene.put("request", R.MACHINE_REFUSED, blocked.id)
    scene.put("request", R.IN_REVIEW, _submitted(hub, room).id)
    objected = _submitted(hub, room)
    _vote(hub, actor(hub, "mz-reviewer"), objected.id, Decision.OBJECT)
    scene.put("request", R.REFUSED, objected.id)
    taken_back = _submitted(hub, room)
    withdraw_export(hub, analyst, request_id=taken_back.id)
    scene.put("request", R.WITHDRAWN, taken_back.id)
    scene.put("request", R.APPROVED, _approved(hub, room).id)
    scene.put("request", R.RELEASED, scene.things["grant"]["fresh"])


def _runs(hub: Hub, scene: Scene, room: Any) -> None:
    """Sealed runs; where one was performed, this puts the files there that its notebook would."""
    centre, reviewer, analyst = actor(hub, "centre-operator"), actor(hub, "centre-reviewer"), actor(hub, "ky-analyst")

    def perform(run: str, *, fails: bool) -> None:
        start_run(hub, centre, run_id=run)

        def runner(_notebook: bytes, *, outbox: Path, **_more: object) -> Ran:
            if not fails:
                put = outbox / "counts"
                put.mkdir()
                (put / "counts.csv").write_bytes(factories.SAFE)
                about = {"title": "t", "reason": "r", "payload": "counts.csv"}
                (put / "about.json").write_text(json.dumps(about), encoding="utf-8")
            return Ran(ending=Ending.FINISHED)

        perform_run(hub, run_id=run, runner=runner, screen=factories.screen_here, pause=lambda _: None)

    for state in RunStatus:
        run = factories.ordered(hub, room).id
        if state is RunStatus.WITHDRAWN:
            withdraw_run(hub, analyst, run_id=run)
        elif state is not RunStatus.IN_REVIEW:
            _decide_run(hub, reviewer, run, approve=state is not RunStatus.REFUSED)
        if state is RunStatus.RUNNING:
            start_run(hub, centre, run_id=run)
        elif state in (RunStatus.SUBMITTED, RunStatus.FAILED):
            perform(run, fails=state is RunStatus.FAILED)
        scene.put("run", state, run)


def _decide_run(hub: Hub, by: Actor, thing: str, *, approve: bool) -> object:
    with hub.reading() as session:
        digest = session.get_one(RunOrder, thing).digest
    return decide_run(hub, by, run_id=thing, digest=digest, approve=approve, reason=WORDS)


def _ask_run(hub: Hub, by: Actor, thing: str) -> object:
    return request_run(
        hub,
        by,
        workspace_id=thing,
        notebook="run.ipynb",
        title="就诊人数",
        purpose=WORDS,
        outputs=["counts.csv"],
        product_form=ProductForm.INDEX,
    )


def _cut_off(hub: Hub, room: Any) -> str:
    def dies(**_: object) -> Any:
        raise RuntimeError("the service stopped")

    with suppress(RuntimeError):
        submit_export(
            hub,
            actor(hub, "ky-analyst"),
            workspace_id=room.workspace_id,
            slugs=[factories.put(hub, room)],
            title="就诊人数",
            reason=WORDS,
            product_form=ProductForm.INDEX,
            screen=dies,
        )
    return _newest(hub, ExportRequest)


def _grants(hub: Hub, scene: Scene, room: Any, watch: Watch) -> None:
    used = _released(hub, room)
    redeem_grant(hub, actor(hub, "ky-analyst"), request_id=used)
    scene.put("grant", "used", used)
    scene.put("grant", "expired", _released(hub, room))
    watch.move(days=8)


def _products(hub: Hub, scene: Scene, room: Any, watch: Watch) -> None:
    """A product in every state of its registration; those of the notice are entered before it is over."""
    officer, admin = actor(hub, "bureau-officer"), actor(hub, "ky-admin")
    names: dict[str, str] = {}

    def go(product: str, *steps: RegistrationStatus) -> None:
        apply_registration(hub, admin, product_id=product, stated=STATED)
        for step in steps:
            decide_registration(hub, officer, product_id=product, to=step, reason=WORDS)

    def new(state: str) -> str:
        request = _released(hub, room)
        names[state] = _propose(hub, admin, request).id
        _cap(hub, officer, names[state])
        set_price(hub, admin, product_id=names[state], unit=ChargeUnit.CALLS, yuan="1")
        return names[state]

    notice = (S.ACCEPTED, S.FORM_REVIEWED, S.PUBLIC_NOTICE)
    for state in (S.CODED, S.CANCELLED, "amended"):
        go(new(state), *notice)
    for name, to in (("upheld", ObjectionStatus.UPHELD), ("raised", None), ("dismissed", ObjectionStatus.DISMISSED)):
        state = {"upheld": S.TERMINATED, "raised": S.OBJECTED, "dismissed": "notice_over"}[name]
        product = new(state)
        go(product, *notice)
        objection = _object(hub, officer, product)
        if to is not None:
            _judge(hub, officer, f"{product} {objection.id}", to)
        scene.put("objection", name, f"{product} {objection.id}")
    watch.move(days=40)
    _income(hub, officer, "l-0001")
    _account(hub, admin, "l-0001")
    for state in (S.CODED, S.CANCELLED, "amended"):
        decide_registration(hub, officer, product_id=names[state], to=S.CODED, reason=WORDS)
    _amendments(hub, scene, names.pop("amended"))
    _cancel(hub, names[S.CANCELLED])
    new(S.DUE)
    go(new(S.APPLIED))
    go(new(S.ACCEPTED), S.ACCEPTED)
    go(new(S.FORM_REVIEWED), S.ACCEPTED, S.FORM_REVIEWED)
    go(new(S.PUBLIC_NOTICE), *notice)
    for state, name in names.items():
        scene.put("product", state, name)
    scene.put("grant", "fresh", _released(hub, room))
    scene.put("release", "released", scene.things["grant"]["fresh"])


def _propose(hub: Hub, by: Actor, request_id: str) -> Any:
    description = "按街道和年龄段汇总的就诊次数。"
    return propose_product(hub, by, request_id=request_id, name="就诊指数", description=description)


def _object(hub: Hub, by: Actor, product: str) -> Any:
    return raise_objection(
        hub,
        by,
        product_id=product,
        objector="外部某人",
        contact="电话 12000000000",
        grounds="公示内容与实际来源不符，附证据。",
        evidence="e" * 64,
    )


def _judge(hub: Hub, by: Actor, thing: str, to: ObjectionStatus) -> object:
    product, objection = thing.split()
    return decide_objection(hub, by, product_id=product, objection_id=objection, to=to, reason=WORDS)


def _amend(hub: Hub, by: Actor, product: str, kind: RegistrationType = RegistrationType.CORRECTION) -> Any:
    return apply_amendment(
        hub,
        by,
        product_id=product,
        kind=kind,
        grounds="名称写错，予以更正。",
        proof="f" * 64,
        stated={**STATED, RegistrationField.DATA_ROWS: "241"} if kind is RegistrationType.CORRECTION else None,
    )


def _enter(hub: Hub, by: Actor, thing: str, to: AmendmentStatus) -> object:
    product, amendment = thing.split()
    return decide_amendment(hub, by, product_id=product, amendment_id=amendment, to=to, reason=WORDS)


def _amendments(hub: Hub, scene: Scene, product: str) -> None:
    officer, admin = actor(hub, "bureau-officer"), actor(hub, "ky-admin")
    returned = f"{product} {_amend(hub, admin, product).id}"
    _enter(hub, officer, returned, AmendmentStatus.RETURNED)
    scene.put("amendment", "returned", returned)
    scene.put("amendment", "applied", f"{product} {_amend(hub, admin, product).id}")


def _cancel(hub: Hub, product: str) -> None:
    officer, admin = actor(hub, "bureau-officer"), actor(hub, "ky-admin")
    thing = f"{product} {_amend(hub, admin, product, RegistrationType.CANCELLATION).id}"
    for to in (AmendmentStatus.ACCEPTED, AmendmentStatus.ENTERED):
        _enter(hub, officer, thing, to)


def _newest(hub: Hub, kind: Any) -> str:
    with hub.reading() as session:
        return max(session.query(kind.id).all())[0]


SCENES: Mapping[str, Callable[[Path], tuple[Hub, Scene]]] = {
    "everyday": everyday,
    "stopped": stopped,
    "agreements": agreements,
}


_left: dict[str, Scene] = {}


def open_scene(name: str, folder: Path) -> tuple[Hub, Scene]:
    """A copy of a scene, at the time at which it was left."""

    def fill(made: Path) -> Hub:
        hub, _left[name] = SCENES[name](made)
        return hub

    factories.copied(folder, None, f"scene-{name}", fill).database.engine.dispose()
    return open_hub(Settings(state_dir=folder), clock=Watch(_left[name].now)), _left[name]


def things_of(name: str) -> Mapping[str, Mapping[str, str]]:
    """What lies in a scene."""
    if name not in _left:
        with TemporaryDirectory() as folder:
            open_scene(name, Path(folder) / "state")[0].database.engine.dispose()
    return _left[name].things


# -- acts --------------------------------------------------------------------------------------------------------------


def _grant_budget(hub: Hub, by: Actor, licence: str, *, unit: str) -> object:
    return grant_budget(
        hub,
        by,
        licence_id=licence,
        table_id="clinic_visits",
        composition=Composition.PURE,
        unit=unit,
        amount="1",
        delta="0",
        document_ref="2026-17",
    )


def _days(hub: Hub, days: int) -> datetime:
    return hub.clock() + timedelta(days=days)


def _decide_extract(hub: Hub, by: Actor, thing: str, *, approve: bool) -> object:
    with hub.reading() as session:
        digest = session.get_one(ExtractRequest, thing).digest
    return decide_extract(hub, by, request_id=thing, digest=digest, approve=approve, reason=REASON)


def _submit(hub: Hub, by: Actor, thing: str) -> object:
    return submit_export(
        hub,
        by,
        workspace_id=thing,
        slugs=["counts"],
        title="就诊人数",
        reason=WORDS,
        product_form=ProductForm.INDEX,
        screen=factories.screen_here,
    )


def _receive(hub: Hub, by: Actor, _: str) -> object:
    stream = BytesIO(f"a,b\n1,{by.org_id}\n".encode())
    return receive_file(hub, by, stream=stream, name="a.csv", no_state_secret=True, scan=factories.scan_here)


def _cap(hub: Hub, by: Actor, thing: str) -> object:
    return enter_cap(
        hub,
        by,
        product_id=thing,
        unit=ChargeUnit.CALLS,
        yuan="1",
        document_ref="演示价〔2026〕1号",
        decided_on=date(2026, 11, 1),
        review_by=date(2029, 11, 1),
    )


def _income(hub: Hub, by: Actor, thing: str) -> object:
    return permit_income(
        hub,
        by,
        licence_id=thing,
        year=2026,
        yuan="100",
        bond_yield="2",
        profit_rate="5",
        document_ref="演示价〔2026〕2号",
        decided_on=date(2026, 11, 1),
        review_by=date(2029, 11, 1),
    )


def _account(hub: Hub, by: Actor, thing: str) -> object:
    return enter_account(hub, by, licence_id=thing, year=2026, income="1", cost="1", book_ref="账1")


def _contract(hub: Hub, thing: str) -> str:
    with hub.reading() as session:
        return session.get_one(Licence, thing).contract_digest


def _draft(hub: Hub, by: Actor, thing: str) -> object:
    header, items = factories.terms(hub, thing)
    return draft_licence(hub, by, scenario_id=thing, header=header, items=items)


def _revise(hub: Hub, by: Actor, thing: str) -> object:
    with hub.reading() as session:
        scenario = session.get_one(Licence, thing).scenario_id
    header, items = factories.terms(hub, scenario, reviewers=3)
    return revise_licence(hub, by, licence_id=thing, header=header, items=items, reason=WORDS)


def _deliberate(hub: Hub, by: Actor, thing: str) -> object:
    return record_deliberation(
        hub,
        by,
        licence_id=thing,
        digest=_contract(hub, thing),
        meeting="局党组会",
        held_on=hub.clock().date(),
        attendees=("局长", "副局长", "分管负责人"),
        minutes_digest="a" * 64,
    )


def _open_account(hub: Hub, by: Actor, _: str) -> object:
    return appoint_person(
        hub,
        by,
        person_id="new-one",
        name_zh="演示",
        name_en="Demonstration",
        org_id="kangyang",
        roles=frozenset({Role.ANALYST}),
    )


def _responsible(hub: Hub, by: Actor, _: str) -> object:
    return appoint_responsible(
        hub,
        by,
        org_id="mz",
        post=Post.DATA_STEWARD,
        person_id="mz-steward",
        starts_at=hub.clock(),
        ends_at=_days(hub, 300),
        letter_ref="民政〔2026〕3号",
    )


def _act(name: str, entity: str) -> Callable[[Callable[[Hub, Actor, str], object]], Act]:
    def make(do: Callable[[Hub, Actor, str], object]) -> Act:
        return Act(name=name, entity=entity, do=do)

    return make


WALKERS = tuple(
    account
    for account in ACCOUNTS
    if account.id not in ("cg-cdo", "cg-chief", "cg-steward", "tg-admin", "tg-analyst", "wj-cdo", "wj-chief")
)
"""Who tries: every account but those that hold the same role in another body of the same kind and standing."""

ACTS: tuple[Act, ...] = (
    _act("receive_file", ANY)(_receive),
    _act("register_table", ANY)(
        lambda hub, by, _: register_table(
            hub, by, factories.clinic_draft(id="another", owner_org=by.org_id), raw_digest=_raw(hub)
        )
    ),
    _act("publish_table", "table")(lambda hub, by, it: publish_table(hub, by, table_id=it)),
    _act("bar_table", "table")(lambda hub, by, it: mark_state_secret(hub, by, table_id=it, reason=WORDS)),
    _act("file_scenario", ANY)(lambda hub, by, _: _scenario(hub, by)),
    _act("give_opinion", "scenario")(
        lambda hub, by, it: give_opinion(
            hub, by, scenario_id=it, stance=Stance.SUPPORT, compliance=WORDS, security=WORDS
        )
    ),
    _act("decide_scenario:approve", "scenario")(
        lambda hub, by, it: decide_scenario(hub, by, scenario_id=it, approve=True, reason=WORDS)
    ),
    _act("decide_scenario:refuse", "scenario")(
        lambda hub, by, it: decide_scenario(hub, by, scenario_id=it, approve=False, reason=WORDS)
    ),
    _act("decide_consent", "consent")(
        lambda hub, by, it: decide_consent(hub, by, consent_id=it, give=True, reason=WORDS)
    ),
    _act("withdraw_consent", "consent")(lambda hub, by, it: withdraw_consent(hub, by, consent_id=it, reason=WORDS)),
    _act("draft_licence", "scenario")(_draft),
    _act("draft_licence:revise", "licence")(_revise),
    _act("deliberate_licence", "licence")(_deliberate),
    _act("sign_licence", "licence")(
        lambda hub, by, it: sign_licence(hub, by, licence_id=it, digest=_contract(hub, it))
    ),
    _act("file_licence", "licence")(
        lambda hub, by, it: enter_filing(hub, by, licence_id=it, filing_no="备1", filed_on=hub.clock().date())
    ),
    _act("grant_licence", "licence")(lambda hub, by, it: grant_licence(hub, by, licence_id=it)),
    _act("terminate_licence", "licence")(lambda hub, by, it: terminate_licence(hub, by, licence_id=it, reason=WORDS)),
    _act("close_licence", "licence")(lambda hub, by, it: close_licence(hub, by, licence_id=it, typed=it, reason=WORDS)),
    _act("suspend_licence", "licence")(lambda hub, by, it: suspend_licence(hub, by, licence_id=it, reason=WORDS)),
    _act("resume_licence", "licence")(lambda hub, by, it: resume_licence(hub, by, licence_id=it, reason=WORDS)),
    _act("propose_personnel", "licence")(
        lambda hub, by, it: propose_personnel(hub, by, licence_id=it, person_id="ky-newcomer", reason=WORDS)
    ),
    _act("remove_personnel", "licence")(
        lambda hub, by, it: remove_personnel(hub, by, licence_id=it, person_id="ky-expert", reason=WORDS)
    ),
    _act("decide_personnel:acknowledge", "personnel")(
        lambda hub, by, it: decide_personnel(hub, by, change_id=it, acknowledge=True, reason=WORDS)
    ),
    _act("decide_personnel:decline", "personnel")(
        lambda hub, by, it: decide_personnel(hub, by, change_id=it, acknowledge=False, reason=WORDS)
    ),
    _act("request_extract", "licence")(
        lambda hub, by, it: request_extract(
            hub, by, licence_id=it, table_id="clinic_visits", level=ExtractLevel.SYNTHETIC, purpose=PURPOSE
        )
    ),
    _act("grant_budget", "licence")(lambda hub, by, it: _grant_budget(hub, by, it, unit="serial")),
    _act("ask_noisy", "licence")(lambda hub, by, it: ask_noisy(hub, by, licence_id=it, text=QUESTION)),
    _act("open_workspace", "licence")(lambda hub, by, it: open_workspace(hub, by, licence_id=it)),
    _act("permit_income", "licence")(_income),
    _act("enter_account", "licence")(_account),
    _act("decide_extract:approve", "extract_request")(lambda hub, by, it: _decide_extract(hub, by, it, approve=True)),
    _act("decide_extract:refuse", "extract_request")(lambda hub, by, it: _decide_extract(hub, by, it, approve=False)),
    _act("request_extract:withdraw", "extract_request")(
        lambda hub, by, it: withdraw_extract_request(hub, by, request_id=it)
    ),
    _act("build_extract:start", "extract_request")(lambda hub, by, it: start_extract(hub, by, request_id=it)),
    _act("build_extract:run", "extract")(lambda hub, by, it: run_extract(hub, by, extract_id=it)),
    _act("revoke_extract", "extract")(lambda hub, by, it: revoke_extract(hub, by, extract_id=it, reason=REASON)),
    _act("submit_export", "workspace")(_submit),
    _act("request_run", "workspace")(_ask_run),
    _act("request_run:withdraw", "run")(lambda hub, by, it: withdraw_run(hub, by, run_id=it)),
    _act("decide_run:approve", "run")(lambda hub, by, it: _decide_run(hub, by, it, approve=True)),
    _act("decide_run:refuse", "run")(lambda hub, by, it: _decide_run(hub, by, it, approve=False)),
    _act("start_run", "run")(lambda hub, by, it: start_run(hub, by, run_id=it)),
    _act("open_workspace:mount", "workspace")(lambda hub, by, it: mount_extracts(hub, by, workspace_id=it)),
    _act("open_workspace:kernel", "workspace")(lambda hub, by, it: start_kernel(hub, by, workspace_id=it)),
    _act("open_workspace:rung", "workspace")(
        lambda hub, by, it: choose_rung(hub, by, workspace_id=it, table_id="clinic_visits", level=ExtractLevel.FULL)
    ),
    _act("cast_vote:approve", "request")(_vote),
    _act("cast_vote:object", "request")(lambda hub, by, it: _vote(hub, by, it, Decision.OBJECT)),
    _act("withdraw_export", "request")(lambda hub, by, it: withdraw_export(hub, by, request_id=it)),
    _act("look_at_files", "request")(lambda hub, by, it: look_at_files(hub, by, request_id=it)),
    _act("deliver_release", "request")(
        lambda hub, by, it: deliver_release(hub, by, request_id=it, recipient_id="ky-admin")
    ),
    _act("deliver_release:grant", "request")(
        lambda hub, by, it: issue_grant(hub, by, request_id=it, recipient_id="ky-admin")
    ),
    _act("discard_evidence", "request")(lambda hub, by, it: discard_evidence(hub, by, request_id=it)),
    _act("redeem_grant", "grant")(lambda hub, by, it: redeem_grant(hub, by, request_id=it)),
    _act("redeem_grant:by_address", "request")(lambda hub, by, it: redeem_grant(hub, by, request_id=it)),
    _act("describe_product:propose", "request")(_propose),
    _act("describe_product:apply", "product")(
        lambda hub, by, it: apply_registration(hub, by, product_id=it, stated=STATED)
    ),
    *(
        _act(f"decide_registration:{to.value}", "product")(
            lambda hub, by, it, to=to: decide_registration(  # type: ignore[misc]
                hub, by, product_id=it, to=to, reason=WORDS
            )
        )
        for to in RegistrationStatus
        if to is not S.APPLIED
    ),
    _act("describe_product:amend", "product")(_amend),
    _act("decide_registration:amendment", "amendment")(
        lambda hub, by, it: _enter(hub, by, it, AmendmentStatus.ACCEPTED)
    ),
    _act("raise_objection", "product")(_object),
    _act("decide_objection", "objection")(lambda hub, by, it: _judge(hub, by, it, ObjectionStatus.DISMISSED)),
    _act("set_price", "product")(
        lambda hub, by, it: set_price(hub, by, product_id=it, unit=ChargeUnit.CALLS, yuan="1")
    ),
    _act("enter_cap", "product")(_cap),
    _act("meter_usage", "product")(
        lambda hub, by, it: meter_usage(
            hub,
            by,
            product_id=it,
            unit=ChargeUnit.CALLS,
            amount=1,
            first=hub.clock().date(),
            last=hub.clock().date(),
        )
    ),
    *(
        _act(f"publish_paper:{kind.value}", ANY)(
            lambda hub, by, _, kind=kind: publish_paper(hub, by, kind=kind, year=2026)  # type: ignore[misc]
        )
        for kind in PaperKind
    ),
    _act("appoint_person", ANY)(_open_account),
    _act("found_organisation", ANY)(
        lambda hub, by, _: found_organisation(
            hub, by, org_id="o-new", name_zh="演示", name_en="Demonstration", kind=OrgKind.DEPARTMENT
        )
    ),
    _act("move_organisation:admit", "organisation")(_admit),
    _act("move_organisation:dissolve", "organisation")(
        lambda hub, by, it: move_organisation(hub, by, org_id=it, to=OrganisationStatus.DISSOLVED)
    ),
    _act("change_roles", "person")(
        lambda hub, by, it: change_roles(hub, by, person_id=it, roles=frozenset({Role.LICENSEE_ADMIN}))
    ),
    _act("close_account", "person")(lambda hub, by, it: close_account(hub, by, person_id=it)),
    _act("declare_interests", "person")(
        lambda hub, by, it: declare_interests(hub, by, person_id=it, interests=frozenset({"kangyang"}))
    ),
    _act("reset_sign_in", "person")(lambda hub, by, it: reset_sign_in(hub, by, person_id=it)),
    _act("end_sessions", "person")(lambda hub, by, it: sign_out_person(hub, by, person_id=it)),
    _act("record_training", "person")(
        lambda hub, by, it: record_training(
            hub, by, person_id=it, trained_until=_days(hub, 9), confidentiality_until=_days(hub, 9)
        )
    ),
    _act("decide_change:confirm", "change")(lambda hub, by, it: confirm_change(hub, by, change_id=it)),
    _act("decide_change:decline", "change")(lambda hub, by, it: decline_change(hub, by, change_id=it)),
    _act("appoint_responsible", ANY)(_responsible),
    _act("end_appointment", "appointment")(lambda hub, by, it: end_appointment(hub, by, appointment_id=it)),
)
