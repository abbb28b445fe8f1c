"""What every connection to PostgreSQL is made with: verified where somebody could stand between, bounded everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from hub.db import connect_parameters, open_engine
from hub.errors import InvalidInput

HERE = [
    "postgresql://u:p@/zhakou",
    "postgresql://u:p@/zhakou?host=/run/postgresql",
    "postgresql://u:p@localhost/zhakou",
    "postgresql://u:p@127.0.0.1:5433/zhakou",
    "postgresql://u:p@[::1]/zhakou",
]
ELSEWHERE = [
    "postgresql://u:p@db.example/zhakou",
    "postgresql://u:p@/zhakou?host=db.example",
    "postgresql://u:p@localhost/zhakou?host=db.example",
    "postgresql://u:p@/zhakou?host=localhost,db.example",
    "postgresql://u:p@/zhakou?host=localhost&host=db.example",
    "postgresql://u:p@localhost/zhakou?hostaddr=192.0.2.7",
]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGHOSTADDR"):
        monkeypatch.delenv(name, raising=False)


def parameters(url: str, *, unsafe_tls: bool = False) -> dict[str, object]:
    return dict(connect_parameters(make_url(url), unsafe_tls=unsafe_tls))


@pytest.mark.parametrize("url", HERE)
def test_a_server_on_this_machine_needs_no_certificate(url: str) -> None:
    assert "sslmode" not in parameters(url)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_a_server_elsewhere_is_verified_unless_that_was_given_up_by_name(url: str) -> None:
    assert parameters(url)["sslmode"] == "verify-full"
    assert "sslmode" not in parameters(url, unsafe_tls=True)


def test_a_server_elsewhere_named_in_the_environment_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example")
    assert parameters("postgresql://u:p@/zhakou")["sslmode"] == "verify-full"


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca"])
def test_a_weaker_mode_is_refused_in_words(mode: str) -> None:
    with pytest.raises(InvalidInput, match=r"database\.unverified"):
        parameters(f"postgresql://u:p@db.example/zhakou?sslmode={mode}")


def test_every_wait_has_a_bound_and_the_address_s_own_options_stay() -> None:
    options = str(parameters("postgresql://u:p@/z?options=-c%20work_mem%3D8MB")["options"])
    assert options.startswith("-c work_mem=8MB ")
    for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
        assert f"-c {name}=" in options


@pytest.mark.parametrize(
    "url", ["mysql://u:secret@h/z", "oracle://u:secret@h", "u:secret@h", "postgresql://u:secret@h:x/z"]
)
def test_another_address_is_refused_without_being_repeated(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        open_engine(url, tmp_path)
    assert caught.value.refusals[0].subject == "database_url"
    assert "secret" not in str(caught.value)
