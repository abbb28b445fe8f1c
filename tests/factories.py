"""One factory a noun. States are reached through the actions of the hub, never by assignment.

The small district's table is generated here: 240 invented rows, a running number as identifier. Scans and machine
checks run in this process instead of in a box, so that thousands of walks can be walked; that they hold in a box is
tested where the boxes are.
"""

from __future__ import annotations

import atexit
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from anonymize.detect import scan_table
from anonymize.screen import screen_files
from anonymize.table import read_table
from hub.catalog.actions import publish_table, register_table
from hub.catalog.model import ColumnClass, Grade, OpenType, ShareType, UpdateCycle
from hub.catalog.rules import ColumnDraft, TableDraft
from hub.context import Hub, open_hub
from hub.db import KEY, Base
from hub.demo.agreement import conclude, proposal
from hub.demo.ladder import approved, climb
from hub.demo.licences import give_opinions
from hub.demo.people import appoint_cast
from hub.extracts.actions import start_extract
from hub.extracts.model import Extract
from hub.gate.actions import submit_export
from hub.gate.model import ExportRequest
from hub.gate.screening import Report, read_report
from hub.intake.actions import receive_file
from hub.licensing.actions import decide_scenario, file_scenario
from hub.licensing.model import ExtractLevel, Lane, Licence, LicenceStatus, ProductForm
from hub.people.actions import find_person
from hub.people.actor import Actor
from hub.register.model import RegistrationField
from hub.runs.actions import Runner, decide_run, perform_run, request_run, start_run
from hub.runs.model import RunOrder
from hub.settings import Settings
from hub.workspaces.actions import Room, open_workspace, workspace_dir
from sandbox.sealed import run_sealed
from tests.postgres_house import Postgres

NOW = datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)

POLICY = """
format = 1
name = "clinic_visits"
version = "1"
[target]
k = 5
suppression_limit = 0.2
[columns.serial]
class = "direct_id"
technique = "drop"
reason = { zh = "不需要", en = "not needed" }
[columns.street]
class = "quasi_id"
technique = "keep"
reason = { zh = "按街道统计", en = "counted by street" }
[columns.band]
class = "quasi_id"
technique = "keep"
reason = { zh = "按年龄段统计", en = "counted by age band" }
[columns.visits]
class = "sensitive_attr"
technique = "keep"
reason = { zh = "统计对象", en = "what is counted" }
[columns.cost]
class = "sensitive_attr"
technique = "keep"
reason = { zh = "统计对象", en = "what is summed" }
"""


STATED = {
    RegistrationField.CONTACT: "数据部 021-00000000",
    RegistrationField.DATA_FROM: "2026-01-01",
    RegistrationField.DATA_UNTIL: "2026-10-31",
    RegistrationField.DATA_ROWS: "240",
    RegistrationField.DATA_UPDATE: "yearly",
    RegistrationField.VERSION: "1.0",
    RegistrationField.INPUT: "街道和年龄段",
    RegistrationField.OUTPUT: "就诊次数指数",
    RegistrationField.DELIVERY: "file",
    RegistrationField.UPDATE: "yearly",
    RegistrationField.RISK_REPORT: "a" * 64,
    RegistrationField.RISK_LEVEL: "low",
    RegistrationField.RISK_DATE: "2026-11-01",
}
"""What an operator states when it applies for a registration."""


