"""Settings are read once, all problems are told in one go, and no value or secret is repeated."""

from pathlib import Path

import pytest

from hub.errors import InvalidInput
from hub.settings import Settings, load_settings


def refused(tmp_path: Path, toml: str = "", **environment: str) -> dict[str, str]:
    file = tmp_path / "zhakou.toml"
    file.write_text(toml, encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_settings(file, environment)
    assert "hunter2" not in str(caught.value)
    return {refusal.subject: refusal.rule for refusal in caught.value.refusals}


def test_environment_goes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "zhakou.toml"
    file.write_text("public_port = 9000\ndemo_district = false\n", encoding="utf-8")
    found = load_settings(file, {"ZHAKOU_PUBLIC_PORT": "9001", "HOME": "/"})
    assert (found.public_port, found.demo_district, found.unsafe) == (9001, False, ())


def test_every_problem_is_told_in_one_go_and_no_value_is_repeated(tmp_path: Path) -> None:
    found = refused(tmp_path, 'pubic_port = "hunter2"\nhub_port = "hunter2"\n', ZHAKOU_LANGUAGE="hunter2")
    assert found == {name: "settings.invalid" for name in ("pubic_port", "hub_port", "language")}


@pytest.mark.parametrize(
    "line",
    [
        "workspace_uid_base = 0",
        "workspace_uid_base = 999",
        "workspace_uid_base = -1",
        "max_raw_bytes = 0",
        "workspace_scratch = -1",
        "workspace_memory = 0",
        "grant_hours = 0",
        "min_reviewers = 1",
        "max_licence_days = 1827",
        "public_port = 8081",
        "public_port = 70000",
        "demo_district = 1",
    ],
)
def test_setting_that_would_weaken_or_break_the_site_is_refused(tmp_path: Path, line: str) -> None:
    assert line.split(" ")[0] in refused(tmp_path, line)


@pytest.mark.parametrize("toml", ["a = ", "a = " + "[" * 50_000, "\x00"])
def test_file_that_is_no_toml_is_refused(tmp_path: Path, toml: str) -> None:
    assert "file" in refused(tmp_path, toml)


def test_missing_file_that_was_named_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        load_settings(None, {"ZHAKOU_SETTINGS": str(tmp_path / "missing.toml")})


def test_password_in_the_database_address_is_not_printed() -> None:
    assert "hunter2" not in repr(Settings(database_url="postgresql://zhakou:hunter2@localhost/zhakou"))
