"""Five calls pass the gateway; whatever is not one of them byte for byte does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.jupyter.gateway import MAX_BODY, Call, Caller, Refused, read_head, refuse_unless_allowed

ANA = Caller(user="ana", client_id="jupyterhub-user-ana-l-0001")
TOKEN_BODY = b"client_id=jupyterhub-user-ana-l-0001&code=x&grant_type=authorization_code"
ALLOWED = [
    ("GET", "/hub/api", b""),
    ("GET", "/hub/api/user", b""),
    ("POST", "/hub/api/oauth2/token", TOKEN_BODY),
    ("POST", "/hub/api/users/ana/activity", b"{}"),
    ("POST", "/zhakou/kernels", b""),
]
PATHS = [
    "/hub/api/", "/hub/api/users", "/hub/api/users/ben/activity", "/hub/api/users/ana", "/hub/api/users/ana/tokens",
    "/hub/api/user/../users", "/hub/api/user%2f..%2fusers", "/hub/api/user/%2e%2e/users",
    "/hub/api/users/ana/../ben/activity",
    "/hub/api/users/ana%2factivity", "/hub/api/users/ANA/activity", "/hub/api/users/ana/activity/", "//hub/api/user",
    "/hub//api/user", "/hub/api/user/", "/hub/api/user?x=1", "/hub/api/user#", "/hub/api/user;a", "/hub/api/groups",
    "/hub/api/proxy", "/hub/api/services", "/hub/api/info", "/hub/api/shutdown", "/hub/api/oauth2/authorize",
    "/hub/api/authorizations/token/x", "/hub/api/metrics", "/hub/metrics", "/hub/login", "/hub/health",
    "/hub/static/x.js",
    "/services/portal/", "/", "/hub/api/user\\..\\users", "http://127.0.0.1:8001/api/routes",
    "/hub/api/users/ana/server",
    "/zhakou/kernels/", "/zhakou/kernels?workspace=w-0002", "/zhakou/Kernels", "/hub/zhakou/kernels",
    "/zhakou", "/zhakou/licences", "//zhakou/kernels",
]  # fmt: skip


def call(method: str, path: str, body: bytes = b"") -> Call:
    return Call(method=method, path=path, headers={}, length=len(body))


@pytest.mark.parametrize(("method", "path", "body"), ALLOWED)
def test_the_five_calls_pass(method: str, path: str, body: bytes) -> None:
    refuse_unless_allowed(call(method, path, body), body, ANA)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_paths_are_refused(method: str, path: str) -> None:
    with pytest.raises(Refused) as refused:
        refuse_unless_allowed(call(method, path), b"", ANA)
    assert refused.value.status == 403


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/hub/api/user"), ("GET", "/hub/api/users/ana/activity"), ("GET", "/zhakou/kernels")]
)
def test_the_method_belongs_to_the_call(method: str, path: str) -> None:
    with pytest.raises(Refused):
        refuse_unless_allowed(call(method, path), b"", ANA)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"client_id=service-portal&code=x",
        b"client_id=jupyterhub-user-ana-l-0001&client_id=service-portal",
        b"client_id=service-portal&client_id=jupyterhub-user-ana-l-0001",
        b"client%5fid=service-portal&code=x",
    ],
)
def test_a_token_is_asked_for_by_the_workspace_s_own_client_alone(body: bytes) -> None:
    with pytest.raises(Refused):
        refuse_unless_allowed(call("POST", "/hub/api/oauth2/token", body), body, ANA)


def test_a_question_about_a_kernel_says_nothing_itself() -> None:
    with pytest.raises(Refused) as refused:
        refuse_unless_allowed(call("POST", "/zhakou/kernels", b"{}"), b"{}", ANA)
    assert refused.value.status == 400


@given(method=st.sampled_from(["GET", "POST"]), path=st.text(st.characters(min_codepoint=33, max_codepoint=126)))
def test_no_other_path_ever_passes(method: str, path: str) -> None:
    known = {(m, p) for m, p, _ in ALLOWED}
    if (method, "/" + path) in known:
        return
    with pytest.raises(Refused):
        refuse_unless_allowed(call(method, "/" + path), b"", ANA)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /hub/api/user HTTP/1.1\r\nTransfer-Encoding: chunked",
        b"GET /hub/api/user HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 0",
        b"GET /hub/api/user HTTP/1.1\r\nContent-Length: +3",
        b"GET /hub/api/user HTTP/1.1\r\nContent-Length: 0x3",
        b"GET /hub/api/user HTTP/1.1\r\nContent-Length: -1",
        b"GET /hub/api/user HTTP/1.1\r\nContent-Length : 3",
        b"GET /hub/api/user HTTP/1.1\r\n folded: line",
        b"GET /hub/api/user HTTP/1.1\nHost: x",
        b"GET  /hub/api/user HTTP/1.1",
        b"GET /hub/api/user HTTP/2.0",
        b"GET /hub/api/us\x00er HTTP/1.1",
        b"GET /hub/api/user HTTP/1.1 HTTP/1.1",
        b"DELETE /hub/api/user HTTP/1.1",
        b"get /hub/api/user HTTP/1.1",
        b"",
    ],
)
def test_what_could_be_read_two_ways_is_not_read(head: bytes) -> None:
    with pytest.raises(Refused) as refused:
        read_head(head + b"\r\n\r\n")
    assert refused.value.status == 400


@pytest.mark.parametrize(("length", "status"), [(MAX_BODY, None), (MAX_BODY + 1, 413)])
def test_a_body_has_a_bound(length: int, status: int | None) -> None:
    head = f"POST /hub/api/oauth2/token HTTP/1.1\r\nContent-Length: {length}\r\n\r\n".encode()
    if status is None:
        assert read_head(head).length == length
        return
    with pytest.raises(Refused) as refused:
        read_head(head)
    assert refused.value.status == status


def test_a_plain_request_is_read() -> None:
    read = read_head(b"GET /hub/api/user HTTP/1.1\r\nHost: hub\r\nAuthorization: token t\r\n\r\n")
    assert (read.method, read.path, read.length) == ("GET", "/hub/api/user", 0)
    assert read.headers["authorization"] == "token t"