class Watch:
    """A clock that tests move."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **delta: int) -> None:
        self.now += timedelta(**delta)


def district(folder: Path, *, clock: Callable[[], datetime] | None = None) -> Hub:
    """A hub on its own state with the demonstration organisations and accounts, and nothing else."""
    return copied(folder, clock, "district", _appointed)


def working(folder: Path, *, clock: Callable[[], datetime] | None = None) -> Hub:
    """The same, with licence l-0001 of 30 days, its extract issued, and the workspace of ky-analyst opened."""
    return copied(folder, clock, "working", _opened)


def room(hub: Hub) -> Room:
    """The workspace of a `working` district."""
    return open_workspace(hub, actor(hub, "ky-analyst"), licence_id="l-0001")


_made: dict[tuple[str, str], Settings] = {}
server: Postgres | None = None
"""Where the states of a test are kept: set by the fixture `either_database`; None: SQLite in their folder."""


def copied(folder: Path, clock: Callable[[], datetime] | None, name: str, fill: Callable[[Path], Hub]) -> Hub:
    """States take seconds to reach (passwords are hashed, extracts built): each is reached once and then copied."""
    kept_on = str(server.folder) if server else ""
    if (name, kept_on) not in _made:
        made = Path(tempfile.mkdtemp(prefix=f"zhakou-{name}-"))
        atexit.register(shutil.rmtree, made, ignore_errors=True)
        hub = fill(made / "state")
        hub.database.engine.dispose()
        _made[name, kept_on] = hub.settings
    like = _made[name, kept_on]
    shutil.copytree(like.state_dir, folder)
    return open_hub(empty(folder, like=_database_of(like) or "template0"), clock=clock or Watch())


def _database_of(settings: Settings) -> str:
    return (make_url(settings.database_url).database or "") if settings.database_url else ""


def templates() -> set[str]:
    """Databases that later tests copy."""
    return {_database_of(one) for one in _made.values()}


def empty(folder: Path, *, like: str = "template0") -> Settings:
    """On SQLite in the folder, or on a fresh database of the server the test runs on."""
    return Settings(state_dir=folder, database_url=server.address(server.new_database(like=like)) if server else "")


def _appointed(folder: Path) -> Hub:
    hub = open_hub(empty(folder), clock=Watch())
    appoint_cast(hub)
    return hub


def _opened(folder: Path) -> Hub:
    hub = district(folder)
    opened(hub)
    return hub


def seal_anew(hub: Hub) -> None:
    """What someone does who changed rows by hand and stole the key of the seals."""
    engine = hub.database.engine.execution_options(writing=True)
    with Session(engine, info={KEY: hub.keys.rows()}) as session, session.begin():
        for mapper in Base.registry.mappers:
            if mapper.class_.is_sealed:
                for row in session.scalars(select(mapper.class_)).unique():
                    flag_modified(row, "row_seal")


def actor(hub: Hub, person_id: str) -> Actor:
    return find_person(hub, person_id).actor


def clinic_csv() -> bytes:
    lines = ["serial,street,band,visits,cost"]
    lines += [f"N{n:05d},S{n % 3},{20 + 10 * (n % 4)}-,{(n * 7) % 23},{(n * 7919) % 99991 / 100}" for n in range(240)]
    return ("\n".join(lines) + "\n").encode()


def clinic_draft(**changes: Any) -> TableDraft:
    columns = (
        ("serial", ColumnClass.DIRECT_ID, Grade.L3),
        ("street", ColumnClass.QUASI_ID, Grade.L2),
        ("band", ColumnClass.QUASI_ID, Grade.L2),
        ("visits", ColumnClass.SENSITIVE_ATTR, Grade.L3),
        ("cost", ColumnClass.SENSITIVE_ATTR, Grade.L3),
    )
    given: dict[str, Any] = {
        "id": "clinic_visits",
        "title_zh": "演示就诊",
        "title_en": "Demonstration visits",
        "description": "演示数据,与真实个人和企业无关。",
        "owner_org": "mz",
        "share_type": ShareType.AUTHORIZED,
        "share_basis": "个人信息保护法 第二十八条",
        "open_type": OpenType.NONE,
        "open_basis": "个人信息保护法 第二十八条",
        "update_cycle": UpdateCycle.YEARLY,
        "state_secret": False,
        "columns": tuple(
            ColumnDraft(name=name, name_zh=name, column_class=cls, grade=grade) for name, cls, grade in columns
        ),
    }
    return TableDraft(**{**given, **changes})


def scan_here(path: Path) -> dict[str, Any]:
    """The column scan, in this process."""
    return scan_table(read_table(path)).as_json()


def screen_here(*, files: Sequence[tuple[str, Path]], extracts: Sequence[Path]) -> Report:
    """The machine checks, in this process, on copies under their own names."""
    with tempfile.TemporaryDirectory() as folder:
        named = []
        for name, path in files:
            copy = Path(folder) / name
            copy.write_bytes(path.read_bytes())
            named.append(copy)
        verdict = screen_files(named, extracts=list(extracts))
    code = 24 if verdict.verdict == "block" else 0
    document = json.dumps(verdict.as_json("en")).encode()
    return read_report(code, document, names={name for name, _ in files})


def registered(hub: Hub, **changes: Any) -> str:
    steward = actor(hub, "mz-steward")
    raw = receive_file(
        hub, steward, stream=io.BytesIO(clinic_csv()), name="clinic.csv", no_state_secret=True, scan=scan_here
    )
    return register_table(hub, steward, clinic_draft(**changes), raw_digest=raw.digest).id


def published(hub: Hub, **changes: Any) -> str:
    return publish_table(hub, actor(hub, "bureau-officer"), table_id=registered(hub, **changes)).id


def approved_scenario(hub: Hub, *, lane: Lane = Lane.PUBLIC, table_ids: Sequence[str] = ()) -> str:
    """A scenario of kangyang on the clinic's table, or on `table_ids`, with its three opinions."""
    tables = list(table_ids) or [published(hub)]
    officer = actor(hub, "bureau-officer")
    scenario = file_scenario(
        hub,
        actor(hub, "ky-admin"),
        title="演示场景",
        purpose="按街道统计就诊次数,用于站点规划。",
        lane=lane,
        table_ids=tables,
    )
    give_opinions(hub, scenario.id)
    decide_scenario(hub, officer, scenario_id=scenario.id, approve=True, reason="用途明确。")
    return scenario.id


