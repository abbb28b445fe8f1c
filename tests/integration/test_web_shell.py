"""The portal's door: who comes in, who does not, and what every answer carries."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi.routing import APIRoute

from hub.web.app import ROOMS
from hub.web.entrance import BROWSER_COOKIE
from hub.web.guards import CONTENT_POLICY, FORM_BYTES
from hub.web.visit import SESSION_COOKIE
from tests.integration.web_house import PREFIX, House, build_hub, open_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(build_hub(tmp_path_factory.mktemp("portal"))) as house:
        yield house


def test_stranger_is_sent_to_log_in_and_comes_back_to_the_page_asked_for(house: House) -> None:
    browser = house.stranger()
    sent = browser.get("?x=1")
    assert sent.status_code == 303
    assert sent.headers["location"] == f"{PREFIX}login?next=/services/portal/%3Fx%3D1"
    begun = browser.client.get(sent.headers["location"])
    state = begun.headers["location"].split("state=")[1]
    back = browser.client.get(f"{PREFIX}oauth_callback", params={"code": house.login.agree("analyst"), "state": state})
    assert back.headers["location"] == f"{PREFIX}?x=1"
    assert browser.get("").status_code == 200


def test_session_cookie_is_out_of_reach_of_scripts_and_of_other_paths(house: House) -> None:
    cookie = house.stranger().log_in("analyst").headers.get_list("set-cookie")[0].lower()
    assert cookie.startswith(f"{SESSION_COOKIE}=")
    for part in ("httponly", "samesite=lax", f"path={PREFIX}"):
        assert part in cookie


def test_hub_token_never_reaches_the_browser(house: House) -> None:
    browser = house.stranger()
    answer = browser.log_in("analyst")
    token = next(reversed(house.login.tokens))
    assert token not in answer.text + str(answer.headers)
    assert token not in browser.get("").text


@pytest.mark.parametrize("state", ["", "forged"])
def test_callback_with_a_state_nobody_began_logs_nobody_in(house: House, state: str) -> None:
    browser = house.stranger()
    browser.client.get(f"{PREFIX}login")
    answer = browser.client.get(
        f"{PREFIX}oauth_callback", params={"code": house.login.agree("analyst"), "state": state}
    )
    assert answer.status_code == 403
    assert "login.refused" in answer.text
    assert browser.get("").status_code == 303


def test_login_begun_in_one_browser_cannot_be_finished_in_another(house: House) -> None:
    victim, attacker = house.stranger(), house.stranger()
    state = attacker.client.get(f"{PREFIX}login").headers["location"].split("state=")[1]
    code = house.login.agree("analyst")
    victim.client.get(f"{PREFIX}login")
    answer = victim.client.get(f"{PREFIX}oauth_callback", params={"code": code, "state": state})
    assert answer.status_code == 403
    assert victim.get("").status_code == 303


def test_state_works_once(house: House) -> None:
    browser = house.stranger()
    state = browser.client.get(f"{PREFIX}login").headers["location"].split("state=")[1]
    kept = browser.client.cookies[BROWSER_COOKIE]
    for wanted in (303, 403):
        code = house.login.agree("analyst")
        headers = {"cookie": f"{BROWSER_COOKIE}={kept}"}
        answer = httpx.get(
            f"{house.address}{PREFIX}oauth_callback",
            params={"code": code, "state": state},
            headers=headers,
            trust_env=False,
        )
        assert answer.status_code == wanted


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/hub/logout",
        "/services/portal/../../hub/logout",
        "/services/portal\\x",
    ],
)
def test_login_never_leads_out_of_the_portal(house: House, target: str) -> None:
    browser = house.stranger()
    begun = browser.client.get(f"{PREFIX}login", params={"next": target})
    state = begun.headers["location"].split("state=")[1]
    code = house.login.agree("analyst")
    answer = browser.client.get(f"{PREFIX}oauth_callback", params={"code": code, "state": state})
    assert answer.headers["location"] == PREFIX


def test_revoked_token_ends_the_session(house: House) -> None:
    browser = house.browser_of("analyst")
    house.login.tokens.clear()
    assert browser.get("").status_code == 303


def test_silent_hub_lets_nobody_in(house: House) -> None:
    browser = house.browser_of("analyst")
    house.login.answers = False
    try:
        answer = browser.get("")
    finally:
        house.login.answers = True
    assert answer.status_code == 503
    assert "login.unreachable" in answer.text


def test_person_without_an_account_is_refused_in_words(house: House) -> None:
    answer = house.browser_of("nobody-here").get("")
    assert answer.status_code == 403
    assert "account.missing" in answer.text


def test_logging_out_ends_the_session_and_leads_to_the_hub(house: House) -> None:
    browser = house.browser_of("analyst")
    browser.get("")
    answer = browser.post("logout")
    assert answer.headers["location"] == "/hub/logout"
    assert browser.get("").status_code == 303


def test_form_without_the_sessions_own_token_is_refused(house: House) -> None:
    browser, other = house.browser_of("admin"), house.browser_of("officer")
    other.get("")
    assert other.csrf
    for token in ("", "x" * 43, other.csrf):
        answer = browser.post("licences/scenarios", {"csrf_token": token})
        assert answer.status_code == 403
        assert "form.stale" in answer.text
    browser.get("")
    assert browser.post("licences/scenarios").status_code == 422


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {},
    ],
)
def test_form_from_elsewhere_is_refused(house: House, headers: dict[str, str]) -> None:
    browser = house.browser_of("steward")
    browser.get("")
    answer = browser.client.post(f"{PREFIX}logout", data={"csrf_token": browser.csrf}, headers=headers)
    assert answer.status_code == 403
    assert browser.get("").status_code == 200


def test_form_of_a_browser_that_sends_only_the_origin_is_taken(house: House) -> None:
    browser = house.browser_of("steward")
    browser.get("")
    answer = browser.client.post(
        f"{PREFIX}logout", data={"csrf_token": browser.csrf}, headers={"origin": house.address}
    )
    assert answer.status_code == 303


@pytest.mark.parametrize("path", ["", "no-such-page", "static/portal.css", "login", "health"])
def test_every_answer_carries_the_security_headers(house: House, path: str) -> None:
    headers = house.browser_of("analyst").get(path).headers
    assert headers["content-security-policy"] == CONTENT_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_policy_allows_no_inline_script_or_style_and_no_framing() -> None:
    assert "unsafe" not in CONTENT_POLICY
    assert "frame-ancestors 'none'" in CONTENT_POLICY


def test_body_larger_than_a_form_is_refused_whether_announced_or_not(house: House) -> None:
    browser = house.browser_of("steward")
    browser.get("")
    announced = browser.post("logout", {"title": "x" * (FORM_BYTES + 1)})
    assert announced.status_code == 413
    pieces = (b"x" * 65536 for _ in range(FORM_BYTES // 65536 + 2))
    headers = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
    streamed = browser.client.post(f"{PREFIX}logout", content=pieces, headers=headers)
    assert streamed.status_code == 413
    assert "web.body_too_large" in streamed.text
    assert browser.get("").status_code == 200


def test_every_page_of_a_room_stands_behind_the_guard(house: House) -> None:
    browser = house.stranger()
    routes = [route for room in ROOMS for route in room.routes if isinstance(route, APIRoute)]
    assert len(routes) >= len(ROOMS)
    for route in routes:
        path = re.sub(r"\{[^}]*\}", "x", route.path).lstrip("/")
        for method in route.methods:
            answer = browser.get(path) if method == "GET" else browser.post(path)
            assert answer.status_code == (303 if method == "GET" else 401), (method, route.path)


def test_unknown_address_is_not_found_in_words(house: House) -> None:
    answer = house.browser_of("analyst").get("no-such-page")
    assert answer.status_code == 404
    assert "not_found" in answer.text


def test_generated_documentation_is_not_served(house: House) -> None:
    browser = house.stranger()
    for path in ("/docs", "/openapi.json", "/redoc"):
        assert browser.client.get(path).status_code == 404


def test_page_is_chinese_until_the_reader_chooses_english(house: House) -> None:
    browser = house.browser_of("analyst")
    chinese = browser.get("").text
    assert '<html lang="zh-CN">' in chinese
    assert "数据目录" in chinese
    chosen = browser.get("language/en", params={"back": f"{PREFIX}?x=1"})
    assert chosen.headers["location"] == f"{PREFIX}?x=1"
    english = browser.get("").text
    assert '<html lang="en">' in english
    assert "Data catalog" in english
    assert "数据目录" not in english


def test_language_switch_never_leads_out_of_the_portal(house: House) -> None:
    answer = house.stranger().get("language/en", params={"back": "https://evil.example/"})
    assert answer.headers["location"] == PREFIX


def test_portal_serves_its_own_look_only(house: House) -> None:
    css = house.stranger().get("static/portal.css").text
    assert "http" not in css.replace("http://www.w3.org", "")
    assert "@import" not in css
