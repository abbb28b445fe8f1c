"""The anonymizer's commands: `zhakou anonymize`, `zhakou risk`, and those of detect and screen.

Also run as `python -m anonymize.cli`, where a worker process has nothing of the hub. With `--json` a refusal is
printed as `{"refused": {...}}`, so that the caller never reads words to learn what happened.
"""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, assert_never

import click

from anonymize.detect.cli import COMMANDS as DETECT_COMMANDS
from anonymize.engine.options import ENGINES, read_scale
from anonymize.errors import BadInput, NotFound
from anonymize.explain import as_json as explained
from anonymize.explain import explain as explain_policy
from anonymize.ladder import build_rung
from anonymize.pipeline import Extracted
from anonymize.policy import AnonymizationPolicy, load_policy
from anonymize.privacy.dp.cli import COMMANDS as NOISY_COMMANDS
from anonymize.risk_cli import COMMANDS as RISK_COMMANDS
from anonymize.rung import RUNG_NAMES, RUNG_WARNINGS, Rung
from anonymize.screen.cli import COMMANDS as SCREEN_COMMANDS
from anonymize.techniques.pseudonymize import MIN_KEY_BYTES
from anonymize.terminal import json_option, language_option, progress_bar, refusals
from anonymize.text import Language, Text
from anonymize.utility_cli import COMMANDS as UTILITY_COMMANDS

MAX_KEY_BYTES: Final = 4096


@click.command("anonymize")
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--policy", "policy_file", type=click.Path(path_type=Path), required=True, help="The policy (TOML).")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new folder for the three files.")
@click.option(
    "--key-file",
    type=click.Path(path_type=Path),
    help="The licence's key: a file of at least 32 random bytes. Needed for pseudonyms; without it rows are "
    "ordered by a key used once, and two runs differ.",
)
@click.option(
    "--rung",
    type=click.Choice([str(rung) for rung in Rung]),
    default=str(Rung.FULL),
    show_default=True,
    help="How much to show: the columns only, made-up rows, a sample, or all rows; the columns are the same on each.",
)
@click.option(
    "--population-table",
    type=click.Path(path_type=Path),
    help="The table of the population that TABLE was drawn from, for a policy with k-map or delta-presence.",
)
@click.option("--rows", type=int, help="At most so many rows; for the synthetic and the sampled rung.")
@click.option(
    "--title", nargs=2, metavar="ZH EN", help="What the table is called in Chinese and English, for the report."
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default=ENGINES[0],
    show_default=True,
    help="Where the work runs: on this machine, or on Spark (the extra `spark`, and Java).",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1, max=1024),
    help="Worker processes at the same time; without it, one that uses all cores.",
)
@click.option(
    "--memory", metavar="SIZE", help="All processes here together, like 4GiB; half of what there is if unsaid."
)
@click.option("--master", metavar="ADDRESS", help="Spark's master; Spark inside this machine if unsaid.")
@json_option
@language_option
def anonymize(
    table: Path,
    policy_file: Path,
    out: Path,
    key_file: Path | None,
    rung: str,
    population_table: Path | None,
    rows: int | None,
    title: tuple[str, str] | None,
    engine: str,
    workers: int | None,
    memory: str | None,
    master: str | None,
    as_json: bool,
    language: Language,
) -> None:
    """Make an extract of TABLE (Parquet, CSV, XLSX, or a folder of Parquet files) as the policy says, or refuse.

    Writes extract.parquet, manifest.json and report.html to the new folder OUT. The extract is the same file whatever
    the engine, the workers and the memory; a refusal writes nothing.
    """
    with refusals(language, as_json=as_json), progress_bar(language) as tell:
        policy = load_policy(policy_file)
        done = build_rung(
            rung=Rung(rung),
            source=table,
            policy=policy,
            key=_key(key_file, policy),
            out_dir=out,
            created_at=datetime.now(UTC),
            rows=rows,
            title=None if title is None else Text(*title),
            progress=tell,
            scale=read_scale(engine=engine, workers=workers, memory=memory, master=master),
            population_table=population_table,
        )
    click.echo(json.dumps(_files(done), ensure_ascii=False) if as_json else _summary(done, language))