def licensed(
    hub: Hub,
    *,
    days: int = 30,
    reviewers: int = 2,
    policy: str = POLICY,
    lane: Lane = Lane.PUBLIC,
    full_in_workspace: bool = True,
) -> Licence:
    return agreed(
        hub,
        approved_scenario(hub, lane=lane),
        days=days,
        reviewers=reviewers,
        policy=policy,
        full_in_workspace=full_in_workspace,
    )


def agreed(
    hub: Hub,
    scenario_id: str = "s-0001",
    *,
    changes: Mapping[str, object] | None = None,
    until: LicenceStatus = LicenceStatus.ACTIVE,
    **given: Any,
) -> Licence:
    """A licence on an approved scenario, taken as far as `until`.

    Args:
        changes: Fields of the agreement by their place: `items.term.ends_at`, `header.authority`.
    """
    header, items = terms(hub, scenario_id, **given)
    for place, value in (changes or {}).items():
        put_in({"header": header, "items": items}, place, value)
    return conclude(hub, scenario_id=scenario_id, header=header, items=items, until=until)


def put_in(said: Any, place: str, value: object) -> None:
    """Put a value into nested names and lists: `items.scope.tables.0.policy`."""
    first, _, rest = place.partition(".")
    key: Any = int(first) if first.isdecimal() else first
    if rest:
        put_in(said[key], rest, value)
    else:
        said[key] = value


