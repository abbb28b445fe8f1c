"""The list of what the server answers: short, and everything that is not on it refused."""

from __future__ import annotations

import pytest

from sandbox.server.paths import is_allowed

KERNEL = "0f0e0d0c-0b0a-0908-0706-050403020100"


def allowed(method: str, target: str, base: str = "/user/a/") -> bool:
    path, _, query = target.partition("?")
    return is_allowed(method=method, path=base.rstrip("/") + path, query=query, base_url=base)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/"),
        ("GET", "/lab"),
        ("GET", "/lab/tree/a/%E5%88%86%E6%9E%90.ipynb"),
        ("GET", "/lab/workspaces/auto-x/tree/a.ipynb"),
        ("GET", "/static/lab/main.efd36b46f3b45eb8.js?v=1"),
        ("GET", "/lab/api/settings"),
        ("PUT", "/lab/api/settings/@jupyterlab/apputils-extension:themes"),
        ("GET", "/lab/api/translations/zh_CN"),
        ("GET", "/api/contents"),
        ("PUT", "/api/contents/a.ipynb"),
        ("PATCH", "/api/contents/a.ipynb"),
        ("DELETE", "/api/contents/a.ipynb"),
        ("POST", "/api/kernels"),
        ("GET", f"/api/kernels/{KERNEL}/channels?session_id=x"),
        ("POST", f"/api/kernels/{KERNEL}/interrupt"),
        ("POST", "/api/sessions"),
        ("GET", "/oauth_callback?code=x"),
    ],
)
def test_what_lab_needs_is_answered(method: str, target: str) -> None:
    assert allowed(method, target)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/files/a.ipynb"),
        ("GET", "/files/a.csv?download=1"),
        ("GET", "/nbconvert/html/a.ipynb"),
        ("POST", "/nbconvert/html"),
        ("GET", "/view/a.html"),
        ("GET", "/api/nbconvert"),
        ("GET", "/api/terminals"),
        ("POST", "/api/terminals"),
        ("GET", "/terminals/websocket/1"),
        ("GET", "/lsp/ws/pylsp"),
        ("GET", "/lsp/status"),
        ("GET", "/metrics"),
        ("GET", "/api/metrics/v1"),
        ("GET", "/api/spec.yaml"),
        ("GET", "/api/resolvePath?path=x"),
        ("GET", "/api/events/subscribe"),
        ("POST", "/api/events"),
        ("POST", "/api/shutdown"),
        ("GET", "/api/config/notebook"),
        ("GET", "/custom/custom.css"),
        ("GET", "/lab/api/build"),
        ("POST", "/lab/api/build"),
        ("GET", "/lab/api/extensions"),
        ("POST", "/lab/api/plugins"),
        ("GET", "/lab/api/licenses/"),
        ("GET", "/kernelspecs/python3/kernel.json"),
        ("GET", "/kernelspecs/python3/../../x"),
        ("GET", "/api/contents/a.ipynb?download=1"),
        ("GET", "/api/contents/a.ipynb?download"),
        ("GET", "/api/contents/a.ipynb?format=base64"),
        ("GET", "/api/contents/a.ipynb?content=1&format=BASE64"),
        ("GET", "/api/contents/a.ipynb/checkpoints"),
        ("POST", "/api/contents/a.ipynb/checkpoints/0"),
        ("POST", "/api/contents/a.ipynb/trust"),
        ("GET", "/api/contents/../../etc/passwd"),
        ("GET", "/api/contents/%2e%2e/x.txt"),
        ("GET", "/api/contents/a%2fb.txt"),
        ("GET", "/api/contents/a%5cb.txt"),
        ("GET", "/api/contents/a%00.txt"),
        ("GET", "/api/contents/a%0a.txt"),
        ("GET", "/api/contents/%ff.txt"),
        ("GET", "/api/contents//etc/passwd"),
        ("GET", "/api/contents/a%E2%80%AEb.txt"),
        ("PUT", "/lab"),
        ("DELETE", "/api/kernels"),
        ("OPTIONS", "/api/contents"),
        ("GET", f"/api/kernels/{KERNEL}/history"),
        ("GET", "/api/kernels/../sessions"),
        ("GET", "/static/../x"),
        ("GET", "/" + "a" * 3000),
    ],
)
def test_everything_else_is_refused(method: str, target: str) -> None:
    assert not allowed(method, target)


def test_path_outside_of_the_base_is_refused() -> None:
    assert not is_allowed(method="GET", path="/lab", query="", base_url="/user/a/")
    assert not is_allowed(method="GET", path="/user/ab/lab", query="", base_url="/user/a/")
    assert is_allowed(method="GET", path="/lab", query="", base_url="/")