@click.command("explain")
@click.argument("policy_file", metavar="POLICY", type=click.Path(path_type=Path))
@json_option
@language_option
def explain(policy_file: Path, as_json: bool, language: Language) -> None:
    """Say in words what POLICY (TOML) does to each column, and why; refuse it where it is wrong."""
    with refusals(language, as_json=as_json):
        policy = load_policy(policy_file)
    click.echo(json.dumps(explained(policy), ensure_ascii=False) if as_json else explain_policy(policy, language))


COMMANDS: Final[list[click.Command]] = [
    *DETECT_COMMANDS,
    anonymize,
    explain,
    *RISK_COMMANDS,
    *UTILITY_COMMANDS,
    *NOISY_COMMANDS,
    *SCREEN_COMMANDS,
]


@click.group(commands=COMMANDS)
def main() -> None:
    """Tables in, safer tables and a report out."""


def _key(key_file: Path | None, policy: AnonymizationPolicy) -> bytes:
    if key_file is None:
        if policy.uses_key:
            raise BadInput(
                code="key.missing",
                subject="--key-file",
                text=Text(
                    "规则含有由密钥决定的方法（假名、虚构、噪声、互换、随机化、抽样），但没有给出密钥。",
                    "The policy has what a key decides (pseudonyms, inventions, noise, swapping, randomizing, a "
                    "sample), but no key was given.",
                ),
                next_step=Text(
                    "请用 --key-file 指定该协议的密钥文件。", "Name the licence's key file with --key-file."
                ),
            )
        return secrets.token_bytes(MIN_KEY_BYTES)
    try:
        with key_file.open("rb") as file:
            return file.read(MAX_KEY_BYTES)
    except OSError as failed:
        raise NotFound(
            code="key.not_found",
            subject="--key-file",
            text=Text("找不到密钥文件或无权读取。", "There is no such key file, or it can't be read."),
            next_step=Text("请检查路径和权限。", "Check the path and its permissions."),
        ) from failed


def _files(done: Extracted) -> dict[str, Any]:
    return {
        "rung": str(done.rung),
        "extract": str(done.extract_path),
        "manifest": str(done.manifest_path),
        "report": str(done.report_path),
        "rows": done.manifest["rows"],
        "k": done.k,
        "digests": done.manifest["digests"],
        "loss": done.manifest["loss"],
    }


def _summary(done: Extracted, language: Language) -> str:
    digest = done.manifest["digests"]["extract"]
    lines = Text(
        f"{_figures(done).zh}\n  数据   {done.extract_path}\n  清单   {done.manifest_path}\n"
        f"  报告   {done.report_path}\n  SHA-256 {digest}",
        f"{_figures(done).en}\n  data     {done.extract_path}\n  manifest {done.manifest_path}\n"
        f"  report   {done.report_path}\n  SHA-256  {digest}",
    )
    return lines.in_language(language)


def _figures(done: Extracted) -> Text:
    rows, loss = done.manifest["rows"], done.manifest["loss"]["value"]
    name, warning = RUNG_NAMES[done.rung], RUNG_WARNINGS[done.rung]
    match done.rung:
        case Rung.FULL:
            return Text(
                f"已生成脱敏数据包：{done.rows} 行，k = {done.k}，删除 {rows['suppressed']} 行，"
                f"细节损失 (NCP) {loss:.1%}",
                f"Extract made: {done.rows} rows, k = {done.k}, {rows['suppressed']} rows removed, "
                f"detail lost {loss:.1%} NCP",
            )
        case Rung.SAMPLED:
            k_map = done.manifest["sample"]["population"]["k_map"]
            return Text(
                f"已生成{name.zh}：{done.rows} 行（全量 {rows['of']} 行），样本内 k = {done.k}，k-map = {k_map}",
                f"Made, {name.en}: {done.rows} of {rows['of']} rows, k = {done.k} in the sample, k-map = {k_map}",
            )
        case Rung.SYNTHETIC | Rung.METADATA:
            return Text(
                f"已生成{name.zh}：{done.rows} 行。{warning.zh}", f"Made, {name.en}: {done.rows} rows. {warning.en}"
            )
        case _ as unknown:
            assert_never(unknown)


if __name__ == "__main__":
    main()