def terms(
    hub: Hub,
    scenario_id: str,
    *,
    days: int = 30,
    reviewers: int = 2,
    policy: str = POLICY,
    full_in_workspace: bool = True,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and items of an agreement on the clinic's table: as proposed, with room for many exports."""
    header, items = proposal(
        hub,
        scenario_id=scenario_id,
        policies={"clinic_visits": policy},
        columns={"clinic_visits": ("street", "band", "visits", "cost")},
        starts_at=hub.clock(),
        ends_at=hub.clock() + timedelta(days=days),
        reviewers=reviewers,
        document_ref="演示〔2026〕9号",
        full_in_workspace=full_in_workspace,
    )
    items["other"]["exports_per_week"] = 50
    return header, items


def extracted(hub: Hub, **terms: Any) -> Extract:
    licence = licensed(hub, **terms)
    return built(hub, licence.id)


def built(hub: Hub, licence_id: str, level: ExtractLevel = ExtractLevel.FULL) -> Extract:
    """A rung of the clinic's table, asked for, approved and built."""
    return climb(hub, licence_id=licence_id, table_id="clinic_visits", level=level, requester="ky-analyst")


def begun(hub: Hub, licence_id: str, level: ExtractLevel = ExtractLevel.FULL) -> Extract:
    """A rung of the clinic's table, approved, its build begun and not run."""
    request = approved(hub, licence_id=licence_id, table_id="clinic_visits", level=level, requester="ky-analyst")
    return start_extract(hub, actor(hub, "centre-operator"), request_id=request.id)


def opened(hub: Hub, **terms: Any) -> Room:
    return open_workspace(hub, actor(hub, "ky-analyst"), licence_id=extracted(hub, **terms).licence_id)


SAFE = b"street,n\nS0,80\nS1,80\nS2,80\n"


def put(hub: Hub, room: Room, *, slug: str = "counts", payload: bytes = SAFE, name: str = "counts.csv") -> str:
    """An item of the outbox as the kit in the workspace writes it."""
    folder = workspace_dir(hub, room.workspace_id) / "outbox" / slug
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(payload)
    about = {"title": "就诊人数", "reason": "按街道汇总", "created_at": NOW.isoformat(), "payload": name}
    (folder / "about.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
    return slug


TABULATE = (
    "from zhakou import data, outbox",
    """
counts = data.load("clinic_visits").group_by("street").len(name="n")
outbox.put(counts, title="就诊人数", reason="按街道汇总", name="counts")
""",
)
"""Cells of a notebook whose output may leave."""


def notebook(*cells: str) -> bytes:
    """A notebook as JupyterLab saves it, without outputs."""
    said = [
        {"cell_type": "code", "execution_count": None, "id": f"c{n}", "metadata": {}, "outputs": [], "source": cell}
        for n, cell in enumerate(cells)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {"cells": said, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, ensure_ascii=False).encode()


def save(hub: Hub, room: Room, content: bytes, *, name: str = "run.ipynb") -> str:
    """A notebook at the top of the workspace, as JupyterLab writes it."""
    home = workspace_dir(hub, room.workspace_id) / "home"
    home.mkdir(parents=True, exist_ok=True)
    (home / name).write_bytes(content)
    return name


def ordered(hub: Hub, room: Room, content: bytes = b"", **given: Any) -> RunOrder:
    """A sealed run, asked for and in review."""
    asked: dict[str, Any] = {
        "notebook": save(hub, room, content or notebook(*TABULATE)),
        "title": "按街道就诊人数",
        "purpose": "汇总表,每格八十人,可以出域。",
        "outputs": ["counts.csv"],
        "product_form": ProductForm.INDEX,
    }
    return request_run(hub, actor(hub, "ky-analyst"), workspace_id=room.workspace_id, **(asked | given))


def cleared(hub: Hub, room: Room, content: bytes = b"", **given: Any) -> RunOrder:
    """A sealed run whose code was approved."""
    run = ordered(hub, room, content, **given)
    return decide_run(
        hub,
        actor(hub, "bureau-reviewer"),
        run_id=run.id,
        digest=run.digest,
        approve=True,
        reason="逐行看过,只输出汇总。",
    )


def performed(hub: Hub, room: Room, content: bytes = b"", *, runner: Runner = run_sealed, **given: Any) -> RunOrder:
    """A sealed run from its request to its end; the machine checks run in this process, the code in a box."""
    run = cleared(hub, room, content, **given)
    start_run(hub, actor(hub, "centre-operator"), run_id=run.id)
    return perform_run(hub, run_id=run.id, runner=runner, screen=screen_here, pause=lambda _: None)


def submitted(hub: Hub, room: Room, *, slugs: Sequence[str] | None = None, **given: Any) -> ExportRequest:
    return submit_export(
        hub,
        actor(hub, "ky-analyst"),
        workspace_id=room.workspace_id,
        slugs=list(slugs) if slugs is not None else [put(hub, room)],
        title="按街道就诊人数",
        reason="汇总表,每格八十人,可以出域。",
        screen=screen_here,
        **{"product_form": ProductForm.INDEX, **given},
    )
