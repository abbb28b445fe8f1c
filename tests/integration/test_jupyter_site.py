"""A whole site: hub, proxy, portal and a confined workspace, started by `zhakou serve`, killed, and started again."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.integration.jupyter_house import Site, Visitor, below, process_table, within

ANALYST, LICENCE, EXPIRED = "ky-analyst", "l-0002", "l-0001"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("s"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def analyst(site: Site) -> Visitor:
    visitor = Visitor(site)
    assert visitor.sign_in(ANALYST, site.password).status == 200
    return visitor


def ledger_kinds(site: Site) -> list[str]:
    from hub.context import open_hub
    from hub.ledger.actions import read_entries
    from hub.settings import Settings

    hub = open_hub(Settings(state_dir=site.state))
    with hub.reading() as session:
        kinds = [entry.kind for entry in read_entries(session, limit=500)]
    hub.database.engine.dispose()
    return kinds


def test_address_and_accounts_are_printed_once_a_person_can_open_them(site: Site) -> None:
    assert f"{site.address}/" in site.said
    assert ANALYST in site.said
    assert site.password in site.said


def test_the_root_leads_to_the_sign_in_page_in_both_languages(site: Site) -> None:
    page = Visitor(site).get("/")
    assert page.status == 200
    assert "/hub/login" in page.address
    assert 'lang="zh-CN">登录' in page.text
    assert 'lang="en">Sign in' in page.text


def test_a_wrong_password_is_refused_in_words(site: Site) -> None:
    page = Visitor(site).sign_in(ANALYST, "wrong")
    assert page.status == 403
    assert "Name, password or one-time code is wrong" in page.text


def test_signing_in_leads_to_the_portal(site: Site) -> None:
    page = Visitor(site).sign_in(ANALYST, site.password)
    assert (page.status, page.address) == (200, f"{site.address}/services/portal/")


def test_an_expired_licence_refuses_the_workspace_with_its_reason(site: Site) -> None:
    visitor = Visitor(site)
    visitor.sign_in("ps-analyst", site.password)
    page = visitor.open_workspace("ps-analyst", EXPIRED)
    assert page.status == 403
    assert "licence.expired" in page.text
    assert "workspace.opened" not in ledger_kinds(site)


def test_a_workspace_without_a_licence_is_refused(analyst: Visitor) -> None:
    page = analyst.get("/hub/spawn")
    assert page.status == 403
    assert "workspace.no_licence" in page.text


@pytest.mark.parametrize("path", ["/hub/spawn/ky-admin/l-0002", "/hub/admin", "/hub/api/users", "/hub/api/proxy"])
def test_others_servers_and_the_administration_of_jupyterhub_are_closed(analyst: Visitor, path: str) -> None:
    assert analyst.get(path).status in (403, 404)


def test_the_workspace_opens_lab_and_refuses_files_and_terminals(analyst: Visitor, site: Site) -> None:
    lab = analyst.open_workspace(ANALYST, LICENCE)
    assert lab.status == 200
    assert lab.address.startswith(f"{site.address}/user/{ANALYST}/{LICENCE}/lab")
    assert "JupyterLab" in lab.text
    assert analyst.get(f"/user/{ANALYST}/{LICENCE}/api/status").status == 200
    for path in ("files/x", "terminals/1", "api/terminals", "nbconvert/html/x.ipynb"):
        assert analyst.get(f"/user/{ANALYST}/{LICENCE}/{path}").status in (403, 404), path
    assert {"workspace.opened", "extract.mounted"} <= set(ledger_kinds(site))


def test_someone_else_does_not_get_into_it(analyst: Visitor, site: Site) -> None:
    assert analyst.open_workspace(ANALYST, LICENCE).status == 200
    other = Visitor(site)
    other.sign_in("bureau-officer", site.password)
    assert other.get(f"/user/{ANALYST}/{LICENCE}/lab").status in (403, 404)


def test_private_state_is_private(site: Site) -> None:
    private = site.state / "jupyterhub"
    assert private.stat().st_mode & 0o777 == 0o700
    for name in ("jupyterhub.sqlite", "cookie_secret", "hub.log"):
        assert (private / name).stat().st_mode & 0o077 == 0, name


def test_a_second_server_on_this_state_is_refused(site: Site) -> None:
    done = subprocess.run(site.command("serve"), env=site.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 22
    assert "serve.twice" in done.stderr
    assert f":{site.ports[0]}/" in done.stderr


def test_a_taken_port_is_named_with_the_setting_that_moves_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Site(tmp_path_factory.mktemp("p"))
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", other.ports[0]))
        squatter.listen()
        done = subprocess.run(
            other.command("serve"), env=other.environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 22
    assert "ZHAKOU_PUBLIC_PORT" in done.stderr
    assert "serve.port_taken" in done.stderr


def test_a_killed_hub_leaves_no_orphan_and_the_next_one_finds_the_workspace(site: Site) -> None:
    analyst = Visitor(site)
    analyst.sign_in(ANALYST, site.password)
    assert analyst.open_workspace(ANALYST, LICENCE).status == 200
    assert site.process is not None
    started = below(site.process.pid)
    proxy_or_service = [pid for pid, line in started.items() if "supervise" not in line and "bwrap" not in line]
    assert any("configurable-http-proxy" in started[pid] for pid in proxy_or_service)
    assert any("hub.web.serve" in started[pid] for pid in proxy_or_service)
    orphans_to_be = [
        pid
        for pid in proxy_or_service
        if any(word in started[pid] for word in ("configurable-http", "hub.web", "culler"))
    ]
    os.kill(site.hub_pid, signal.SIGKILL)
    assert site.process.wait(timeout=20) != 0
    assert within(10, lambda: not set(orphans_to_be) & process_table().keys())

    site.start()
    again = Visitor(site)
    again.sign_in(ANALYST, site.password)
    found = again.get(f"/user/{ANALYST}/{LICENCE}/lab")
    assert (found.status, "/hub/" in found.address) == (200, False)
    assert again.get(f"/user/{ANALYST}/{LICENCE}/api/status").status == 200
    assert "still running" in (site.state / "jupyterhub/hub.log").read_text()

    assert again.stop_workspace(ANALYST, LICENCE).status in (202, 204)
    assert within(20, lambda: ledger_kinds(site)[0] == "workspace.closed")
    left = [line for _, line in process_table().values() if str(site.state) in line]
    assert all("serve" in line or "jupyterhub" in line for line in left), left


def test_a_stop_ends_everything_in_order(site: Site) -> None:
    assert site.process is not None
    started = set(below(site.process.pid)) | {site.process.pid}
    assert site.stop() == 0
    assert within(20, lambda: not started & process_table().keys())


def test_the_ledger_holds_and_a_changed_one_is_named(site: Site) -> None:
    verify = site.command("ledger", "verify", "--json")
    done = subprocess.run(verify, env=site.environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["holds"] is True
